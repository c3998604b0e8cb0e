"""Ticks: raw samples as they come from the kernel, before any window or filter of the screen is laid over them.

A tick holds what changed since the tick before (histogram counts, counters), the paths that ended, and what the system
said. Ticks are what recordings store and what snapshots are derived from. Everything here is immutable by convention:
arrays are made read-only when a tick is built.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from netlat_tui.model.points import MAX_POINTS


class Scope(IntEnum):
    """What a histogram region belongs to."""

    CPU = 0
    IRQ = 1


CELL = np.dtype([("scope", "u1"), ("key", "<u4"), ("dist", "<u2"), ("bucket", "<u2"), ("count", "<u4")])
"""A histogram bucket that grew: region (scope and CPU or IRQ number), stage or gauge id, bucket, by how much.

A packet counts once in the region of the CPU whose softirq took it and, where its interrupt is known, once in that
interrupt's region."""

SUM = np.dtype(
    [
        ("scope", "u1"), ("key", "<u4"), ("dist", "<u2"), ("count", "<u4"),
        ("sum_ns", "<u8"), ("min_ns", "<u8"), ("max_ns", "<u8"),
    ]
)  # fmt: skip
"""Of each distribution that grew: samples, their sum, the smallest and the largest."""

PATH = np.dtype(
    [
        # Looked at wherever the packet comes by: in one cache line.
        ("id", "<u8"),  # unique within a run: CPU of birth in the high 16 bits
        ("t0_ns", "<u8"),  # CLOCK_MONOTONIC at the first point
        ("mask", "<u4"),  # bit i: the point of index i was observed
        ("softirq_cpu", "<u2"),
        ("merged", "<u2"),  # packets folded into this one (GRO, TCP coalescing)
        ("proto", "u1"),  # IPPROTO_*
        ("family", "u1"),  # 4, 6, 0 = not IP
        ("direction", "u1"),
        ("irq_class", "u1"),
        ("outcome", "u1"),
        ("flags", "u1"),  # PathFlag
        ("hops", "u1"),  # further devices on the way: bridge, tunnel, VLAN
        ("cause", "u1"),  # PathCause: why the record was sent
        ("cpu", "<u2", (MAX_POINTS,)),
        ("t_ns", "<u8", (MAX_POINTS,)),  # from the first point; valid where the mask's bit is set
        # What else its CPU did in the gap before a point; no name: not known. Names are hostile text.
        ("softirq_comm", "S16"),  # before softirq: the task that had the CPU; asked only where the softirq was late
        ("prev_comm", "S16"),  # before wakeup: the task that had the reader's CPU (sched_switch's prev_comm)
        ("softirq_pid", "<u4"),  # their threads' ids; 0: the CPU was idle
        ("prev_pid", "<u4"),
        ("location", "<u8"),  # address that dropped the packet
        ("window_ns", "<u8"),  # IRQ candidates when ambiguous: latest minus earliest entry; else 0
        ("peer", "<u8"),  # id of the path this one goes on from, or goes on in (lo, veth, forwarding); 0: none
        ("saddr", "u1", (16,)),  # IPv4 in the first four bytes
        ("daddr", "u1", (16,)),
        ("comm", "S16"),  # reader's or sender's name, as the kernel holds it: hostile text
        ("ifindex", "<u4"),
        ("netns", "<u4"),  # inode number
        ("length", "<u4"),  # bytes from the network header on
        ("irq", "<u4"),
        ("reason", "<u4"),  # skb_drop_reason of this kernel
        ("pid", "<u4"),  # thread group id
        ("tid", "<u4"),
        ("mark", "<u4"),  # skb->mark
        ("socket", "<u4"),  # inode number of the socket, as ss -e shows it
        ("seq", "<u4"),  # TCP sequence number of the first byte, host byte order
        ("sport", "<u2"),
        ("dport", "<u2"),
        ("segs", "<u2"),  # segments one skb carries (GSO); 0 or 1: it is one packet
        ("queue", "<u2"),  # TX: number of the device's queue
        ("softirqs", "<u4"),  # bit v: softirq v (SoftirqVector) had the CPU between raise and softirq
        ("every", "<u4"),  # it stands for so many packets of its kind; 0: not known, the recording is older
    ],
    align=False,
)  # fmt: skip
"""A finished flight. 360 bytes; the kernel side's ``struct path`` is generated from this type."""


