"""Tasks that had the CPU while packets waited for it: a softirq that was due there, or a reader that was woken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import median

from netlat_tui.model.findings.facts import Facts, listed, process, ranked
from netlat_tui.model.findings.finding import Figure, Finding, Severity, Unit, View
from netlat_tui.model.findings.limits import LEAST_RECORDS, LONG_WAIT_NS, WAIT_NS
from netlat_tui.model.gaps import Gap, gaps_of
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction
from netlat_tui.model.rows import chosen
from netlat_tui.model.text import duration, quantity

_FOR = {"softirq": "softirqs", "wakeup": "readers that were woken"}


def noisy(facts: Facts) -> Iterator[Finding]:
    """Who had a CPU during long waits of several recorded packets, as the kernel's scheduler said at the time."""
    found: dict[tuple[int, str], list[tuple[Gap, Path]]] = defaultdict(list)
    rows = [
        *facts.ending_at(Direction.RX, "raise", "softirq"),
        *facts.ending_at(Direction.RX, "irq", "softirq"),
        *facts.ending_at(Direction.RX, "socket", "wakeup"),
    ]
    late = [facts.slow_in(row).rows for row in rows if (row.values.p99_ns or 0) >= WAIT_NS]
    # The idle task, of number 0, kept nobody waiting: mostly it was that one.
    told = [chosen(some, (some["prev_pid"] != 0) | (some["softirq_pid"] != 0)) for some in late]
    for path in {path.id: path for some in told for path in facts.decoded(some)}.values():
        for gap in gaps_of(path):
            task = gap.task
            if task is None or task.is_idle or gap.stage.duration_ns < WAIT_NS or task.name == process(path):
                continue
            found[gap.stage.cpu, task.name].append((gap, path))
    for (cpu, name), waits in found.items():
        if len(waits) < LEAST_RECORDS:
            continue
        took = [gap.stage.duration_ns for gap, _ in waits]
        kept = [_FOR[key] for key in _FOR if any(gap.stage.stage.end.key == key for gap, _ in waits)]
        readers = ranked((process(path), gap.stage.duration_ns) for gap, path in waits)
        longest = max(waits, key=lambda wait: wait[0].stage.duration_ns)
        yield Finding(
            "noisy-neighbour",
            Severity.HOT if median(took) >= LONG_WAIT_NS else Severity.WARM,
            name,
            f"{name} had cpu{cpu} while {quantity(len(waits))} recorded packets waited there for "
            f"{listed(kept)}: {duration(median(took))} at the median, {duration(max(took))} at most",
            (
                Figure("recorded packets", len(waits)),
                Figure("wait, median", median(took), Unit.NS),
                Figure("wait, max", max(took), Unit.NS),
                Figure("CPU", f"cpu{cpu}", Unit.TEXT),
                Figure("readers", listed(readers) or None, Unit.TEXT),
            ),
            View.PATH,
            longest[1].id,
            (f"Its priority and where it may run: chrt -p, taskset -p; perf sched timehist -C {cpu}",),
            sum(took),
            longest[1],
        )
