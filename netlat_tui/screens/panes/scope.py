"""The tables one level down: the stages of a CPU or an interrupt, and where a stage's packets were taken."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.codes import Region
from netlat_tui.model.noise import Change
from netlat_tui.model.points import GAUGE, GAUGE_BY_KEY
from netlat_tui.model.snapshot import CpuRow, DelayRow, IrqRow, Snapshot, StageRow, Taken, TotalRow
from netlat_tui.model.text import quantity
from netlat_tui.model.ticks import Scope as Counted
from netlat_tui.screens.panes import whole
from netlat_tui.screens.panes.base import Measured, change_column, changed, latency, plain_latency
from netlat_tui.screens.panes.layers import changes_of, measured_row, stage_rows
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.distribution import Marks
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role

Scope = CpuRow | IrqRow
Interval = StageRow | DelayRow | TotalRow

WHERE_COLUMNS: tuple[Column, ...] = (
    Column("where", "TAKEN BY", 14, 34, right=False, help="the CPU or the interrupt the packets came by"),
    Column(
        "rate",
        "/s",
        5,
        drop=3,
        help="packets per second of this stage there; normally spread over those that RSS or RPS uses",
    ),
    Column("p50", "p50", 6, drop=4, help="half of the packets were faster; normally much the same in every row"),
    Column("p99", "p99", 6, banded=True, help="99 of 100 packets were faster; normally much the same in every row"),
    change_column("p99", 5),
    Column("max", "max", 6, drop=2, help="the slowest packet of the window; normally a single one, many times p99"),
    Column(
        "trend", "p99", 10, 60, drop=1, gap=2, help="p99 tick by tick; one scale for all rows, from zero; normally flat"
    ),
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


def region_of(scope: Scope) -> Region:
    if isinstance(scope, CpuRow):
        return Region(Counted.CPU, scope.cpu)
    return Region(Counted.IRQ, scope.irq)


def baseline_marks(snapshot: Snapshot | None, item: StageRow | Measured, scope: Scope | None = None) -> Marks:
    """The baseline's p50 and p99 of an interval, over everything or of a scope; nothing where there is no baseline."""
    if snapshot is None or snapshot.against is None:
        return ()
    dist = item.stage.id if isinstance(item, StageRow) else _GAUGES.get(item.key, whole.DISTRIBUTION.get(item.key))
    region = region_of(scope) if scope is not None else None
    return snapshot.against.before((region, dist)) if dist is not None else ()


def scope_keys(scope: Scope) -> list[tuple[Region | None, int]]:
    """Region and distribution of each row."""
    dists = [*(_GAUGES[item.key] for item in measured(scope)), *(row.stage.id for row in scope.stages)]
    return [(region_of(scope), dist) for dist in dists]


def scope_rows(scope: Scope, snapshot: Snapshot, glyphs: Glyphs) -> Sequence[Row]:
    """What is measured of the CPU or the interrupt itself, then the stages of its packets."""
    changes = changes_of(snapshot, [dist for _, dist in scope_keys(scope)], region_of(scope))
    own = [measured_row(item, snapshot.window_ns, glyphs, changes.get(_GAUGES[item.key])) for item in measured(scope)]
    return [*own, *stage_rows(scope.stages, glyphs, changes)]


_GAUGES = {
    "wait": GAUGE["softirq_wait"], "run": GAUGE["softirq_run"],
    "handler": GAUGE["irq_handler"], "poll": GAUGE["irq_to_poll"],
}  # fmt: skip
"""The distributions of what is measured of a scope itself, by key."""


def measured(scope: Scope) -> tuple[Measured, ...]:
    if isinstance(scope, CpuRow):
        return (
            Measured("wait", "softirq wait", GAUGE_BY_KEY["softirq_wait"].sentence, scope.softirq_wait),
            Measured("run", "softirq run", GAUGE_BY_KEY["softirq_run"].sentence, scope.softirq_run),
        )
    return (
        Measured("handler", "handler", GAUGE_BY_KEY["irq_handler"].sentence, scope.handler),
        Measured("poll", "irq→poll", GAUGE_BY_KEY["irq_to_poll"].sentence, scope.irq_to_poll),
    )


def where_rows(snapshot: Snapshot, item: StageRow | Measured, glyphs: Glyphs) -> Sequence[Row]:
    """The CPUs and interrupts that a stage's packets came by; delays and whole paths are counted by CPU only."""
    dist = item.stage.id if isinstance(item, StageRow) else whole.distribution_of(item.key)
    taken = () if dist is None else snapshot.taken(dist)
    rows: list[Row] = []
    changes = _changes(snapshot, [one.scope for one in taken], dist)
    for title, kind in (("by CPU", CpuRow), ("by interrupt", IrqRow)):
        found = [one for one in taken if isinstance(one.scope, kind)]
        if found:
            rows.append(Row(title, (Cell(title, Role.GROUP),), heading=True))
            rows.extend(_where(one, glyphs, changes.get(region_of(one.scope))) for one in found)
    return rows


def in_scope(scope: Scope, item: StageRow | Measured) -> Interval | None:
    """The same interval of one CPU or interrupt, ``None`` where nothing of it was counted there."""
    if isinstance(item, StageRow):
        return next((row for row in scope.stages if row.stage.id == item.stage.id), None)
    found = whole.row_of(scope, item.key) if isinstance(scope, CpuRow) else None
    return found if found is not None and found.values.count else None


def _changes(snapshot: Snapshot, scopes: Sequence[Scope], dist: int | None) -> dict[Region, Change]:
    """How the p99 of a distribution changed on each of these."""
    if snapshot.against is None or dist is None:
        return {}
    regions = [region_of(scope) for scope in scopes]
    return dict(zip(regions, snapshot.against.p99s([(region, dist) for region in regions]), strict=True))


def changes_by_scope(snapshot: Snapshot, scopes: Sequence[Scope], gauge: str) -> list[Change | None]:
    """How the p99 of a gauge changed on each of these; ``None`` where there is no baseline."""
    found = _changes(snapshot, scopes, GAUGE[gauge])
    return [found.get(region_of(scope)) for scope in scopes]


def _where(row: Taken, glyphs: Glyphs, change: Change | None) -> Row:
    name = scope_name(row.scope, glyphs)
    cells = (
        Cell(f" {name}", sort=name),
        Cell(quantity(row.rate, row.values.estimated), sort=row.rate),
        plain_latency(row.values.p50_ns, glyphs),
        latency(row.values.p99_ns, glyphs),
        changed(change, glyphs),
        plain_latency(row.values.max_ns, glyphs),
        Cell(trend=row.trend.p99_ns),
    )
    return Row(name, cells, row.scope)