class SoftirqVector(IntEnum):
    """The kernel's softirqs in the order in which it runs them, unchanged since 2.6.39; names as in /proc/softirqs."""

    HI = 0
    TIMER = 1
    NET_TX = 2
    NET_RX = 3
    BLOCK = 4
    IRQ_POLL = 5
    TASKLET = 6
    SCHED = 7
    HRTIMER = 8
    RCU = 9


class PathFlag(IntEnum):
    """Bits of ``PATH['flags']``."""

    FRAGMENT = 1
    OUT_OF_ORDER = 2
    BACKLOG = 4
    KSOFTIRQD = 8
    CLONED = 16
    RETRANSMIT = 32  # TCP sent these bytes before
    SEGMENTED = 64  # the kernel cut the skb up before the driver got it (software GSO)
    BYPASS = 128  # sent without the queueing discipline: it was empty, or there is none


class PathCause(IntEnum):
    """Why the kernel sent a record. With ``PATH['every']`` it says what the record stands for.

    The slow ones and the drops are all sent, of the others one in so many, so each counts ``every`` times and the sum
    is that of all packets. A ``FOLLOW`` was sent for its other half's sake alone: it counts for nothing.
    """

    SAMPLE = 1
    SLOW = 2
    DROP = 3
    ALL = 4
    FOLLOW = 5


COUNTERS: tuple[tuple[str, str], ...] = (
    ("seen", "packets that passed the filter"),
    ("complete", "read by the application"),
    ("merged", "folded into another packet by GRO or TCP"),
    ("dropped", "dropped by the kernel, with a reason"),
    ("forwarded", "sent on to another interface"),
    ("consumed", "used up by the kernel itself: ACKs, ICMP answered in the kernel"),
    ("evicted", "given up: another packet needed the place in the table"),
    ("expired", "given up: the end was never seen"),
    ("filtered", "packets the filter turned away"),
    ("unmatched", "ends without a beginning"),
    ("rejected_deltas", "negative or absurd intervals, not counted in a histogram"),
    ("ring_lost", "path records the ring buffer had no room for"),
    ("paths_held_back", "path records not sent because of the limit per CPU and second"),
    ("paths_sent", "path records sent"),
    ("probe_misses", "runs of a hook the kernel skipped because it was already running"),
    ("softirqs", "runs of NET_RX"),
    ("irq_overflow", "interrupts without a place of their own in the tables"),
    ("sent", "those of the packets seen that were on their way out"),
    ("segments", "further segments that skbs carried (GSO): packets on the wire beyond those seen"),
    ("drop_overflow", "drops without a place of their own in the table of drops"),
    ("retransmitted", "those of the packets sent whose bytes TCP had sent before"),
)
"""Every counter of a tick with its meaning. The first twelve are the accounting of DESIGN.md, less ``in_flight``."""

COUNTER_NAMES: tuple[str, ...] = tuple(name for name, _ in COUNTERS)

CPU_ROW = np.dtype(
    [
        ("cpu", "<u4"), ("packets", "<u8"), ("softirqs", "<u8"), ("softirq_ns", "<u8"), ("ksoftirqd", "<u8"),
        ("squeezed", "<u8"), ("backlog_dropped", "<u8"), ("irqs", "<u8"), ("sent", "<u8"),
    ]
)  # fmt: skip
"""Per CPU, deltas over the tick. ``packets`` counts packets of the filter, ``sent`` those of them on their way out;
``squeezed`` and ``backlog_dropped`` come from /proc/net/softnet_stat."""

IRQ_ROW = np.dtype([("irq", "<u4"), ("count", "<u8"), ("ambiguous", "<u8"), ("packets", "<u8")])
"""Per interrupt that raised NET_RX, deltas over the tick. ``ambiguous``: packets that may as well be another's."""


DROP_ROW = np.dtype(
    [("location", "<u8"), ("reason", "<u4"), ("direction", "u1"), ("point", "u1"), ("pad", "<u2"), ("count", "<u8")]
)
"""Per kind of drop, deltas over the tick: who dropped (an address), why, and the last point the packet had reached
(its index; ``NO_POINT`` where it was seen at none)."""

