"""A source made of arithmetic: no kernel, no clock, no chance. Ticks come when a test says so."""

from __future__ import annotations

import math
import queue
from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np

from netlat_tui.model.filter import Filter
from netlat_tui.model.histogram import bucket_of
from netlat_tui.model.points import DELAYS, GAUGE, TOTAL, Direction, IrqClass, Outcome, point, stage_id
from netlat_tui.model.ticks import (
    CELL,
    CPU_ROW,
    DROP_ROW,
    IRQ_ROW,
    PATH,
    SUM,
    IfaceInfo,
    IrqInfo,
    Origin,
    PathFlag,
    Rows,
    Scope,
    SelfCost,
    SoftirqVector,
    Tick,
)

STARTED_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
MONO_NS = 5_000_000_000_000
SECOND = 1_000_000_000
NETNS = 4026531840

WAY = (
    ("irq", "raise", 900), ("raise", "softirq", 2_200), ("softirq", "poll", 400), ("poll", "driver", 700),
    ("driver", "gro", 300), ("gro", "link", 650), ("link", "ip", 500), ("ip", "local", 450),
    ("local", "transport", 350), ("transport", "socket", 1_800), ("socket", "wakeup", 60_000),
    ("wakeup", "copy", 15_000), ("copy", "return", 1_200),
)  # fmt: skip
"""The stages of a packet's way and their medians in ns."""

WAY_OUT = (
    ("send", "tx_transport", 2_400), ("tx_transport", "ip_out", 900), ("ip_out", "device", 700),
    ("device", "qdisc_in", 250), ("qdisc_in", "qdisc_out", 140_000), ("qdisc_out", "xmit", 300),
    ("xmit", "complete", 9_000),
)  # fmt: skip
"""The stages of a packet's way out."""

LOCATION, SYMBOL = 0xFFFF_FFFF_81A0_001F, "udp_queue_rcv_one_skb+0x1f"
ELSEWHERE, ITS_SYMBOL = 0xFFFF_FFFF_C000_0123, "nft_do_chain+0x123 [nf_tables]"

HOSTILE = ("[ksoftirqd/0]", "[/x]", "[eth0]", "\x1b]0;x\x07")
"""Names somebody could give to a process or an interface; the longest a process can have is 15 bytes."""

ORIGIN = Origin(
    host="box", kernel="6.18.0", boot_id="b", machine="x86_64", started_ns=STARTED_NS, cpus=(0, 1, 2, 3),
    clocksource="tsc", hooks=(), reasons={6: "NO_SOCKET", 8: "NETFILTER_DROP"}, version="0",
)  # fmt: skip
HOSTILE_ORIGIN = replace(ORIGIN, reasons={6: "[/x]\x1b]0;x\x07", 8: "[eth0]"})

_GRID = [NormalDist().inv_cdf((index + 0.5) / 60) for index in range(60)]


def samples(median: float, spread: float = 0.5) -> list[int]:
    """Sixty durations around a median, the same every time."""
    return [int(median * math.exp(spread * z)) for z in _GRID]


def counted(scope: Scope, key: int, code: int, values: list[int]) -> tuple[Rows, Rows]:
    """The cells and the sum of a distribution."""
    buckets: dict[int, int] = {}
    for value in values:
        buckets[bucket_of(value)] = buckets.get(bucket_of(value), 0) + 1
    cells = np.array([(scope, key, code, bucket, count) for bucket, count in sorted(buckets.items())], dtype=CELL)
    sums = np.array([(scope, key, code, len(values), sum(values), min(values), max(values))], dtype=SUM)
    return cells, sums


def path(number: int, seq: int, comm: str = "nginx", scale: float = 1.0, outcome: Outcome = Outcome.COMPLETE) -> Rows:
    """One path: a TCP segment over IPv4, every seventh with a slow reader; a dropped one ends after ``local``."""
    row = np.zeros(1, dtype=PATH)
    entry = row[0]
    at, mask = 0, 1
    entry["cpu"][0] = number % 4
    for _, end, median in WAY:
        slow = 40 if end == "wakeup" and number % 7 == 0 else 1
        at += int(median * scale * (0.6 + 0.1 * (number % 9)) * slow)
        index = point(end).index
        if outcome is Outcome.DROPPED and end == "transport":
            index = point("drop").index
        entry["t_ns"][index], entry["cpu"][index] = at, number % 4 if end not in ("wakeup", "copy", "return") else 1
        mask |= 1 << index
        if outcome is Outcome.DROPPED and end == "transport":
            break
    entry["id"], entry["mask"] = seq * 1000 + number, mask
    entry["t0_ns"] = MONO_NS + seq * SECOND - (number + 1) * 10_000_000
    entry["saddr"][:4], entry["daddr"][:4] = (10, 0, 0, 1 + number % 3), (10, 0, 0, 9)
    entry["sport"], entry["dport"], entry["proto"], entry["family"] = 40_000 + number, 443, 6, 4
    entry["ifindex"], entry["netns"], entry["length"] = 2 + number % 2, NETNS, 1448
    entry["irq"], entry["irq_class"] = 41, IrqClass.AMBIGUOUS if number % 5 == 2 else IrqClass.IRQ
    entry["pid"] = entry["tid"] = 1200 + number % 3
    entry["comm"] = comm.encode()
    entry["outcome"], entry["softirq_cpu"] = outcome, number % 4
    if outcome is not Outcome.DROPPED and number % 7 == 0:
        entry["prev_pid"], entry["prev_comm"] = 812, b"hog" if comm == "nginx" else comm.encode()
    elif number == 3:
        entry["softirqs"] = 1 << SoftirqVector.TIMER | 1 << SoftirqVector.SCHED
        entry["softirq_comm"], entry["flags"] = b"swapper/3", PathFlag.KSOFTIRQD
    entry["reason"], entry["location"] = (6, LOCATION) if outcome is Outcome.DROPPED else (0, 0)
    return row


