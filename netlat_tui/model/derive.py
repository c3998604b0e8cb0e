"""From ticks to snapshots: a history of what came in, and views of it by window, filter and direction."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from netlat_tui.model import drops, flows
from netlat_tui.model.aggregate import Aggregate, Window
from netlat_tui.model.codes import EVERYWHERE, Index, Region
from netlat_tui.model.counted import Counted
from netlat_tui.model.distributions import nothing
from netlat_tui.model.estimates import scaled
from netlat_tui.model.filter import Filter, Names
from netlat_tui.model.gaps import between
from netlat_tui.model.heats import Heats, Held
from netlat_tui.model.intervals import Intervals
from netlat_tui.model.later import Later
from netlat_tui.model.paths import Path, decode
from netlat_tui.model.points import Direction
from netlat_tui.model.retained import Retained
from netlat_tui.model.rows import added_up, chosen
from netlat_tui.model.scopes import cpu_rows, irq_rows, packets_of, taken
from netlat_tui.model.snapshot import Accounting, SelfView, Snapshot
from netlat_tui.model.spread import Spread
from netlat_tui.model.ticks import (
    CELL,
    CPU_ROW,
    DROP_ROW,
    IRQ_ROW,
    PATH,
    SUM,
    IfaceInfo,
    IfaceSetup,
    IrqInfo,
    Origin,
    Rows,
    Scope,
    Tick,
)
from netlat_tui.model.took import paths_in
from netlat_tui.model.trends import Trends

_NO_CELLS, _NO_SUMS, _NO_PATHS = (np.zeros(0, dtype=kind) for kind in (CELL, SUM, PATH))
_ACCOUNTED = tuple(name for name in Accounting.__dataclass_fields__ if name != "in_flight")


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
        self._setups: dict[int, IfaceSetup] = {}
        self._symbols: dict[int, str] = {}
        self._in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; names stay."""
        self._ticks: deque[Held] = deque()
        self._index = Index()
        self._trends = Trends(self._index, self.trend_length)
        self._heats = Heats(self._index)
        self._all, self._window = Aggregate(self._index), Window(self._index)
        self._all_cpus = np.zeros(0, dtype=CPU_ROW)
        self._all_irqs = np.zeros(0, dtype=IRQ_ROW)
        self._all_drops = np.zeros(0, dtype=DROP_ROW)
        # What is under way will be counted at its end, so it counts as seen: the books stay closed.
        self._counters = dict.fromkeys(_ACCOUNTED, 0) | {"seen": self._in_flight}
        self._all_ticks = 0
        self._all_every = 1
        self._all_measured_ns = 0
        self._all_dropped = self._all_retransmitted = 0
        self._all_ns = 0
        self._paths = Retained(self._max_paths, keep_ns=self._keep_ns)

    def add(self, tick: Tick) -> None:
        """Take a tick in; ticks come in order."""
        for name in _ACCOUNTED:  # of the packets that were followed: nothing is estimated in the books
            self._counters[name] += tick.counters.get(name, 0)
        tick = scaled(tick)
        counted = Counted.of(self._index, tick.cells, tick.sums)
        self._ticks.append(Held(replace(tick, cells=_NO_CELLS, sums=_NO_SUMS, paths=_NO_PATHS), counted))
        while self._ticks[0].tick.mono_ns <= tick.mono_ns - self._keep_ns:
            self._ticks.popleft()
        if not tick.rest:
            self._trends.add(tick, counted)
        self._all.add(counted)
        self._all_cpus = added_up([self._all_cpus, tick.cpus], CPU_ROW, "cpu")
        self._all_irqs = added_up([self._all_irqs, tick.irqs], IRQ_ROW, "irq")
        self._all_drops = drops.add_up([self._all_drops, tick.drops])
        self._all_every = max(self._all_every, tick.every)
        self._all_measured_ns += 0 if tick.rest else tick.duration_ns
        self._all_dropped += tick.counters.get("dropped", 0)
        self._all_retransmitted += tick.counters.get("retransmitted", 0)
        self._all_ticks += 1
        self._all_ns += tick.duration_ns
        self._in_flight = tick.in_flight
        self._irq_info.update((info.irq, info) for info in tick.irq_info)
        self._ifaces.update(((info.netns, info.ifindex), info) for info in tick.iface_info)
        self._setups.update((setup.ifindex, setup) for setup in tick.iface_setup)
        self._symbols.update(tick.symbols)
        self._paths.add(tick.mono_ns, tick.paths)

    @property
    def names(self) -> Names:
        return Names({key: info.name for key, info in self._ifaces.items()}, self.origin.reasons)

    def _held(self, window_ns: int | None) -> list[Held]:
        if not self._ticks:
            return []
        if window_ns is None:
            return list(self._ticks)
        newest = self._ticks[-1]
        # A tick belongs to the window if more than half of it lies within; the newest always does.
        since = newest.tick.mono_ns - window_ns
        inside = [held for held in self._ticks if held.tick.mono_ns - held.tick.duration_ns // 2 > since]
        inside = inside or [newest]
        if all(held.tick.rest for held in inside):  # what was measured last is better than nothing
            inside = [*[held for held in reversed(self._ticks) if not held.tick.rest][:1], *inside]
        return inside

    def _newest_of(self, held: Sequence[Held]) -> int:
        """How many of the newest ticks these are: one from before a rest may be among them."""
        return len(held) if not held or held[0] is self._ticks[-len(held)] else len(held) - 1

    def snapshot(self, window_ns: int | None, flt: Filter, direction: Direction | None) -> Snapshot:
        """The view of the last ``window_ns`` (``None``: since the start or the last reset).

        What was counted is what the kernel's part of the filter let through at the time; ``flt`` selects paths.
        """
        held = self._held(window_ns)
        ticks = [one.tick for one in held]
        if window_ns is None:
            sums, cpus, irqs, dropped = self._all.sums(), self._all_cpus, self._all_irqs, self._all_drops
            duration, count, ends, every = self._all_ns, self._all_ticks, self._all_dropped, self._all_every
            measured, again = self._all_measured_ns, self._all_retransmitted
        else:
            sums = self._window.sums([one.counted for one in held])
            cpus = added_up([tick.cpus for tick in ticks], CPU_ROW, "cpu")
            irqs = added_up([tick.irqs for tick in ticks], IRQ_ROW, "irq")
            dropped = drops.add_up(tick.drops for tick in ticks)
            duration, count = sum(tick.duration_ns for tick in ticks), len(ticks)
            ends = sum(tick.counters.get("dropped", 0) for tick in ticks)
            again = sum(tick.counters.get("retransmitted", 0) for tick in ticks)
            every = max((tick.every for tick in ticks), default=1)
            measured = sum(tick.duration_ns for tick in ticks if not tick.rest)
        seconds = max(measured, 1) / 1e9
        if measured:
            every = round(every * duration / measured)
        newest = ticks[-1] if ticks else None
        since = None if window_ns is None or newest is None else newest.mono_ns - duration
        paths = self._paths.since(since)
        wanted = flt.matches(paths, self.names) if len(paths) else np.zeros(0, dtype=np.bool_)
        if direction is not None:
            wanted = wanted & (paths["direction"] == direction)
        matching = paths if wanted.all() else chosen(paths, wanted)
        latest, slowest = Retained.order(matching, self._shown)
        past = self._trends.view()
        kinds = drops.rows_of(
            dropped if direction is None else dropped[dropped["direction"] == direction],
            past.drops,
            matching,
            seconds,
            self.origin.reasons,
            self._symbols,
        )
        if every > 1:
            kinds = tuple(replace(kind, estimated=True) for kind in kinds)
        peers = np.concatenate([latest["peer"], slowest["peer"], *(kind.paths["peer"] for kind in kinds)])
        numbers = self._cpu_numbers(cpus)
        regions = [Region(Scope.CPU, cpu) for cpu in numbers]
        # A recording was counted with the filter of its time: another one only selects paths.
        counted_with = newest.filter if newest else flt.kernel_text
        everywhere = Region(EVERYWHERE, 0)
        made = Intervals(sums, past, self.origin.hooks, seconds, direction, every > 1)
        stages = made.stages(regions, everywhere)
        seen = {row.direction for row in stages}
        totals = made.totals(regions, everywhere, seen)
        by_cpu, by_irq = cpu_rows(made, numbers, cpus), irq_rows(made, self._irq_numbers(irqs), irqs, self._irq_info)
        return Snapshot(
            time_ns=newest.time_ns if newest else self.origin.started_ns,
            mono_ns=newest.mono_ns if newest else 0,
            window_ns=duration,
            ticks=count,
            direction=direction,
            filter=flt.text,
            kernel_filter=counted_with,
            user_filter=flt.user_text if counted_with == flt.kernel_text else flt.text,
            packet_rate=packets_of(cpus, direction) / seconds,
            stages=stages,
            delays=made.delays(regions, everywhere, stages),
            totals=totals,
            total=totals[0].values if totals else nothing(),
            cpus=by_cpu,
            irqs=by_irq,
            drops=kinds,
            drops_of_no_kind=max(0, ends - int(dropped["count"].sum())),
            latest=latest,
            slowest=slowest,
            peers=self._paths.of_ids(peers),
            paths_in_window=len(paths),
            accounting=Accounting(in_flight=self._in_flight, **self._counters),
            self_view=_self_view(ticks, max(len(self.origin.cpus), 1)),
            hooks=self.origin.hooks,
            later_flows=Later(self._flows(since, ticks, flt, direction)),
            taken=partial(taken, made, (*by_cpu, *by_irq)),
            under_way=between(self._paths.batches),
            spread=self._spread(held, tuple(numbers), every),
            heat=partial(self._heats.of, tuple(self._ticks), self._all_ticks, self._newest_of(held)),
            paths_in=partial(paths_in, self._paths.parts(), flt=flt, names=self.names, direction=direction),
            reasons=self.origin.reasons,
            ifaces=tuple(self._ifaces.values()),
            symbols=dict(self._symbols),
            every=every,
            retransmitted=again,
            setups=tuple(self._setups.values()),
            held_back=newest.held_back if newest else "",
        )

    def _spread(self, held: Sequence[Held], cpus: tuple[int, ...], every: int) -> Spread:
        measured = [one for one in held if not one.tick.rest]
        seconds = tuple(one.tick.duration_ns / 1e9 for one in measured)
        return Spread(self._index, cpus, tuple(one.counted for one in measured), seconds, every)

    def _flows(
        self, since: int | None, ticks: Sequence[Tick], flt: Filter, direction: Direction | None
    ) -> Callable[[], flows.Flows]:
        """Makes the flows of what is here now, whenever it is asked."""
        batches, whole_since = self._paths.whole(since)
        covered = [tick for tick in ticks if tick.mono_ns > whole_since]
        return partial(flows.derive, batches, covered, flt, self.names, direction, self.trend_length)

    def _cpu_numbers(self, rows: Rows) -> list[int]:
        return sorted({*self.origin.cpus, *rows["cpu"][rows["packets"] > 0].tolist()})

    def _irq_numbers(self, rows: Rows) -> list[int]:
        return sorted({*self._irq_info, *rows["irq"].tolist()})


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
    return [decode(row, offset, ifaces, snapshot.reasons, snapshot.symbols) for row in rows]


def peer_of(snapshot: Snapshot, path: Path) -> Path | None:
    """The path this one names as its other half, ``None`` where it names none or the snapshot has it not."""
    if not path.peer:
        return None
    found = snapshot.peers[snapshot.peers["id"] == np.uint64(int(path.peer, 16))]
    return next(iter(decode_rows(snapshot, found[:1])), None)
