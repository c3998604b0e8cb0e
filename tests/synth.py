"""Synthetic ticks: self-consistent, the same for the same seed. For tests of what is made from ticks."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netlat_tui.model.histogram import bucket_of
from netlat_tui.model.points import DELAYS, GAUGE, TOTAL, Direction, IrqClass, Outcome, point, stage_id
from netlat_tui.model.ticks import (
    CELL,
    COUNTER_NAMES,
    CPU_ROW,
    DROP_ROW,
    IRQ_ROW,
    PATH,
    SUM,
    Hook,
    IfaceInfo,
    IrqInfo,
    Origin,
    PathCause,
    PathFlag,
    Rows,
    Scope,
    SelfCost,
    SoftirqVector,
    Tick,
)

START_NS = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
NETNS = 4026531840
DROP_REASON = 3
LOCATION, SYMBOL = 0xFFFF_FFFF_81A0_001A, "tcp_v4_rcv+0x1a"
"""Who drops packets here."""

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

WAY_OUT = ("send", "tx_transport", "ip_out", "device", "qdisc_in", "qdisc_out", "xmit", "complete")
_TYPICAL_OUT_NS = (3_000, 1_200, 900, 300, 8_000, 400, 15_000)


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
    row["id"], row["t0_ns"] = cpu << 48 | number + 1, t0_ns  # 0 is no id
    row["saddr"][0, :4], row["daddr"][0, :4] = (10, 0, 0, 2), (10, 0, 0, 1)
    row["sport"], row["dport"] = 40000 + number % 1000, rng.choice((80, 443, 5432))
    row["proto"], row["family"], row["length"] = 6, 4, 40 + rng.randrange(1400)
    row["ifindex"], row["netns"], row["softirq_cpu"] = 2, NETNS, cpu
    row["irq"], row["irq_class"] = 41, IrqClass.IRQ
    row["outcome"] = Outcome.DROPPED if dropped else Outcome.COMPLETE
    row["reason"], row["location"] = (DROP_REASON, LOCATION) if dropped else (0, 0)
    row["cause"] = PathCause.DROP if dropped else PathCause.ALL
    if not dropped:
        row["pid"] = row["tid"] = 1234
        row["comm"] = b"nginx"
    if not dropped and number % 4 == 0:  # its CPUs had other things to do
        row["softirqs"] = 1 << SoftirqVector.TIMER | 1 << SoftirqVector.SCHED
        row["softirq_pid"], row["softirq_comm"] = 0, b"swapper/1"
        row["prev_pid"], row["prev_comm"] = 812, b"hog"
    return row


def sent_row(rng: random.Random, number: int, t0_ns: int) -> Rows:
    """One TCP segment on its way out, over all points there are."""
    row = np.zeros(1, dtype=PATH)
    way = [point(key, Direction.TX).index for key in WAY_OUT]
    times = np.cumsum([0, *(max(1, int(t * rng.lognormvariate(0, 0.6))) for t in _TYPICAL_OUT_NS)])
    cpu = rng.randrange(2)
    row["t_ns"][0, way], row["cpu"][0, way] = times, cpu
    row["mask"] = sum(1 << index for index in way)
    row["direction"], row["id"], row["t0_ns"] = Direction.TX, cpu << 48 | 1 << 32 | number, t0_ns
    row["saddr"][0, :4], row["daddr"][0, :4] = (10, 0, 0, 1), (10, 0, 0, 2)
    row["sport"], row["dport"], row["proto"], row["family"], row["length"] = 443, 40000 + number % 1000, 6, 4, 5832
    row["ifindex"], row["netns"], row["softirq_cpu"], row["queue"] = 2, NETNS, cpu, 3
    row["pid"] = row["tid"] = 1234
    row["comm"], row["socket"], row["seq"], row["segs"] = b"nginx", 77123, 3_000_000_000, 4
    row["flags"], row["outcome"], row["cause"] = PathFlag.RETRANSMIT, Outcome.COMPLETE, PathCause.ALL
    return row


def delays_of(row: np.void) -> list[tuple[int, int]]:
    """(gauge, ns) of the delays a received path had, as ``DELAYS`` defines them."""
    found = []
    for delay in DELAYS:
        ends = [
            next((index for key in keys if row["mask"] >> (index := point(key).index) & 1), None)
            for keys in (delay.starts, delay.ends)
        ]
        if None not in ends:
            found.append((delay.gauge, int(row["t_ns"][ends[1]]) - int(row["t_ns"][ends[0]])))
    return found


def booked(rows: Rows, waits: Mapping[int, int] | None = None) -> tuple[Rows, Rows]:
    """Cells and sums as the kernel side counts these paths: by CPU, and by interrupt.

    ``waits``: how long NET_RX waited on a CPU, in ns; 4 µs on the others.
    """
    samples: dict[tuple[int, int, int], list[int]] = {}
    for row in rows:
        indexes = [i for i in range(16) if row["mask"] >> i & 1]
        times = [int(row["t_ns"][i]) for i in indexes]
        direction = Direction(int(row["direction"]))
        regions = [(Scope.CPU, int(row["softirq_cpu"])), (Scope.IRQ, int(row["irq"]))]
        counted = [
            (stage_id(direction, a, b), later - earlier)
            for a, b, earlier, later in zip(indexes, indexes[1:], times, times[1:], strict=False)
        ]
        by_cpu = delays_of(row) if direction is Direction.RX else []
        if row["outcome"] == Outcome.COMPLETE:
            counted.append((TOTAL[direction], times[-1]))
        if direction is Direction.TX:
            regions.pop()
        wait_ns = (waits or {}).get(int(row["softirq_cpu"]), 4_000)
        extra: dict[Scope, list[tuple[int, int]]] = {
            Scope.CPU: [*by_cpu, (GAUGE["softirq_wait"], wait_ns), (GAUGE["softirq_run"], 20_000)],
            Scope.IRQ: [(GAUGE["irq_handler"], 1_800), (GAUGE["irq_to_poll"], 6_000)],
        }
        for scope, key in regions:
            for dist, ns in counted + extra[scope]:
                samples.setdefault((scope, key, dist), []).append(ns)
    cells, sums = [], []
    for where, values in sorted(samples.items()):
        buckets, counts = np.unique([bucket_of(v) for v in values], return_counts=True)
        cells += [(*where, b, c) for b, c in zip(buckets, counts, strict=True)]
        sums.append((*where, len(values), sum(values), min(values), max(values)))
    return np.array(cells, dtype=CELL), np.array(sums, dtype=SUM)


def make_tick(seq: int, paths: int = 20, seed: int = 1, drops: int = 1, sent: int = 0) -> Tick:
    """One second in which ``paths`` packets were read, ``drops`` dropped and ``sent`` sent; of each there is a record.

    The n-th that was sent and the n-th that was read are one packet, over a cable to itself.
    """
    rng = random.Random(seed * 1_000_003 + seq)
    mono = (1000 + seq) * SECOND
    rows = np.concatenate(
        [np.zeros(0, dtype=PATH)]
        + [
            path_row(rng, seq * 1000 + i, mono - SECOND + i * (SECOND // (paths + drops + 1)), dropped=i >= paths)
            for i in range(paths + drops)
        ]
    )
    if sent:
        out = np.concatenate([sent_row(rng, seq * 1000 + i, mono - SECOND + i * 1_000_000) for i in range(sent)])
        pairs = min(sent, paths)
        out["peer"][:pairs], rows["peer"][:pairs] = rows["id"][:pairs], out["id"][:pairs]
        rows = np.concatenate([rows, out])
    cells, sums = booked(rows)
    cpus = np.zeros(2, dtype=CPU_ROW)
    cpus["cpu"] = (0, 1)
    cpus["packets"] = [(rows["softirq_cpu"] == cpu).sum() for cpu in (0, 1)]
    cpus["sent"] = [((rows["softirq_cpu"] == cpu) & (rows["direction"] == Direction.TX)).sum() for cpu in (0, 1)]
    cpus["softirqs"], cpus["softirq_ns"] = cpus["packets"], cpus["packets"] * 20_000
    irqs = np.zeros(1, dtype=IRQ_ROW)
    irqs["irq"], irqs["count"], irqs["packets"] = 41, paths + drops, paths + drops
    kinds = np.zeros(1 if drops else 0, dtype=DROP_ROW)
    kinds["location"], kinds["reason"], kinds["point"], kinds["count"] = (
        LOCATION,
        DROP_REASON,
        point("link").index,
        drops,
    )
    counters = dict.fromkeys(COUNTER_NAMES, 0) | {
        "seen": paths + drops + sent,
        "complete": paths + sent,
        "dropped": drops,
        "sent": sent,
        "paths_sent": paths + drops + sent,
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
        drops=kinds,
        symbols=((LOCATION, SYMBOL),) if drops else (),
        irq_info=(IrqInfo(41, "virtio0-input.0", "eth0", "0-1"),),
        iface_info=(IfaceInfo(1, NETNS, "lo"), IfaceInfo(2, NETNS, "eth0")),
        self_cost=SelfCost(100_000 * (paths + drops), 20 * (paths + drops), 10_000_000, 80 << 20),
    )


def make_ticks(count: int, paths: int = 20, seed: int = 1, drops: int = 1, sent: int = 0) -> list[Tick]:
    return [make_tick(seq, paths, seed, drops, sent) for seq in range(count)]


def hostile(tick: Tick, text: str) -> Tick:
    """The tick with this text wherever someone else chooses names."""
    paths = tick.paths.copy()
    paths["comm"] = text.encode()[:15]
    paths["prev_comm"] = np.where(paths["prev_pid"] > 0, text.encode()[:15], b"")
    return replace(
        tick,
        paths=paths,
        irq_info=(IrqInfo(41, text, text, "0"),),
        iface_info=(IfaceInfo(2, NETNS, text),),
        symbols=((LOCATION, text),),
    )