def path_out(number: int, seq: int, scale: float = 1.0) -> Rows:
    """One path out: a TCP segment of four packets on the wire; the uneven ones past the queueing discipline."""
    row = np.zeros(1, dtype=PATH)
    entry = row[0]
    at, mask, bypass = 0, 1, number % 2
    entry["cpu"][0] = number % 4
    for start, end, median in WAY_OUT:
        if bypass and "qdisc" in end:
            continue
        at += int(median * scale * (0.6 + 0.1 * (number % 9))) if not (bypass and "qdisc" in start) else 300
        index = point(end, Direction.TX).index
        entry["t_ns"][index], entry["cpu"][index] = at, number % 4
        mask |= 1 << index
    entry["direction"], entry["id"], entry["mask"] = Direction.TX, 1 << 32 | seq * 1000 + number, mask
    entry["t0_ns"] = MONO_NS + seq * SECOND - (number + 1) * 10_000_000 - 400_000
    entry["saddr"][:4], entry["daddr"][:4] = (10, 0, 0, 9), (10, 0, 0, 1 + number % 3)
    entry["sport"], entry["dport"], entry["proto"], entry["family"] = 443, 40_000 + number, 6, 4
    entry["ifindex"], entry["netns"], entry["length"] = 2 + number % 2, NETNS, 5_844
    entry["pid"] = entry["tid"] = 1200 + number % 3
    entry["comm"], entry["socket"], entry["seq"], entry["segs"], entry["queue"] = b"nginx", 77_123, 9_000 + number, 4, 3
    entry["flags"] = (PathFlag.BYPASS if bypass else 0) | (PathFlag.RETRANSMIT if number % 3 == 0 else 0)
    entry["outcome"], entry["softirq_cpu"] = Outcome.COMPLETE, number % 4
    return row


def paired(down: Rows, up: Rows) -> None:
    """Make two paths the halves of one."""
    down["peer"], up["peer"] = up["id"], down["id"]


def delay_of(start: str, end: str) -> int:
    """The median of all stages of the way up between two points."""
    keys = ["irq", *(end for _, end, _ in WAY)]
    return sum(median for _, stage_end, median in WAY[keys.index(start) : keys.index(end)] if stage_end)


