"""What files say of a baseline: when it was, and what changed since."""

from __future__ import annotations

from typing import Any

from netlat_tui.export import values
from netlat_tui.export.compare import row_record, table
from netlat_tui.model.codes import Region
from netlat_tui.model.noise import Change
from netlat_tui.model.points import GAUGE
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import Scope

Record = dict[str, Any]


def records(snapshot: Snapshot) -> list[Record]:
    """Every interval in the baseline (a) and the window (b), as ``netlat-tui compare`` has them."""
    return [row_record(row) for row in snapshot.against.compared()] if snapshot.against is not None else []


def lines(snapshot: Snapshot) -> list[str]:
    """The same for people."""
    if snapshot.against is None:
        return []
    then = snapshot.against.baseline.snapshot
    head = f"AGAINST THE BASELINE of {values.iso(then.time_ns)}, {then.window_ns / 1e9:.1f} s (A: baseline, B: now)"
    if snapshot.against.unlike:
        return [head, f"not compared: {printable(snapshot.against.unlike)}"]
    return [head, *(line.rstrip() for line in table(snapshot.against.compared(), 80))]


def changes(snapshot: Snapshot, keys: list[tuple[Region | None, int]]) -> list[Record]:
    """Fields that tables have of the p99 of each of these; empty ones where there is no baseline."""
    if snapshot.against is None:
        return [{}] * len(keys)
    return [_fields(change, "_ns", 0) for change in snapshot.against.p99s(keys)]


def of_layers(snapshot: Snapshot) -> list[Record]:
    """Of each delay, then of each stage."""
    dists = [row.delay.gauge for row in snapshot.delays] + [row.stage.id for row in snapshot.stages]
    return changes(snapshot, [(None, dist) for dist in dists])


def of_cpus(snapshot: Snapshot) -> list[Record]:
    """Of each CPU's raise→softirq."""
    return changes(snapshot, [(Region(Scope.CPU, row.cpu), GAUGE["softirq_wait"]) for row in snapshot.cpus])


def of_irqs(snapshot: Snapshot) -> list[Record]:
    """Of each interrupt's irq→poll."""
    return changes(snapshot, [(Region(Scope.IRQ, row.irq), GAUGE["irq_to_poll"]) for row in snapshot.irqs])


def of_drops(snapshot: Snapshot) -> list[Record]:
    """Of the rate of each kind of drop."""
    against = snapshot.against
    return [_fields(against.drops(row), "", 3) if against is not None else {} for row in snapshot.drops]


def _fields(change: Change, unit: str, digits: int) -> Record:
    before = None if change.before is None else round(change.before, digits) if digits else round(change.before)
    return {
        f"baseline{unit}": before,
        "change_pct": values.percent(change.share),
        "change": change.verdict.value,
    }
