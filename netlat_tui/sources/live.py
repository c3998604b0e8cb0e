"""The running kernel as a source of ticks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import numpy as np

from netlat_tui.bpf.btf import BtfError
from netlat_tui.bpf.compiled import BuildError
from netlat_tui.bpf.tracer import Sample, Tracer
from netlat_tui.model.filter import EVERYTHING, Filter
from netlat_tui.model.rows import joined
from netlat_tui.model.ticks import CELL, PATH, Origin, Rows, SelfCost, Tick
from netlat_tui.sources.alarm import Alarm
from netlat_tui.sources.base import SourceError
from netlat_tui.sources.budget import Budget
from netlat_tui.sources.offers import refusal
from netlat_tui.sources.sampling import Sampling
from netlat_tui.sources.surroundings import Surroundings

_LOOK_S = (0.05, 1.0)  # the ring is emptied this often, whatever the tick's length: each time costs a quarter of a ms
_FULL = 0.25  # and before the paths that may be sent up fill so much of it
_FIRST_S = 0.1  # the first tick is over sooner: who starts it waits for figures
_COST_EVERY = 5  # ticks: in one of so many the kernel times our programs


class LiveSource:
    """Ticks of the running kernel. Raises ``SourceError`` where it cannot be traced.

    ``ticks`` ends after ``stop`` with one last tick, so that nothing counted is lost.
    """

    live = True

    def __init__(
        self,
        *,
        filter: Filter = EVERYTHING,  # noqa: A002 - the word the user knows
        interval_s: float = 1.0,
        hooks: str = "auto",
        sampling: Sampling | None = None,
        budget: float | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """``budget``: share of all CPUs that tracing may cost, 0…1; ``None``: everything is measured.

        ``meanwhile``: done in a thread, which has ended afterwards, while the kernel checks the programs.
        """
        refused = refusal()
        if refused:
            raise SourceError(*refused)
        try:
            self._tracer = Tracer(program=filter.program, tier=hooks, meanwhile=meanwhile)
        except BuildError as error:
            raise SourceError(str(error), error.exit_code) from error
        except BtfError as error:
            raise SourceError(f"This kernel cannot be traced: {error}.", 4) from error
        except PermissionError as error:
            raise SourceError("The kernel refused a tracing call: run as root.", 3) from error
        self._surroundings = Surroundings()
        self._sampling = sampling or Sampling()
        self._budget = Budget(budget, os.cpu_count() or 1)
        self._effort = self._budget.effort
        self._resting = 0  # ticks still to come without hooks
        self._filter = filter
        self._next_filter: Filter | None = None
        self._interval_s = interval_s
        self._alarm = Alarm()
        self._stopped = self._closed = False
        self.origin: Origin = self._surroundings.origin(
            self._tracer.hooks, self._tracer.reasons, filter.text, round(interval_s * 1e9)
        )
        self._sample(np.zeros(0, dtype=CELL), 1)

    def set_filter(self, new: Filter) -> None:
        self._next_filter = new
        self._alarm.ring()

    def set_interval(self, seconds: float) -> None:
        self._interval_s = seconds
        self._alarm.ring()

    def stop(self) -> None:
        self._stopped = True  # no lock: this may run in a signal handler that interrupted its holder
        self._alarm.ring()

    def close(self) -> None:
        self._stopped = self._closed = True
        self._alarm.ring()
        self._surroundings.close()
        self._tracer.close()

    def ticks(self) -> Iterator[Tick]:
        seq = 0
        began = time.monotonic_ns()
        self._surroundings.begin()
        ended = False
        while not ended and not self._closed:
            self._tracer.watch_cost(seq % _COST_EVERY == 0 or self._budget.wants_measure)
            used = time.thread_time_ns()
            paths = self._wait(began, first=not seq)
            new, self._next_filter = self._next_filter, None
            resting = self._resting > 0
            ended = self._stopped  # it may be stopped while a tick is looked at: what came since is in one more
            if ended:
                self._tracer.detach()
            elif new is not None:
                self._tracer.set_program(new.program)
            paths.append(self._tracer.drain())
            sample = self._tracer.collect()
            now = time.monotonic_ns()
            tick = self._tick(seq, now, now - began, sample, joined(paths))
            used = time.thread_time_ns() - used
            yield tick
            if resting:
                self._resting -= 1
            else:
                self._adjust(tick, used)
                self._sample(sample.cells, now - began)
                self._resting = (1 << self._effort.rest) - 1
            if not ended and resting != (self._resting > 0):
                self._tracer.rest(self._resting > 0)
                now = time.monotonic_ns()  # what that took belongs to no tick
            if new is not None:
                self._filter = new
            seq, began = seq + 1, now

    def _adjust(self, tick: Tick, reader_ns: int) -> None:
        """Measure as much in the next tick as the budget allows, by what this one cost."""
        passed = (tick.counters["seen"] + tick.counters["filtered"]) * tick.every
        before = self._effort
        after = self._effort = self._budget.judge(tick.self_cost.kernel_ns, reader_ns, passed, tick.duration_ns)
        if self._stopped or self._closed or before == after:
            return
        self._sampling.frugal = not after.records
        if before.thin != after.thin:
            self._tracer.set_thin(after.thin)
        if before.optional != after.optional:
            self._tracer.set_optional(after.optional)

    def _sample(self, cells: Rows, duration_ns: int) -> None:
        """Set what paths the next tick sends up, by what this one counted."""
        received, sent, every, per_second = self._sampling.thresholds(cells, duration_ns)
        self._tracer.set_sampling((received, sent), every, per_second)
        least, most = _LOOK_S
        filled_s = self._tracer.room / (per_second * max(1, len(self.origin.cpus)))
        self._look_s = min(most, max(least, filled_s * _FULL))

    def _wait(self, began: int, first: bool) -> list[Rows]:
        """Empty the ring until the tick is over, a new filter came, or the source was stopped."""
        paths = []
        while not self._stopped and self._next_filter is None:
            left = min(self._interval_s, _FIRST_S if first else self._interval_s) - (time.monotonic_ns() - began) / 1e9
            if left <= 0:
                break
            self._alarm.wait(min(left, self._look_s))
            rows = self._tracer.drain()
            if len(rows):
                paths.append(rows)
        return paths

    def _tick(self, seq: int, now: int, duration: int, sample: Sample, paths: Rows) -> Tick:
        around = self._surroundings.look(paths, sample.cpus, sample.irqs, sample.drops)
        return Tick(
            seq=seq,
            time_ns=time.time_ns() - (time.monotonic_ns() - now),
            mono_ns=now,
            duration_ns=duration,
            counters=sample.counters,
            in_flight=sample.in_flight,
            cells=sample.cells,
            sums=sample.sums,
            paths=paths.astype(PATH, copy=False),
            cpus=around.cpus,
            irqs=sample.irqs,
            drops=sample.drops,
            irq_info=around.irq_info,
            iface_info=around.iface_info,
            iface_setup=around.iface_setup,
            symbols=around.symbols,
            self_cost=SelfCost(sample.kernel_ns, sample.kernel_runs, around.user_ns, around.rss_bytes),
            filter=self._filter.kernel_text,
            every=self._effort.every,
            held_back=self._effort.held_back,
            rest=self._resting > 0,
        )
