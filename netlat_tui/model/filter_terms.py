"""The conditions of the filter language: how each is written, which paths it selects, how the kernel tests it.

A condition the kernel can decide is a list of tests, one of which must hold; one it cannot decide has no list.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from netlat_tui.model.filter_program import Field
from netlat_tui.model.filter_stages import OPERATORS, stages_match
from netlat_tui.model.paths import totals_ns
from netlat_tui.model.points import Direction, Outcome
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import Rows

Mask = npt.NDArray[np.bool_]
Network = IPv4Network | IPv6Network
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Names:
    """What a predicate needs to know beside the rows: interface names by (netns inode, ifindex), drop reasons."""

    ifaces: Mapping[tuple[int, int], str] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Test:
    """A ``TEST`` instruction, as ``filter_program`` describes it."""

    __test__ = False  # not one of pytest's

    field: Field
    lo: int = 0
    hi: int = 0
    prefix: int = 0
    family: int = 0
    value: bytes = b""


class Side(Enum):
    """Which end of the flow a condition looks at; the value is how it is written."""

    EITHER = ""
    SRC = "src "
    DST = "dst "


class Term(ABC):
    """One condition."""

    __slots__ = ()

    @abstractmethod
    def text(self) -> str:
        """The condition in the language; parsing it gives the same condition."""

    @abstractmethod
    def matches(self, paths: Rows, names: Names) -> Mask:
        """Which PATH rows it selects."""

    def tests(self) -> tuple[Test, ...]:
        """One of these must hold for a packet; none where the kernel cannot decide the condition."""
        return ()

    def widened(self, tests: int) -> Term | None:
        """A condition of at most this many tests that selects what this one selects and more, if there is one."""
        return None


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


_STAND_IN = re.compile(r"if[0-9]+|.*[?�].*", re.DOTALL)
"""Names that may be what a screen shows for another name: see ``paths.decode`` and ``text.printable``."""


@dataclass(frozen=True, slots=True)
class Ifaces(Term):
    """``iface eth0,eth1``. A name as shown on screen will do, also where the true one is not known or not printable."""

    names: tuple[str, ...]

    def text(self) -> str:
        return "iface " + ",".join(map(quote, self.names))

    def matches(self, paths: Rows, names: Names) -> Mask:
        keys = _iface_key(paths["netns"].astype(np.uint64), paths["ifindex"].astype(np.uint64))
        named = {key for key, name in names.ifaces.items() if name in self.names or printable(name) in self.names}
        mask = np.isin(keys, _iface_keys(named))
        numbers = [int(name[2:]) for name in self.names if re.fullmatch("if[0-9]+", name)]
        if numbers:
            mask |= np.isin(paths["ifindex"], numbers) & ~np.isin(keys, _iface_keys(set(names.ifaces)))
        return mask

    def tests(self) -> tuple[Test, ...]:
        if any(_STAND_IN.fullmatch(name) for name in self.names):
            return ()
        return tuple(Test(Field.IFNAME, value=name.encode("utf-8", "surrogateescape")) for name in self.names)


def _iface_key(netns: npt.NDArray[np.uint64], ifindex: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return netns << np.uint64(32) | ifindex


def _iface_keys(pairs: set[tuple[int, int]]) -> npt.NDArray[np.uint64]:
    return np.array([netns << 32 | ifindex for netns, ifindex in pairs], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Comms(Term):
    """``comm nginx``: the whole name, as the kernel holds it or as it is shown."""

    names: tuple[str, ...]

    def text(self) -> str:
        return "comm " + ",".join(map(quote, self.names))

    def matches(self, paths: Rows, names: Names) -> Mask:
        mask = np.zeros(len(paths), dtype=np.bool_)
        comms = np.ascontiguousarray(paths["comm"])
        for name in self.names:
            mask |= comms == name.encode("utf-8", "surrogateescape")
        if any(_STAND_IN.fullmatch(name) for name in self.names):
            distinct, which = np.unique(comms, return_inverse=True)
            shown = np.array([printable(bytes(comm)) in self.names for comm in distinct], dtype=np.bool_)
            mask |= shown[which]
        return mask


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


_BARE = re.compile(r"""[^\s()<>=!&|,"'\\]+""")


def quote(name: str) -> str:
    """A name as it must stand in a filter: in quotes where it holds something else than the characters of a word."""
    if _BARE.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
