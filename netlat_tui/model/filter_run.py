"""A filter's program run over paths: in numpy what ``filter.h`` does in the kernel. Tests hold it to the filter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netlat_tui.model.filter_base import Names
from netlat_tui.model.filter_program import MAX_DEPTH, MAX_INSTRUCTIONS, Field, Op
from netlat_tui.model.ticks import Rows

Mask = npt.NDArray[np.bool_]

_VALUES: dict[Field, str] = {
    Field.SPORT: "sport",
    Field.DPORT: "dport",
    Field.CPU: "softirq_cpu",
    Field.PROTO: "proto",
    Field.FAMILY: "family",
    Field.NETNS: "netns",
    Field.IRQ: "irq",
    Field.DIRECTION: "direction",
}


def run(program: Rows, paths: Rows, names: Names) -> Mask:
    """Which PATH rows the program passes. ``ValueError`` for a program the kernel side could not run."""
    if len(program) > MAX_INSTRUCTIONS:
        raise ValueError(f"{len(program)} instructions; there is room for {MAX_INSTRUCTIONS}")
    if not len(program):
        return np.ones(len(paths), dtype=np.bool_)
    stack: list[Mask] = []
    for instruction in program:
        op = Op(int(instruction["op"]))
        if op is Op.TEST:
            stack.append(_test(instruction, paths, names))
        elif op is Op.NOT and stack:
            stack.append(~stack.pop())
        elif op in (Op.AND, Op.OR) and len(stack) > 1:
            top, below = stack.pop(), stack.pop()
            stack.append(top & below if op is Op.AND else top | below)
        else:
            raise ValueError(f"{op.name} finds nothing to work on")
        if len(stack) > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} places of the stack are needed")
    if len(stack) != 1:
        raise ValueError(f"{len(stack)} verdicts are left")
    return stack[0]


def _test(instruction: np.void, paths: Rows, names: Names) -> Mask:
    field = Field(int(instruction["field"]))
    if field is Field.CONSTANT:
        return np.full(len(paths), bool(instruction["lo"]))
    if field in (Field.SADDR, Field.DADDR):
        return _prefix(instruction, paths, "saddr" if field is Field.SADDR else "daddr")
    if field is Field.IFNAME:
        wanted = instruction["value"].tobytes()
        known = {
            key: name.encode("utf-8", "surrogateescape").ljust(16, b"\0") == wanted
            for key, name in names.ifaces.items()
        }
        pairs = zip(paths["netns"].tolist(), paths["ifindex"].tolist(), strict=True)
        return np.array([known.get(pair, False) for pair in pairs], dtype=np.bool_)
    value = paths[_VALUES[field]]
    passed: Mask = (value >= instruction["lo"]) & (value <= instruction["hi"])
    if field in (Field.SPORT, Field.DPORT):
        passed &= (paths["family"] != 0) & np.isin(paths["proto"], (6, 17)) & ((paths["sport"] | paths["dport"]) != 0)
    elif field is Field.PROTO:
        passed &= paths["family"] != 0
    elif field is Field.IRQ:
        passed &= value != 0
    return passed


def _prefix(instruction: np.void, paths: Rows, column: str) -> Mask:
    have = np.unpackbits(paths[column], axis=1)[:, : instruction["prefix"]]
    want = np.unpackbits(instruction["value"])[: instruction["prefix"]]
    return np.asarray((paths["family"] == instruction["family"]) & (have == want).all(axis=1))
