"""What changes on large machines: memory of the maps, time of a tick, packets that find no place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.figures import Figure, Result, Table, number
from benchmarks.maps import bytes_of, compiled_for, kernels_word
from benchmarks.options import Options
from benchmarks.places import evicted
from benchmarks.tick import BUSY_BUCKETS, BUSY_STAGES, tick_costs
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.compiled import Compiled
from netlat_tui.bpf.program import Sizes

CPUS = (2, 16, 64, 128)
IRQS = (64, 256)
IN_FLIGHT = (1_000, 4_000, 8_000, 16_000, 24_000, 32_000, 64_000, 100_000)
PACKETS_PER_MS = 10_000  # 10 million a second
_UNDER_WAY = 10_000


@contextmanager
def _cache() -> Iterator[None]:
    """What is compiled here must not take the place of what this machine starts with."""
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory(prefix="netlat-tui-bench-") as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["XDG_CACHE_HOME"]
            else:
                os.environ["XDG_CACHE_HOME"] = before


def _memory_rows(made: dict[int, Compiled]) -> tuple[tuple[str, ...], ...]:
    rows = []
    for entry in made[CPUS[0]].maps:
        sizes = [bytes_of(next(one for one in made[cpus].maps if one.name == entry.name).spec) for cpus in CPUS]
        said = kernels_word(entry.name, entry.spec)
        rows.append((sizes[-1], (entry.name, *(_kib(size) for size in sizes), _kib(said) if said else "–")))
    totals = [sum(bytes_of(entry.spec) for entry in made[cpus].maps) for cpus in CPUS]
    rows.sort(key=lambda row: -row[0])
    return (*(row for _, row in rows), ("all", *map(_kib, totals), "–"))


def _kib(size: int) -> str:
    return f"{size / 1024:,.0f}"


def run(options: Options) -> Result:
    btf = Btf.of_kernel()
    with _cache():
        made = {cpus: compiled_for(btf, Sizes(cpus=cpus)) for cpus in CPUS}
        large = Sizes(cpus=CPUS[-1], irq_slots=IRQS[-1])
        many = compiled_for(btf, large)
    memory = Table(
        "Memory of the maps, KiB, by the number of CPUs; at the right what the kernel itself says of two CPUs' "
        "(`memlock` in /proc/self/fdinfo):",
        ("map", *map(str, CPUS), "kernel"),
        _memory_rows(made),
        f"With room for {IRQS[-1]} interrupts instead of {IRQS[0]}, 128 CPUs' would be "
        f"{_kib(sum(bytes_of(entry.spec) for entry in many.maps))} KiB. Neither packets per second nor flows change "
        f"it.",
    )
    cases = [(made[cpus], Sizes(cpus=cpus), min(IRQS[0], 2 * cpus)) for cpus in CPUS] + [(many, large, IRQS[-1])]
    costs = [tick_costs(one, sizes, irqs, _UNDER_WAY, max(5, options.rounds)) for one, sizes, irqs in cases]
    steps = list(costs[0])
    rows = [
        (str(sizes.cpus), str(irqs), *(number(cost[step]) for step in steps), number(sum(cost.values())))
        for (_, sizes, irqs), cost in zip(cases, costs, strict=True)
    ]
    ticks = Table("CPU time of a tick, ms:", ("CPUs", "interrupts", *steps, "all"), tuple(rows))
    rng = np.random.default_rng(2)
    tables = (Sizes(1).flights, 4 * Sizes(1).flights)
    flights = Table(
        "Share of packets that cost another its place in the table, by how many are under way (simulated: the kernel "
        "side's hash and four places a bucket, the oldest gives way):",
        ("packets in flight", "at 10 million packets/s", *(f"table of {size:,}" for size in tables)),
        tuple(
            (
                f"{count:,}",
                f"{count / PACKETS_PER_MS:.1f} ms each",
                *(f"{100 * evicted(size, count, rng):.3g} %" for size in tables),
            )
            for count in IN_FLIGHT
        ),
    )
    at_128 = sum(bytes_of(entry.spec) for entry in made[CPUS[-1]].maps) / 1e6
    figures = (
        Figure("memory of the maps, 128 CPUs", at_128, "MB"),
        Figure("CPU of a core for a tick a second, 128 CPUs, 256 interrupts", sum(costs[-1].values()) / 10, "%"),
    )
    conditions = (
        "Simulated: memory as the kernel side compiles to, without the kernel; in each tick every CPU and every "
        f"interrupt counts in {BUSY_STAGES} stages of {BUSY_BUCKETS} buckets each; {_UNDER_WAY:,} packets under way."
    )
    return Result("Large machines", conditions, figures, (memory, ticks, flights))
