"""Synthetic ticks: self-consistent, the same for the same seed. For tests of what is made from ticks."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from netlat_tui.model.histogram import bucket_of
from netlat_tui.model.points import GAUGE, Direction, IrqClass, Outcome, point, stage_id
from netlat_tui.model.ticks import (
    CELL,
    COUNTER_NAMES,
    CPU_ROW,
    IRQ_ROW,
    PATH,
    SUM,
    Hook,
    IfaceInfo,
    IrqInfo,
    Origin,
    PathCause,
    Rows,
    Scope,
    SelfCost,
    Tick,
)

START_NS = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
NETNS = 4026531840
DROP_REASON = 3

ORIGIN = Origin(
    host="testhost",
    kernel="6.18.0-test",
    boot_id="00000000-0000-0000-0000-000000000000",
    machine="x86_64",
    started_ns=START_NS,
    cpus=(0, 1),
    clocksource="tsc",
    hooks=(Hook("rx", "link", "netif_receive_skb", "raw_tracepoint"), Hook("rx", "ip", "", "none", "no tracepoint")),
    reasons={2: "NOT_SPECIFIED", DROP_REASON: "NO_SOCKET"},
    version="0.0",
)

WAY = ("irq", "raise", "softirq", "poll", "gro", "link", "transport", "socket", "wakeup", "copy", "return")
_TYPICAL_NS = (900, 4_000, 700, 3_000, 1_500, 2_500, 1_200, 30_000, 5_000, 2_000)


def path_row(rng: random.Random, number: int, t0_ns: int, dropped: bool = False) -> Rows:
    """One path over all points the tracepoints see; dropped after the link layer if asked."""
    row = np.zeros(1, dtype=PATH)
    way = [point(key).index for key in (WAY[:6] if dropped else WAY)]
    times = np.cumsum([0, *(max(1, int(t * rng.lognormvariate(0, 0.6))) for t in _TYPICAL_NS)])[: len(way)]
    cpu = rng.randrange(2)
    if dropped:
        way.append(point("drop").index)
        times = np.append(times, times[-1] + 5_000)
    row["t_ns"][0, way] = times
    row["cpu"][0, way] = cpu
    row["mask"] = sum(1 << index for index in way)
    row["id"], row["t0_ns"] = cpu << 48 | number, t0_ns
    row["saddr"][0, :4], row["daddr"][0, :4] = (10, 0, 0, 2), (10, 0, 0, 1)
    row["sport"], row["dport"] = 40000 + number % 1000, rng.choice((80, 443, 5432))
    row["proto"], row["family"], row["length"] = 6, 4, 40 + rng.randrange(1400)
    row["ifindex"], row["netns"], row["softirq_cpu"] = 2, NETNS, cpu
    row["irq"], row["irq_class"] = 41, IrqClass.IRQ
    row["outcome"] = Outcome.DROPPED if dropped else Outcome.COMPLETE
    row["reason"] = DROP_REASON if dropped else 0
    row["cause"] = PathCause.DROP if dropped else PathCause.ALL
    if not dropped:
        row["pid"] = row["tid"] = 1234
        row["comm"] = b"nginx"
    return row


def _booked(rows: Rows) -> tuple[Rows, Rows]:
    """Cells and sums as the kernel side counts these paths: by CPU, and by interrupt."""
    samples: dict[tuple[int, int, int], list[int]] = {}
    for row in rows:
        indexes = [i for i in range(16) if row["mask"] >> i & 1]
        times = [int(row["t_ns"][i]) for i in indexes]
        regions = ((Scope.CPU, int(row["softirq_cpu"])), (Scope.IRQ, int(row["irq"])))
        booked = [
            (stage_id(Direction.RX, a, b), later - earlier)
            for a, b, earlier, later in zip(indexes, indexes[1:], times, times[1:], strict=False)
        ]
        if row["outcome"] == Outcome.COMPLETE:
            booked.append((GAUGE["total"], times[-1]))
        extra = {
            Scope.CPU: [(GAUGE["softirq_wait"], 4_000), (GAUGE["softirq_run"], 20_000)],
            Scope.IRQ: [(GAUGE["irq_handler"], 1_800), (GAUGE["irq_to_poll"], 6_000)],
        }
        for scope, key in regions:
            for dist, ns in booked + extra[scope]:
                samples.setdefault((scope, key, dist), []).append(ns)
    cells, sums = [], []
    for (scope, key, dist), values in sorted(samples.items()):
        buckets, counts = np.unique([bucket_of(v) for v in values], return_counts=True)
        cells += [(scope, key, dist, b, c) for b, c in zip(buckets, counts, strict=True)]
        sums.append((scope, key, dist, len(values), sum(values), min(values), max(values)))
    return np.array(cells, dtype=CELL), np.array(sums, dtype=SUM)


def make_tick(seq: int, paths: int = 20, seed: int = 1, drops: int = 1) -> Tick:
    """One second in which ``paths`` packets were read and ``drops`` dropped; each sent its record."""
    rng = random.Random(seed * 1_000_003 + seq)
    mono = (1000 + seq) * SECOND
    rows = np.concatenate(
        [np.zeros(0, dtype=PATH)]
        + [
            path_row(rng, seq * 1000 + i, mono - SECOND + i * (SECOND // (paths + drops + 1)), dropped=i >= paths)
            for i in range(paths + drops)
        ]
    )
    cells, sums = _booked(rows)
    cpus = np.zeros(2, dtype=CPU_ROW)
    cpus["cpu"] = (0, 1)
    cpus["packets"] = [(rows["softirq_cpu"] == cpu).sum() for cpu in (0, 1)]
    cpus["softirqs"], cpus["softirq_ns"] = cpus["packets"], cpus["packets"] * 20_000
    irqs = np.zeros(1, dtype=IRQ_ROW)
    irqs["irq"], irqs["count"], irqs["packets"] = 41, len(rows), len(rows)
    counters = dict.fromkeys(COUNTER_NAMES, 0) | {
        "seen": paths + drops,
        "complete": paths,
        "dropped": drops,
        "paths_sent": paths + drops,
        "softirqs": int(cpus["softirqs"].sum()),
    }
    return Tick(
        seq=seq,
        time_ns=START_NS + (seq + 1) * SECOND,
        mono_ns=mono,
        duration_ns=SECOND,
        counters=counters,
        cells=cells,
        sums=sums,
        paths=rows,
        cpus=cpus,
        irqs=irqs,
        irq_info=(IrqInfo(41, "virtio0-input.0", "eth0", "0-1"),),
        iface_info=(IfaceInfo(1, NETNS, "lo"), IfaceInfo(2, NETNS, "eth0")),
        self_cost=SelfCost(100_000 * (paths + drops), 20 * (paths + drops), 10_000_000, 80 << 20),
    )


def make_ticks(count: int, paths: int = 20, seed: int = 1, drops: int = 1) -> list[Tick]:
    return [make_tick(seq, paths, seed, drops) for seq in range(count)]


def hostile(tick: Tick, text: str) -> Tick:
    """The tick with this text wherever someone else chooses names."""
    paths = tick.paths.copy()
    paths["comm"] = text.encode()[:15]
    return replace(
        tick,
        paths=paths,
        irq_info=(IrqInfo(41, text, text, "0"),),
        iface_info=(IfaceInfo(2, NETNS, text),),
    )
