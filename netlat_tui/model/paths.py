"""A finished path as people and files see it: decoded from one ``PATH`` row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeVar

import numpy as np

from netlat_tui.model.points import (
    MAX_POINTS,
    POINTS,
    STAGES,
    Direction,
    IrqClass,
    Outcome,
    Point,
    Stage,
    stage_id,
)
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import PathFlag, Rows, SoftirqVector

_E = TypeVar("_E", bound=IntEnum)

_PORTION = 2048  # rows
_POINT_BITS = np.uint32(1) << np.arange(MAX_POINTS, dtype=np.uint32)

HIDDEN = "hidden (kptr_restrict)"
"""What a tick's ``symbols`` give instead of a name where the kernel hides addresses."""

PROTOCOLS: dict[int, str] = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}


@dataclass(frozen=True, slots=True)
class Passage:
    """A point that was observed: when, in ns from the path's first point, and on which CPU."""

    point: Point
    t_ns: int
    cpu: int


@dataclass(frozen=True, slots=True)
class PathStage:
    """One stage of a path."""

    stage: Stage
    start_ns: int
    duration_ns: int
    cpu: int  # where it ended


@dataclass(frozen=True, slots=True)
class Ran:
    """A thread that had a CPU; ``comm`` is printable."""

    pid: int
    comm: str

    @property
    def is_idle(self) -> bool:
        return not self.pid

    @property
    def name(self) -> str:
        return f"{self.comm}/{self.pid}"


@dataclass(frozen=True, slots=True)
class Path:
    """One packet's way. All texts are printable; times are ns; ``iface`` is ``if7`` where the name is not known."""

    id: str
    t0_ns: int  # CLOCK_MONOTONIC
    time_ns: int  # UNIX time of the first point
    direction: Direction
    iface: str
    ifindex: int
    netns: int
    proto: str
    src: str
    dst: str
    sport: int | None
    dport: int | None
    length: int
    irq: int | None
    irq_class: IrqClass
    pid: int | None
    tid: int | None
    comm: str
    outcome: Outcome
    reason: str
    location: int  # address that dropped it
    symbol: str  # its name: udp_queue_rcv_one_skb+0x1f; "" where it has none, or the kernel hides it
    merged: int
    hops: int
    flags: tuple[PathFlag, ...]
    softirq_cpu: int  # TX: the CPU that put the packet into the device's queue
    peer: str  # id of the path this one goes on from or in (lo, veth, forwarding); ""
    socket: int | None  # inode number
    seq: int | None  # TCP
    segs: int  # segments one skb carries; 0: it is one packet
    queue: int | None  # TX: of the device
    points: tuple[Passage, ...]
    softirqs: tuple[SoftirqVector, ...] = ()  # others that had the CPU between raise and softirq
    softirq_task: Ran | None = None  # who had the CPU before softirq; None: not known, or it was not late
    prev_task: Ran | None = None  # who had the reader's CPU before wakeup

    @property
    def total_ns(self) -> int:
        return self.points[-1].t_ns if self.points else 0

    @property
    def stages(self) -> tuple[PathStage, ...]:
        """The intervals between consecutive points; they add up to the total."""
        return tuple(
            PathStage(
                STAGES[stage_id(self.direction, before.point.index, after.point.index)],
                before.t_ns,
                after.t_ns - before.t_ns,
                after.cpu,
            )
            for before, after in zip(self.points, self.points[1:], strict=False)
        )

    @property
    def worst(self) -> PathStage | None:
        return max(self.stages, key=lambda stage: stage.duration_ns, default=None)

    @property
    def flow(self) -> str:
        """``tcp 10.0.0.1:40000 → [fe80::1]:80``, as tcpdump's users read it."""
        return f"{self.proto} {end_of(self.src, self.sport)} → {end_of(self.dst, self.dport)}"


def end_of(host: str, port: int | None) -> str:
    """One end of a flow: ``10.0.0.1:80``, ``[fe80::1]:80``, ``10.0.0.1``."""
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@lru_cache(maxsize=1 << 12)
def address(family: int, raw: bytes) -> str:
    """As text; ``?`` where it is none."""
    if family == 4:
        return str(IPv4Address(raw[:4]))
    if family == 6:
        return str(IPv6Address(raw))
    return "?"


def reason_name(reason: int, reasons: Mapping[int, str]) -> str:
    """The kernel's word for why a packet was dropped."""
    return printable(reasons.get(reason) or f"reason {reason}")


def symbol_name(location: int, symbols: Mapping[int, str]) -> str:
    """The name of an address, "" where it has none or the kernel hides it."""
    name = symbols.get(location, "")
    return "" if name == HIDDEN else printable(name)


