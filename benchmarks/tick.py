"""CPU time of a tick on a machine with many CPUs and interrupts, over memory laid out as its maps would be."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from benchmarks.figures import median
from benchmarks.load import Unavailable
from benchmarks.maps import bytes_of
from netlat_tui.bpf.build import LoadedMap
from netlat_tui.bpf.compiled import Compiled
from netlat_tui.bpf.constants import FlightState
from netlat_tui.bpf.distributions import Distributions
from netlat_tui.bpf.mapped import MappedArray
from netlat_tui.bpf.program import WAYS, Sizes
from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.points import N_DISTRIBUTIONS
from netlat_tui.model.ticks import COUNTER_NAMES, CPU_ROW, IRQ_ROW, Rows, Tick
from tests.synth import ORIGIN

BUSY_STAGES, BUSY_BUCKETS = 16, 24
"""What a region's packets fill in a tick: so many stages and gauges, so many buckets in each. The bundled recording's
fill 13 and 15."""


@contextmanager
def _memory(made: Compiled, name: str) -> Iterator[LoadedMap]:
    """A map's memory without the map."""
    entry = next(one for one in made.maps if one.name == name)
    fd = os.memfd_create(name)
    try:
        os.ftruncate(fd, bytes_of(entry.spec) + os.sysconf("SC_PAGESIZE"))
        yield LoadedMap(fd, entry)
    finally:
        os.close(fd)


def _fill(rows: Any, regions: Sequence[int], stages: npt.NDArray[np.int64], rng: np.random.Generator) -> None:
    """A second's packets in these regions: other buckets of the same stages."""
    at = (np.array(regions)[:, None] * N_DISTRIBUTIONS + stages[None, :]).ravel()
    first = rng.integers(20, 120, len(at))
    for step in range(BUSY_BUCKETS):
        rows["bucket"][at, first + step] += rng.integers(1, 1000, len(at)).astype(np.uint32)
    rows["sum_ns"][at] += rng.integers(1 << 20, 1 << 30, len(at)).astype(np.uint64)
    rows["max_ns"][at], rows["min_inv"][at] = 1 << 30, ~np.uint64(500)


def tick_costs(made: Compiled, sizes: Sizes, irqs: int, flights: int, ticks: int) -> dict[str, float]:
    """ms of CPU time by step, medians of so many ticks, over memory that is filled as by traffic on every CPU."""
    rng = np.random.default_rng(1)
    spent: dict[str, list[float]] = {}

    @contextmanager
    def clock(step: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        spent.setdefault(step, []).append((time.thread_time() - began) * 1e3)

    history = History(replace(ORIGIN, cpus=tuple(range(sizes.cpus))))
    regions = [*range(sizes.cpus), *range(sizes.cpus, sizes.cpus + min(irqs, sizes.irq_slots))]
    stages = rng.choice(N_DISTRIBUTIONS, BUSY_STAGES, replace=False)
    numbers = np.arange(sizes.irq_slots, dtype=np.uint32) + 32
    with _memory(made, "dists") as dists, _memory(made, "flights") as table, _memory(made, "tags") as names:
        distributions, flying, tags = Distributions(dists, sizes), MappedArray(table), MappedArray(names)
        chosen = rng.choice(sizes.flights, min(flights, sizes.flights), replace=False)
        flying.rows["state"][chosen] = FlightState.LINKED
        tags.rows["key"][chosen // WAYS, chosen % WAYS] = chosen + 1
        flying.rows["last_ns"][chosen] = time.monotonic_ns()
        tracer = cast(Any, SimpleNamespace(_flights=flying, _tags=tags, _sweep=1))
        tracer._taken = lambda: Tracer._taken(tracer)
        for seq in range(history.trend_length + ticks):
            _fill(distributions._mapped.rows, regions, stages, rng)
            with clock("Distributions.collect"):
                cells, sums = distributions.collect(numbers)
            try:
                with clock("Tracer: in flight"):
                    Tracer._under_way(tracer)
                with clock("Tracer: what to give up"):
                    Tracer._give_up(tracer)
            except AttributeError as error:
                raise Unavailable(f"the tracer counts its flights in another way now: {error}") from error
            tick = _tick(seq, sizes.cpus, irqs, cells, sums)
            with clock("History.add"):
                history.add(tick)
            if seq < history.trend_length:  # until the trends are full
                continue
            with clock("snapshot"):
                history.snapshot(10_000_000_000, EVERYTHING, None)
        distributions.close()
        flying.close()
        tags.close()
    return {step: median(values) or 0.0 for step, values in spent.items()}


def _tick(seq: int, cpus: int, irqs: int, cells: Rows, sums: Rows) -> Tick:
    rows = np.zeros(cpus, dtype=CPU_ROW)
    rows["cpu"], rows["packets"] = np.arange(cpus), 1000
    interrupts = np.zeros(irqs, dtype=IRQ_ROW)
    interrupts["irq"], interrupts["count"] = np.arange(irqs) + 32, 1000
    return Tick(
        seq=seq,
        time_ns=ORIGIN.started_ns + seq * 1_000_000_000,
        mono_ns=seq * 1_000_000_000,
        duration_ns=1_000_000_000,
        counters=dict.fromkeys(COUNTER_NAMES, 0),
        cells=cells,
        sums=sums,
        cpus=rows,
        irqs=interrupts,
    )
