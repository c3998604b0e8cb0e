"""From ticks to snapshots: a history of what came in, and views of it by window, filter and direction."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from netlat_tui.model.aggregate import EVERYWHERE, Aggregate, Region
from netlat_tui.model.filter import Filter, Names
from netlat_tui.model.paths import Path, decode
from netlat_tui.model.points import GAUGE, N_STAGES, STAGES, Direction
from netlat_tui.model.retained import Retained
from netlat_tui.model.snapshot import (
    Accounting,
    CpuRow,
    IrqRow,
    SelfView,
    Snapshot,
    StageRow,
    Trend,
)
from netlat_tui.model.ticks import CPU_ROW, IRQ_ROW, IfaceInfo, IrqInfo, Origin, Rows, Scope, Tick

_ACCOUNTED = tuple(name for name in Accounting.__dataclass_fields__ if name != "in_flight")


class _Past:
    """A tick's place in the trends: its length, and samples and p99 by code."""

    __slots__ = ("cpus", "duration_ns", "irqs", "summaries")

    def __init__(self, tick: Tick) -> None:
        self.duration_ns = max(tick.duration_ns, 1)
        cells, sums = _with_totals(tick.cells), _with_totals(tick.sums)
        self.summaries = Aggregate.of([(cells, sums)]).summaries()
        self.cpus = {int(row["cpu"]): int(row["packets"]) for row in tick.cpus}
        self.irqs = {int(row["irq"]): int(row["count"]) for row in tick.irqs}


def _with_totals(rows: Rows) -> Rows:
    """The rows, and those of CPUs once more under one scope for all."""
    everywhere = rows[rows["scope"] == Scope.CPU].copy()
    everywhere["scope"], everywhere["key"] = EVERYWHERE, 0
    return np.concatenate([rows, everywhere])


