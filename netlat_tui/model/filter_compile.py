"""What of a filter goes down to the kernel: a part that is never narrower than the filter, as a program that fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from netlat_tui.model.filter_base import Test
from netlat_tui.model.filter_nodes import And, Node, Not, Or, all_of, any_of, conjuncts, pushed
from netlat_tui.model.filter_program import INSTRUCTION, MAX_INSTRUCTIONS, Op
from netlat_tui.model.ticks import Rows


@dataclass(frozen=True, slots=True)
class Split:
    """A filter in two parts that must both hold; ``None`` selects everything."""

    kernel: Node | None
    user: Node | None  # what the kernel part does not say already


def split(node: Node) -> Split:
    """The part the kernel can decide in ``MAX_INSTRUCTIONS`` instructions, and what is left to select paths."""
    parts = conjuncts(pushed(node))
    kernel = conjuncts(_fitting(all_of(filter(None, map(_decidable, parts))), MAX_INSTRUCTIONS))
    return Split(all_of(kernel), all_of(part for part in parts if not set(conjuncts(part)) <= set(kernel)))


def _decidable(node: Node) -> Node | None:
    """The node with every condition the kernel cannot decide replaced by "holds", so that it selects no less.

    That is so because ``not`` stands right before conditions.
    """
    match node:
        case And(children):
            return all_of(filter(None, map(_decidable, children)))
        case Or(children):
            parts = [_decidable(child) for child in children]
            kept = [part for part in parts if part is not None]
            return any_of(kept) if len(kept) == len(parts) else None
        case Not(child):
            return node if _decidable(child) else None
    return node if node.tests() else None


def _cost(node: Node | None) -> int:
    """Instructions of the node's program."""
    match node:
        case None:
            return 0
        case Not(child):
            return _cost(child) + 1
        case And(children) | Or(children):
            return sum(map(_cost, children)) + len(children) - 1
    return 2 * len(node.tests()) - 1


def _fitting(node: Node | None, budget: int) -> Node | None:
    """The node, or else one that selects more and costs at most ``budget`` instructions."""
    if node is None or _cost(node) <= budget:
        return node
    match node:
        case And(children):
            return _some(children, budget)
        case Or(children):
            return _each(children, budget)
        case Not():
            return None
    return node.widened((budget + 1) // 2)


def _some(children: tuple[Node, ...], budget: int) -> Node | None:
    """Of conditions that must all hold, those that fit: the cheapest first, in the order written."""
    kept: dict[int, Node] = {}
    for index in _by_cost(children):
        part = _fitting(children[index], budget)
        if part is not None:
            kept[index] = part
            budget -= _cost(part) + 1  # the AND with what follows
    return all_of(kept[index] for index in sorted(kept))


def _each(children: tuple[Node, ...], budget: int) -> Node | None:
    """Of conditions one of which must hold none can be left out: each gets a fair share of the room."""
    kept: dict[int, Node] = {}
    budget -= len(children) - 1
    for index in _by_cost(children):
        part = _fitting(children[index], budget // (len(children) - len(kept)))
        if part is None:
            return None
        kept[index] = part
        budget -= _cost(part)
    return any_of(kept[index] for index in sorted(kept))


def _by_cost(children: tuple[Node, ...]) -> list[int]:
    return sorted(range(len(children)), key=lambda index: _cost(children[index]))


def program(node: Node | None) -> Rows:
    """The instructions (dtype ``INSTRUCTION``) that leave the node's verdict on the stack."""
    steps = list(_steps(node)) if node is not None else []
    rows = np.zeros(len(steps), dtype=INSTRUCTION)
    for row, step in zip(rows, steps, strict=True):
        if isinstance(step, Op):
            row["op"] = step
            continue
        row["op"], row["field"], row["prefix"], row["family"] = Op.TEST, step.field, step.prefix, step.family
        row["lo"], row["hi"] = step.lo, step.hi
        row["value"] = np.frombuffer(step.value.ljust(16, b"\0"), dtype=np.uint8)
    return rows


def _steps(node: Node) -> Iterator[Test | Op]:
    match node:
        case Not(child):
            yield from _steps(child)
            yield Op.NOT
        case And(children) | Or(children):
            # What needs most of the stack comes first: then the others find it as empty as it can be.
            for count, child in enumerate(sorted(children, key=_depth, reverse=True)):
                yield from _steps(child)
                if count:
                    yield Op.AND if isinstance(node, And) else Op.OR
        case _:
            for count, test in enumerate(node.tests()):
                yield test
                if count:
                    yield Op.OR


def _depth(node: Node) -> int:
    """Places of the stack that ``_steps`` needs."""
    match node:
        case Not(child):
            return _depth(child)
        case And(children) | Or(children):
            first, *others = sorted(map(_depth, children), reverse=True)
            return max(first, others[0] + 1)
    return min(len(node.tests()), 2)