def tick(
    seq: int,
    *,
    scale: float = 1.0,
    irqs: bool = True,
    hostile: bool = False,
    kernel_filter: str = "",
    sent: bool = False,
    blind: tuple[str, ...] = (),
) -> Tick:
    """The ``seq``-th tick (from 1) of a second; ``scale`` stretches every duration.

    ``sent``: packets go out as well, and some come in again. ``blind``: delays that were not counted.
    """
    rows = [
        counted(scope, key, stage_id(Direction.RX, point(start).index, point(end).index), samples(median * scale))
        for scope, key in ((Scope.CPU, 0), (Scope.CPU, 3), *(((Scope.IRQ, 41),) if irqs else ()))
        for start, end, median in WAY
    ]
    for cpu in (0, 3):
        rows.append(counted(Scope.CPU, cpu, GAUGE["softirq_wait"], samples(3_000 * scale * (1 + 40 * cpu))))
        rows.append(counted(Scope.CPU, cpu, GAUGE["softirq_run"], samples(20_000 * scale)))
        rows.append(counted(Scope.CPU, cpu, GAUGE["total"], samples(90_000 * scale, 0.8)))
        for delay in DELAYS:
            if delay.name not in blind:
                median = delay_of(delay.starts[0], delay.ends[0]) * scale
                rows.append(counted(Scope.CPU, cpu, delay.gauge, samples(median)))
        if sent:
            for start, end, median in WAY_OUT:
                ends = [point(key, Direction.TX).index for key in (start, end)]
                rows.append(counted(Scope.CPU, cpu, stage_id(Direction.TX, *ends), samples(median * scale)))
            rows.append(counted(Scope.CPU, cpu, TOTAL[Direction.TX], samples(150_000 * scale, 0.6)))
    if irqs:
        rows.append(counted(Scope.IRQ, 41, GAUGE["irq_handler"], samples(1_500 * scale)))
        rows.append(counted(Scope.IRQ, 41, GAUGE["irq_to_poll"], samples(6_000 * scale)))
    names = HOSTILE if hostile else ("nginx",)
    paths = [
        path(number, seq, names[number % len(names)], scale, Outcome.DROPPED if number == 5 else Outcome.COMPLETE)
        for number in range(12)
    ]
    if sent:
        out = [path_out(number, seq, scale) for number in range(6)]
        for down, up in zip(out, paths, strict=False):
            paired(down, up)
        paths += out
    both = 1 + sent
    kinds = [(LOCATION, 6, Direction.RX, point("local").index, 0, 1 + seq % 4)]
    if sent:
        kinds.append((ELSEWHERE, 8, Direction.TX, point("ip_out", Direction.TX).index, 0, 2))
    names_of = (HOSTILE[1], HOSTILE[3]) if hostile else (SYMBOL, ITS_SYMBOL)
    ifaces = ("[eth0]", "\x1b]0;x\x07") if hostile else ("eth0", "veth-a")
    return Tick(
        seq=seq,
        time_ns=STARTED_NS + seq * SECOND,
        mono_ns=MONO_NS + seq * SECOND,
        duration_ns=SECOND,
        counters={
            "seen": 120 * both,
            "complete": 120 * both - 2,
            "dropped": 1,
            "evicted": 1,
            "softirqs": 90,
            "paths_sent": 12,
            "sent": 120 * sent,
        },
        cells=np.concatenate([cells for cells, _ in rows]),
        sums=np.concatenate([sums for _, sums in rows]),
        paths=np.concatenate(paths),
        cpus=np.array(
            [
                (0, 60 * both, 45, 30_000_000, 0, 0, 0, 40, 60 * sent),
                (3, 60 * both, 45, 640_000_000, 3, 1, 0, 0, 60 * sent),
            ],
            dtype=CPU_ROW,
        ),
        irqs=np.array([(41, 80, 6, 120)] if irqs else [], dtype=IRQ_ROW),
        drops=np.array(kinds, dtype=DROP_ROW),
        symbols=tuple(zip((LOCATION, ELSEWHERE), names_of, strict=True)),
        irq_info=(IrqInfo(41, "[/x]" if hostile else "virtio1-input.0", ifaces[0], "0-3"),) if irqs else (),
        iface_info=tuple(IfaceInfo(2 + index, NETNS, name) for index, name in enumerate(ifaces)),
        self_cost=SelfCost(4_000_000, 3_000, 12_000_000, 60 << 20),
        filter=kernel_filter,
    )


def busy_tick(seq: int, scale: float = 1.0, *, slow: float = 1.0, **options: Any) -> Tick:
    """A tick of twenty times the packets, whose durations go up and down a little.

    ``slow`` stretches the wait for the reader alone.
    """
    made = tick(seq, scale=scale * (1 + 0.05 * (seq % 3)), **options)
    cells = made.cells.copy()
    cells["count"] *= 20
    waits = (
        stage_id(Direction.RX, point("socket").index, point("wakeup").index),
        GAUGE["to_read"],
        TOTAL[Direction.RX],
    )
    moved = np.isin(cells["dist"], waits)
    cells["bucket"][moved] += round(8 * math.log2(slow))
    sums = made.sums.copy()
    moved = np.isin(sums["dist"], waits)
    for name in ("sum_ns", "min_ns", "max_ns"):
        sums[name][moved] = (sums[name][moved] * slow).astype(np.uint64)
    return replace(made, cells=cells, sums=sums)


class StepSource:
    """Yields what ``push`` hands it; records what the screen asked for. ``fail`` ends it with an exception."""

    def __init__(self, *ticks: Tick, live: bool = True, origin: Origin = ORIGIN) -> None:
        self.live = live
        self.origin = origin
        self.filters: list[Filter] = []
        self.intervals: list[float] = []
        self.stopped = False
        self.closed = False
        self._queue: queue.SimpleQueue[Tick | Exception | None] = queue.SimpleQueue()
        for one in ticks:
            self.push(one)

    def push(self, one: Tick) -> None:
        self._queue.put(one)

    def fail(self, error: Exception) -> None:
        self._queue.put(error)

    def end(self) -> None:
        self._queue.put(None)

    def ticks(self) -> Iterator[Tick]:
        while (one := self._queue.get()) is not None and not self.stopped:
            if isinstance(one, Exception):
                raise one
            yield one

    def set_filter(self, new: Filter) -> None:
        self.filters.append(new)

    def set_interval(self, seconds: float) -> None:
        self.intervals.append(seconds)

    def stop(self) -> None:
        self.stopped = True
        self._queue.put(None)

    def close(self) -> None:
        self.closed = True