def totals_ns(rows: Rows) -> np.ndarray:
    """The total of each row: the time of its last observed point."""
    totals = np.zeros(len(rows), dtype=np.int64)
    # In portions that stay in the CPU's cache: twice as fast.
    for begin in range(0, len(rows), _PORTION):
        some = rows[begin : begin + _PORTION]
        observed = (some["mask"][:, None] & _POINT_BITS) != 0
        totals[begin : begin + _PORTION] = some["t_ns"].max(axis=1, where=observed, initial=0)
    return totals


def decode(
    row: np.void,
    clock_offset_ns: int,
    ifaces: Mapping[tuple[int, int], str],
    reasons: Mapping[int, str],
    symbols: Mapping[int, str] | None = None,
) -> Path:
    """Decode a ``PATH`` row.

    ``clock_offset_ns`` is UNIX time minus CLOCK_MONOTONIC. ``ifaces`` names interfaces by (netns inode, ifindex),
    ``reasons`` drop reasons by the running kernel's numbers, ``symbols`` addresses. Values that no kernel would send (a
    damaged file) are decoded to something harmless, never raise.
    """
    found: dict[str, Any] = dict(zip(row.dtype.names or (), row.item(), strict=True))  # one by one, ten times as slow
    direction = Direction.TX if found["direction"] == Direction.TX else Direction.RX
    mask, t_ns, cpu = found["mask"], found["t_ns"].tolist(), found["cpu"].tolist()
    passages = tuple(
        Passage(point, t_ns[point.index], cpu[point.index]) for point in POINTS[direction] if mask >> point.index & 1
    )
    if found["flags"] & PathFlag.SEGMENTED:
        # A queueing discipline that cuts an skb up (tbf) takes in the segments: whether there was a queue is not known.
        found["flags"] &= ~PathFlag.BYPASS
    family, proto, flags, irq = found["family"], found["proto"], found["flags"], found["irq"]
    softirqs = found["softirqs"]
    ports = proto in (6, 17) and family in (4, 6)
    outcome = _enum(Outcome, found["outcome"], Outcome.EXPIRED)
    ifindex, netns, location = found["ifindex"], found["netns"], found["location"]
    irq_class = _enum(IrqClass, found["irq_class"], IrqClass.UNKNOWN)
    name = PROTOCOLS.get(proto, f"proto {proto}") if family else "not IP"
    if ports and flags & PathFlag.FRAGMENT and not (found["sport"] or found["dport"]):
        ports, name = False, f"{name} frag"
    return Path(
        id=f"{found['id']:016x}",
        t0_ns=found["t0_ns"],
        time_ns=found["t0_ns"] + clock_offset_ns,
        direction=direction,
        iface=printable(ifaces.get((netns, ifindex), f"if{ifindex}")),
        ifindex=ifindex,
        netns=netns,
        proto=name,
        src=address(family, found["saddr"].tobytes()),
        dst=address(family, found["daddr"].tobytes()),
        sport=found["sport"] if ports else None,
        dport=found["dport"] if ports else None,
        length=found["length"],
        irq=irq if irq_class in (IrqClass.IRQ, IrqClass.AMBIGUOUS, IrqClass.RPS) and irq else None,
        irq_class=irq_class,
        pid=found["pid"] or None,
        tid=found["tid"] or None,
        comm=printable(found["comm"]),
        outcome=outcome,
        reason=reason_name(found["reason"], reasons) if outcome is Outcome.DROPPED else "",
        location=location,
        symbol=symbol_name(location, symbols or {}),
        merged=found["merged"],
        hops=found["hops"],
        flags=tuple(flag for flag in PathFlag if flags & flag) if flags else (),
        softirq_cpu=found["softirq_cpu"],
        peer=f"{found['peer']:016x}" if found["peer"] else "",
        socket=found["socket"] or None,
        seq=found["seq"] if proto == 6 and ports else None,
        segs=found["segs"],
        queue=found["queue"] if direction is Direction.TX else None,
        points=passages,
        softirqs=tuple(vector for vector in SoftirqVector if softirqs >> vector & 1) if softirqs else (),
        softirq_task=_ran(found["softirq_pid"], found["softirq_comm"]),
        prev_task=_ran(found["prev_pid"], found["prev_comm"]),
    )


def _ran(pid: int, comm: bytes) -> Ran | None:
    """Without a name nothing is known: the idle task has one too."""
    return Ran(pid, printable(comm)) if comm else None


def _enum(kind: type[_E], value: int, otherwise: _E) -> _E:
    try:
        return kind(value)
    except ValueError:
        return otherwise
