"""The tables one level down: the stages of a CPU or an interrupt, and where a stage's packets were taken."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.snapshot import CpuRow, DelayRow, IrqRow, Snapshot, StageRow, Taken, TotalRow
from netlat_tui.model.text import quantity
from netlat_tui.screens.panes import whole
from netlat_tui.screens.panes.base import Measured, latency, plain_latency
from netlat_tui.screens.panes.layers import measured_row, stage_rows
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role

Scope = CpuRow | IrqRow
Interval = StageRow | DelayRow | TotalRow

WHERE_COLUMNS: tuple[Column, ...] = (
    Column("where", "TAKEN BY", 14, 34, right=False, help="the CPU or the interrupt the packets came by"),
    Column("rate", "/s", 5, drop=3, help="packets per second of this stage there"),
    Column("p50", "p50", 6, drop=4, help="half of the packets were faster"),
    Column("p99", "p99", 6, banded=True, help="99 of 100 packets were faster"),
    Column("max", "max", 6, drop=2, help="the slowest packet of the window"),
    Column("trend", "p99", 10, 60, drop=1, gap=2, help="p99 tick by tick; one scale for all rows, from zero"),
)


def scope_name(scope: Scope, glyphs: Glyphs) -> str:
    if isinstance(scope, CpuRow):
        return f"cpu{scope.cpu}"
    return glyphs.text(f"irq {scope.irq} {scope.info.name}".rstrip())


def find_scope(snapshot: Snapshot, like: Scope) -> Scope | None:
    """The same CPU or interrupt in another snapshot."""
    if isinstance(like, CpuRow):
        return next((row for row in snapshot.cpus if row.cpu == like.cpu), None)
    return next((row for row in snapshot.irqs if row.irq == like.irq), None)


def scope_rows(scope: Scope, window_ns: int, glyphs: Glyphs) -> Sequence[Row]:
    """What is measured of the CPU or the interrupt itself, then the stages of its packets."""
    return [*(measured_row(item, window_ns, glyphs) for item in measured(scope)), *stage_rows(scope.stages, glyphs)]


def measured(scope: Scope) -> tuple[Measured, ...]:
    if isinstance(scope, CpuRow):
        return (
            Measured("wait", "softirq wait", "raise to softirq of every NET_RX run on this CPU", scope.softirq_wait),
            Measured("run", "softirq run", "how long each NET_RX run on this CPU took", scope.softirq_run),
        )
    return (
        Measured("handler", "handler", "how long the hard interrupt's handler took", scope.handler),
        Measured("poll", "irq→poll", "from the interrupt to the first poll it caused", scope.irq_to_poll),
    )


def where_rows(snapshot: Snapshot, item: StageRow | Measured, glyphs: Glyphs) -> Sequence[Row]:
    """The CPUs and interrupts that a stage's packets came by; delays and whole paths are counted by CPU only."""
    dist = item.stage.id if isinstance(item, StageRow) else whole.distribution_of(item.key)
    taken = () if dist is None else snapshot.taken(dist)
    rows: list[Row] = []
    for title, kind in (("by CPU", CpuRow), ("by interrupt", IrqRow)):
        found = [one for one in taken if isinstance(one.scope, kind)]
        if found:
            rows.append(Row(title, (Cell(title, Role.GROUP),), heading=True))
            rows.extend(_where(one, glyphs) for one in found)
    return rows


def in_scope(scope: Scope, item: StageRow | Measured) -> Interval | None:
    """The same interval of one CPU or interrupt, ``None`` where nothing of it was counted there."""
    if isinstance(item, StageRow):
        return next((row for row in scope.stages if row.stage.id == item.stage.id), None)
    found = whole.row_of(scope, item.key) if isinstance(scope, CpuRow) else None
    return found if found is not None and found.values.count else None


def _where(row: Taken, glyphs: Glyphs) -> Row:
    name = scope_name(row.scope, glyphs)
    cells = (
        Cell(f" {name}", sort=name),
        Cell(quantity(row.rate, row.values.estimated), sort=row.rate),
        plain_latency(row.values.p50_ns, glyphs),
        latency(row.values.p99_ns, glyphs),
        plain_latency(row.values.max_ns, glyphs),
        Cell(trend=row.trend.p99_ns),
    )
    return Row(name, cells, row.scope)