class History:
    """Ticks of one run. Not thread-safe: one thread adds and derives; what it hands out never changes.

    Kept are the ticks of the last ``keep_ns`` (for windows), sums over the whole run, ``max_paths`` recent and 1,000
    slowest paths; older ticks and paths are let go.
    """

    def __init__(
        self,
        origin: Origin,
        trend_length: int = 60,
        keep_ns: int = 300_000_000_000,
        max_paths: int = 20_000,
        shown_paths: int = 200,
    ) -> None:
        self.origin = origin
        self.trend_length = trend_length
        self._keep_ns = keep_ns
        self._max_paths = max_paths
        self._shown = shown_paths
        self._irq_info: dict[int, IrqInfo] = {}
        self._ifaces: dict[tuple[int, int], IfaceInfo] = {}
        self._in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; names stay."""
        self._ticks: deque[Tick] = deque()
        self._past: deque[_Past] = deque(maxlen=self.trend_length)
        self._all = Aggregate()
        self._all_cpus = np.zeros(0, dtype=CPU_ROW)
        self._all_irqs = np.zeros(0, dtype=IRQ_ROW)
        # What is under way will be counted at its end, so it counts as seen: the books stay closed.
        self._counters = dict.fromkeys(_ACCOUNTED, 0) | {"seen": self._in_flight}
        self._all_ticks = 0
        self._all_ns = 0
        self._paths = Retained(self._max_paths, keep_ns=self._keep_ns)

    def add(self, tick: Tick) -> None:
        """Take a tick in; ticks come in order."""
        self._ticks.append(tick)
        while self._ticks[0].mono_ns <= tick.mono_ns - self._keep_ns:
            self._ticks.popleft()
        self._past.append(_Past(tick))
        self._all.add(tick.cells, tick.sums)
        self._all_cpus = _sum_rows([self._all_cpus, tick.cpus], CPU_ROW, "cpu")
        self._all_irqs = _sum_rows([self._all_irqs, tick.irqs], IRQ_ROW, "irq")
        for name in _ACCOUNTED:
            self._counters[name] += tick.counters.get(name, 0)
        self._all_ticks += 1
        self._all_ns += tick.duration_ns
        self._in_flight = tick.in_flight
        self._irq_info.update((info.irq, info) for info in tick.irq_info)
        self._ifaces.update(((info.netns, info.ifindex), info) for info in tick.iface_info)
        self._paths.add(tick.mono_ns, tick.paths)

    @property
    def names(self) -> Names:
        return Names({key: info.name for key, info in self._ifaces.items()}, self.origin.reasons)

    def _window(self, window_ns: int | None) -> list[Tick]:
        if not self._ticks:
            return []
        if window_ns is None:
            return list(self._ticks)
        newest = self._ticks[-1]
        # A tick belongs to the window if more than half of it lies within; the newest always does.
        chosen = [t for t in self._ticks if t.mono_ns - t.duration_ns // 2 > newest.mono_ns - window_ns]
        return chosen or [newest]

    def snapshot(self, window_ns: int | None, flt: Filter, direction: Direction | None) -> Snapshot:
        """The view of the last ``window_ns`` (``None``: since the start or the last reset).

        What was counted is what the kernel's part of the filter let through at the time; ``flt`` selects paths.
        """
        ticks = self._window(window_ns)
        if window_ns is None:
            aggregate, cpus, irqs = self._all, self._all_cpus, self._all_irqs
            duration, count = self._all_ns, self._all_ticks
        else:
            aggregate = Aggregate.of((tick.cells, tick.sums) for tick in ticks)
            cpus = _sum_rows([tick.cpus for tick in ticks], CPU_ROW, "cpu")
            irqs = _sum_rows([tick.irqs for tick in ticks], IRQ_ROW, "irq")
            duration, count = sum(tick.duration_ns for tick in ticks), len(ticks)
        seconds = max(duration, 1) / 1e9
        newest = ticks[-1] if ticks else None
        since = None if window_ns is None or newest is None else newest.mono_ns - duration
        chosen = self._paths.since(since)
        matching = chosen[flt.matches(chosen, self.names)] if len(chosen) else chosen
        if direction is not None:
            matching = matching[matching["direction"] == direction]
        latest, slowest = Retained.order(matching, self._shown)
        cpu_regions = [Region(Scope.CPU, cpu) for cpu in self._cpu_numbers(cpus)]
        # A recording was counted with the filter of its time: another one only selects paths.
        counted_with = newest.filter if newest else flt.kernel_text
        return Snapshot(
            time_ns=newest.time_ns if newest else self.origin.started_ns,
            mono_ns=newest.mono_ns if newest else 0,
            window_ns=duration,
            ticks=count,
            direction=direction,
            filter=flt.text,
            kernel_filter=counted_with,
            user_filter=flt.user_text if counted_with == flt.kernel_text else flt.text,
            packet_rate=float(cpus["packets"].sum()) / seconds,
            stages=self._stages(aggregate, cpu_regions, Region(EVERYWHERE, 0), seconds, direction),
            total=aggregate.distribution([region.code(GAUGE["total"]) for region in cpu_regions]),
            cpus=tuple(self._cpu(aggregate, region, cpus, seconds, direction) for region in cpu_regions),
            irqs=tuple(self._irq(aggregate, irq, irqs, seconds, direction) for irq in self._irq_numbers(irqs)),
            latest=latest,
            slowest=slowest,
            paths_in_window=len(chosen),
            accounting=Accounting(in_flight=self._in_flight, **self._counters),
            self_view=_self_view(ticks, max(len(self.origin.cpus), 1)),
            hooks=self.origin.hooks,
            reasons=self.origin.reasons,
            ifaces=tuple(self._ifaces.values()),
        )

    def _cpu_numbers(self, rows: Rows) -> list[int]:
        return sorted({*self.origin.cpus, *(int(row["cpu"]) for row in rows if row["packets"])})

    def _irq_numbers(self, rows: Rows) -> list[int]:
        return sorted({*self._irq_info, *(int(irq) for irq in rows["irq"])})

    def _stages(
        self,
        aggregate: Aggregate,
        regions: Sequence[Region],
        trend: Region,
        seconds: float,
        direction: Direction | None,
    ) -> tuple[StageRow, ...]:
        """Rows of the stages counted in these regions, in the order of the way."""
        wanted = {region.code(0) for region in regions}
        counted = {int(code) & 0xFFFF for code in aggregate.codes if int(code) & ~0xFFFF in wanted}
        rows, time_ns = [], dict.fromkeys(Direction, 0)
        for dist in counted:
            if dist >= N_STAGES or direction not in (None, STAGES[dist].direction):
                continue
            values = aggregate.distribution([region.code(dist) for region in regions])
            if values.count:
                rows.append((STAGES[dist], values))
                time_ns[STAGES[dist].direction] += values.sum_ns
        rows.sort(key=lambda row: (row[0].direction, row[0].layer_key, row[0].start.index, row[0].end.index))
        return tuple(
            StageRow(
                stage,
                values.count / seconds,
                values.sum_ns / time_ns[stage.direction] if time_ns[stage.direction] else 0.0,
                values,
                self._trend(trend.code(stage.id)),
            )
            for stage, values in rows
        )

    def _trend(self, code: int) -> Trend:
        found = [(past, past.summaries.get(code)) for past in self._past]
        return Trend(
            tuple(summary[0] * 1e9 / past.duration_ns if summary else 0.0 for past, summary in found),
            tuple(summary[1] if summary else None for _, summary in found),
        )

    def _cpu(
        self, aggregate: Aggregate, region: Region, rows: Rows, seconds: float, direction: Direction | None
    ) -> CpuRow:
        mine = rows[rows["cpu"] == region.key]
        row = mine[0] if len(mine) else np.zeros(1, dtype=CPU_ROW)[0]
        rates = tuple(past.cpus.get(region.key, 0) * 1e9 / past.duration_ns for past in self._past)
        return CpuRow(
            cpu=region.key,
            packets=int(row["packets"]),
            packet_rate=int(row["packets"]) / seconds,
            softirqs=int(row["softirqs"]),
            softirq_share=int(row["softirq_ns"]) / (seconds * 1e9),
            ksoftirqd=int(row["ksoftirqd"]),
            squeezed=int(row["squeezed"]),
            backlog_dropped=int(row["backlog_dropped"]),
            softirq_wait=aggregate.distribution([region.code(GAUGE["softirq_wait"])]),
            softirq_run=aggregate.distribution([region.code(GAUGE["softirq_run"])]),
            stages=self._stages(aggregate, [region], region, seconds, direction),
            trend=Trend(rates, self._trend(region.code(GAUGE["softirq_wait"])).p99_ns),
        )

    def _irq(self, aggregate: Aggregate, irq: int, rows: Rows, seconds: float, direction: Direction | None) -> IrqRow:
        region = Region(Scope.IRQ, irq)
        mine = rows[rows["irq"] == irq]
        row = mine[0] if len(mine) else np.zeros(1, dtype=IRQ_ROW)[0]
        rates = tuple(past.irqs.get(irq, 0) * 1e9 / past.duration_ns for past in self._past)
        return IrqRow(
            irq=irq,
            info=self._irq_info.get(irq, IrqInfo(irq, "")),
            count=int(row["count"]),
            rate=int(row["count"]) / seconds,
            packets=int(row["packets"]),
            ambiguous=int(row["ambiguous"]),
            handler=aggregate.distribution([region.code(GAUGE["irq_handler"])]),
            irq_to_poll=aggregate.distribution([region.code(GAUGE["irq_to_poll"])]),
            stages=self._stages(aggregate, [region], region, seconds, direction),
            trend=Trend(rates, self._trend(region.code(GAUGE["irq_to_poll"])).p99_ns),
        )


def _sum_rows(parts: Iterable[Rows], dtype: np.dtype[np.void], key: str) -> Rows:
    """Rows with the same key added up."""
    rows = np.concatenate([np.zeros(0, dtype=dtype), *parts])
    keys, inverse = np.unique(rows[key], return_inverse=True)
    result: Rows = np.zeros(len(keys), dtype=dtype)
    result[key] = keys
    for name in dtype.names or ():
        if name != key:
            column = np.zeros(len(keys), dtype=dtype[name])
            np.add.at(column, inverse, rows[name])
            result[name] = column
    return result


def _self_view(ticks: Sequence[Tick], cpus: int) -> SelfView:
    """The tracer's cost over these ticks; the kernel's part over those in which it was measured."""
    if not ticks:
        return SelfView()
    duration = max(sum(tick.duration_ns for tick in ticks), 1)
    user = sum(tick.self_cost.user_ns for tick in ticks) / duration
    rss = ticks[-1].self_cost.rss_bytes
    measured = [(tick, tick.self_cost.kernel_ns) for tick in ticks if tick.self_cost.kernel_ns is not None]
    if not measured:
        return SelfView(user_cpu_share=user, rss_bytes=rss)
    kernel_ns = sum(ns for _, ns in measured)
    packets = sum(tick.counters.get("seen", 0) + tick.counters.get("filtered", 0) for tick, _ in measured)
    measured_ns = max(sum(tick.duration_ns for tick, _ in measured), 1)
    return SelfView(kernel_ns / packets if packets else None, kernel_ns / (measured_ns * cpus), user, rss)


def decode_rows(snapshot: Snapshot, rows: Rows) -> list[Path]:
    """``PATH`` rows of a snapshot as paths, with its names, reasons and clock."""
    ifaces = {(info.netns, info.ifindex): info.name for info in snapshot.ifaces}
    offset = snapshot.time_ns - snapshot.mono_ns
    return [decode(row, offset, ifaces, snapshot.reasons) for row in rows]