NO_POINT = 255


@dataclass(frozen=True, slots=True)
class IrqInfo:
    """What /proc and /sys say of an interrupt. ``name`` is hostile text."""

    irq: int
    name: str
    iface: str = ""
    cpus: str = ""  # affinity list as the kernel writes it: 0-3,8


@dataclass(frozen=True, slots=True)
class IfaceInfo:
    """An interface as seen at the time: name by (netns inode, ifindex). ``name`` is hostile text."""

    ifindex: int
    netns: int
    name: str


@dataclass(frozen=True, slots=True)
class IfaceSetup:
    """How an interface of the tracer's own namespace hands out what it receives. ``name`` is hostile text.

    ``rps``: the CPUs its receive queues are steered to, a hexadecimal mask, "" where that is not known; ``rx_usecs``:
    how long it may hold an interrupt back, ``None`` where the driver does not say.
    """

    ifindex: int
    name: str
    rps: str = ""
    rx_usecs: int | None = None
    adaptive: bool = False


@dataclass(frozen=True, slots=True)
class SelfCost:
    """What the tracer itself costs. ``None`` where it was not measured in this tick."""

    kernel_ns: int | None = None  # run time of all programs over the tick
    kernel_runs: int | None = None
    user_ns: int = 0  # CPU time of this process over the tick
    rss_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Hook:
    """The way a point is observed. ``kind``: ``raw_tracepoint``, ``fentry``, ``kprobe`` or ``none``."""

    direction: str
    point: str
    hook: str
    kind: str
    reason: str = ""  # why there is none, or what the hook cannot tell


@dataclass(frozen=True, slots=True)
class Origin:
    """Where ticks come from: the header of a recording, the identity of a live run."""

    host: str
    kernel: str
    boot_id: str
    machine: str
    started_ns: int  # UNIX time
    cpus: tuple[int, ...]  # CPUs traced
    clocksource: str
    hooks: tuple[Hook, ...]
    reasons: dict[int, str]  # skb_drop_reason names of this kernel
    filter: str = ""
    interval_ns: int = 1_000_000_000
    version: str = ""


Rows = npt.NDArray[np.void]


def _rows(dtype: np.dtype[Any]) -> Rows:
    rows = np.zeros(0, dtype=dtype)
    rows.flags.writeable = False
    return rows


@dataclass(frozen=True, slots=True)
class Tick:
    """One raw sample. Arrays have the types above; times are ns."""

    seq: int
    time_ns: int  # UNIX time at the end of the tick
    mono_ns: int  # CLOCK_MONOTONIC at the same moment
    duration_ns: int
    counters: dict[str, int] = field(default_factory=dict)  # deltas, by the names of COUNTERS
    in_flight: int = 0  # packets under way at the end of the tick
    cells: Rows = field(default_factory=lambda: _rows(CELL))
    sums: Rows = field(default_factory=lambda: _rows(SUM))
    paths: Rows = field(default_factory=lambda: _rows(PATH))
    cpus: Rows = field(default_factory=lambda: _rows(CPU_ROW))
    irqs: Rows = field(default_factory=lambda: _rows(IRQ_ROW))
    drops: Rows = field(default_factory=lambda: _rows(DROP_ROW))
    irq_info: tuple[IrqInfo, ...] = ()
    iface_info: tuple[IfaceInfo, ...] = ()
    iface_setup: tuple[IfaceSetup, ...] = ()
    symbols: tuple[tuple[int, str], ...] = ()  # names of the addresses that dropped packets: ip_rcv_core+0x1a
    self_cost: SelfCost = field(default_factory=SelfCost)
    filter: str = ""  # the filter in force in the kernel while the tick ran
    every: int = 1  # packets were counted in one time slice of so many; what was counted is as it was
    held_back: str = ""  # what was not measured to stay within the budget: "paths", "paths hooks"
    rest: bool = False  # nothing was attached: to stay within the budget only one tick in so many measures

    def __post_init__(self) -> None:
        for rows in (self.cells, self.sums, self.paths, self.cpus, self.irqs, self.drops):
            rows.flags.writeable = False
