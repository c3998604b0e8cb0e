"""The conditions on numbers, addresses and times: how each is written, what it selects, how the kernel tests it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from netlat_tui.model.filter_base import Mask, Names, Side, Term, Test
from netlat_tui.model.filter_program import Field
from netlat_tui.model.filter_stages import OPERATORS, stages_match
from netlat_tui.model.paths import totals_ns
from netlat_tui.model.points import Direction, Outcome
from netlat_tui.model.ticks import Rows

Network = IPv4Network | IPv6Network
Range = tuple[int, int]

_WORDS: dict[str, tuple[Field, tuple[int, ...]]] = {
    "tcp": (Field.PROTO, (6,)),
    "udp": (Field.PROTO, (17,)),
    "icmp": (Field.PROTO, (1, 58)),
    "icmp6": (Field.PROTO, (58,)),
    "ip": (Field.FAMILY, (4,)),
    "ip6": (Field.FAMILY, (6,)),
    "rx": (Field.DIRECTION, (Direction.RX,)),
    "tx": (Field.DIRECTION, (Direction.TX,)),
}


@dataclass(frozen=True, slots=True)
class Word(Term):
    """``tcp``, ``ip6``, ``rx``, ``dropped``: a condition of one word."""

    word: str

    def text(self) -> str:
        return self.word

    def matches(self, paths: Rows, names: Names) -> Mask:
        if self.word == "dropped":
            return np.asarray(paths["outcome"] == Outcome.DROPPED)
        kind, values = _WORDS[self.word]
        if kind is Field.DIRECTION:
            return np.asarray(paths["direction"] == values[0])
        if kind is Field.FAMILY:
            return np.asarray(paths["family"] == values[0])
        return np.asarray((paths["family"] != 0) & np.isin(paths["proto"], values))

    def tests(self) -> tuple[Test, ...]:
        if self.word == "dropped":
            return ()
        kind, values = _WORDS[self.word]
        return tuple(Test(kind, value, value) for value in values)


_NUMBER_FIELDS: dict[str, tuple[Field, ...]] = {
    "cpu": (Field.CPU,),
    "irq": (Field.IRQ,),
    "netns": (Field.NETNS,),
    "pid": (),
}
_PORT_FIELDS: dict[Side, tuple[Field, ...]] = {
    Side.EITHER: (Field.SPORT, Field.DPORT),
    Side.SRC: (Field.SPORT,),
    Side.DST: (Field.DPORT,),
}
_COLUMNS: dict[str, tuple[str, ...]] = {
    "cpu": ("softirq_cpu",),
    "irq": ("irq",),
    "netns": ("netns",),
    "pid": ("pid",),
}
_PORT_COLUMNS: dict[Side, tuple[str, ...]] = {
    Side.EITHER: ("sport", "dport"),
    Side.SRC: ("sport",),
    Side.DST: ("dport",),
}


@dataclass(frozen=True, slots=True)
class Numbers(Term):
    """``port 80,443``, ``cpu 0-3``. The ranges rise and do not touch (``merge_ranges``)."""

    word: str
    ranges: tuple[Range, ...]
    side: Side = Side.EITHER

    def text(self) -> str:
        return f"{self.side.value}{self.word} " + ",".join(
            f"{lo}" if lo == hi else f"{lo}-{hi}" for lo, hi in self.ranges
        )

    def matches(self, paths: Rows, names: Names) -> Mask:
        mask = np.zeros(len(paths), dtype=np.bool_)
        for column in _PORT_COLUMNS[self.side] if self.word == "port" else _COLUMNS[self.word]:
            values = np.ascontiguousarray(paths[column])
            for lo, hi in self.ranges:
                mask |= (values >= lo) & (values <= hi)
        if self.word == "port":
            mask &= _with_ports(paths)
        elif self.word == "irq":
            mask &= paths["irq"] != 0
        return mask

    def tests(self) -> tuple[Test, ...]:
        fields = _PORT_FIELDS[self.side] if self.word == "port" else _NUMBER_FIELDS[self.word]
        return tuple(Test(kind, lo, hi) for kind in fields for lo, hi in self.ranges)

    def widened(self, tests: int) -> Term | None:
        count = tests // (len(self.tests()) // len(self.ranges))
        if count < 1:
            return None
        # The gaps that stay are the widest ones, so that as little as can be is let through beside what was asked for.
        gaps = sorted(range(1, len(self.ranges)), key=lambda i: self.ranges[i - 1][1] - self.ranges[i][0])
        starts = [0, *sorted(gaps[: count - 1]), len(self.ranges)]
        merged = tuple((self.ranges[start][0], self.ranges[end - 1][1]) for start, end in pairwise(starts))
        return replace(self, ranges=merged)


def merge_ranges(ranges: list[Range]) -> tuple[Range, ...]:
    """The same numbers in as few ranges as can be, rising."""
    merged: list[Range] = []
    for lo, hi in sorted(ranges):
        if merged and lo <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(hi, merged[-1][1]))
        else:
            merged.append((lo, hi))
    return tuple(merged)


def _with_ports(paths: Rows) -> Mask:
    """Packets that show ports: TCP and UDP, but for the later fragments."""
    return np.asarray(
        (paths["family"] != 0)
        & ((paths["proto"] == 6) | (paths["proto"] == 17))
        & ((paths["sport"] != 0) | (paths["dport"] != 0))
    )


@dataclass(frozen=True, slots=True)
class Networks(Term):
    """``host`` and ``net``: a host is a network of one address."""

    networks: tuple[Network, ...]
    side: Side = Side.EITHER

    def text(self) -> str:
        if all(network.prefixlen == network.max_prefixlen for network in self.networks):
            return f"{self.side.value}host " + ",".join(str(network.network_address) for network in self.networks)
        return f"{self.side.value}net " + ",".join(map(str, self.networks))

    def matches(self, paths: Rows, names: Names) -> Mask:
        mask = np.zeros(len(paths), dtype=np.bool_)
        for column, side in (("saddr", Side.SRC), ("daddr", Side.DST)):
            if self.side in (Side.EITHER, side):
                for network in self.networks:
                    mask |= (paths["family"] == network.version) & _in_network(paths[column], network)
        return mask

    def tests(self) -> tuple[Test, ...]:
        return tuple(
            Test(kind, prefix=network.prefixlen, family=network.version, value=network.network_address.packed)
            for kind, side in ((Field.SADDR, Side.SRC), (Field.DADDR, Side.DST))
            if self.side in (Side.EITHER, side)
            for network in self.networks
        )


def _in_network(addresses: npt.NDArray[np.uint8], network: Network) -> Mask:
    netmask = np.frombuffer(network.netmask.packed, dtype=np.uint8)
    wanted = np.frombuffer(network.network_address.packed, dtype=np.uint8)
    return np.asarray(((addresses[:, : len(wanted)] & netmask) == wanted).all(axis=1))


@dataclass(frozen=True, slots=True)
class Duration(Term):
    """``total > 1ms``, ``stage softirq > 200us``: true where any stage of that name compares so."""

    stage: str  # "": the whole path
    operator: str
    limit_ns: int

    def text(self) -> str:
        what = f"stage {self.stage}" if self.stage else "total"
        return f"{what} {self.operator} {_written(self.limit_ns)}"

    def matches(self, paths: Rows, names: Names) -> Mask:
        if self.stage:
            return stages_match(paths, self.stage, self.operator, self.limit_ns)
        return np.asarray(OPERATORS[self.operator](totals_ns(paths), self.limit_ns))


def _written(ns: int) -> str:
    for scale, unit in ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")):
        if ns and ns % scale == 0:
            return f"{ns // scale}{unit}"
    return f"{ns}ns"
