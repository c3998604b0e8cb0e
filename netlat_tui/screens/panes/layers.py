"""Layers: every stage that was counted, grouped by the layer it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import Snapshot, StageRow
from netlat_tui.model.text import percent, quantity
from netlat_tui.screens.panes.base import Measured, Pane, latency, nothing_seen, plain_latency
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role

COLUMNS: tuple[Column, ...] = (
    Column("stage", "STAGE", 17, 30, right=False, help="from one point a packet was seen at to the next, by layer"),
    Column("rate", "/s", 5, drop=3, help="packets per second that passed this stage"),
    Column("p50", "p50", 6, drop=5, help="half of the packets were faster"),
    Column("p99", "p99", 6, banded=True, help="99 of 100 packets were faster"),
    Column("max", "max", 6, drop=2, help="the slowest packet of the window"),
    Column("share", "share", 5, drop=4, help="the stage's part of the time of all stages of its direction"),
    Column("trend", "p99", 10, 60, drop=1, help="p99 tick by tick; one scale for all rows, from zero"),
)

TOTAL = "total"
TOTAL_SUMMARY = "from the first to the last point of every path that ended at its reader"


def stage_rows(stages: Sequence[StageRow], glyphs: Glyphs) -> list[Row]:
    """Rows for stages, with a heading for every layer."""
    rows: list[Row] = []
    both = len({row.direction for row in stages}) > 1
    for (direction, layer), members in groupby(stages, key=lambda row: (row.direction, row.stage.layer)):
        group = list(members)
        rows.append(_heading(direction, layer, group, both, glyphs))
        rows.extend(_stage(row, glyphs) for row in group)
    return rows


def _heading(direction: Direction, layer: str, group: Sequence[StageRow], both: bool, glyphs: Glyphs) -> Row:
    title = glyphs.text(f"{direction.label} {layer}" if both else layer)
    cells = [Cell()] * len(COLUMNS)
    cells[0] = Cell(title, Role.GROUP)
    cells[5] = Cell(percent(sum(row.share for row in group)), Role.GROUP)
    return Row(("layer", direction, layer), tuple(cells), heading=True)


def _stage(row: StageRow, glyphs: Glyphs) -> Row:
    name = row.stage.ascii_name if glyphs.ascii_only else row.stage.name
    values = row.values
    cells = (
        Cell(" " + name, sort=name),
        Cell(quantity(row.rate), sort=row.rate),
        plain_latency(values.p50_ns, glyphs),
        latency(values.p99_ns, glyphs),
        plain_latency(values.max_ns, glyphs),
        Cell(percent(row.share), sort=row.share),
        Cell(trend=row.trend.p99_ns),
    )
    return Row(row.stage.id, cells, row)


def measured_row(measured: Measured, window_ns: int, glyphs: Glyphs) -> Row:
    """A row among the stages for an interval that is none."""
    values = measured.values
    rate = values.count * 1e9 / window_ns if window_ns else 0.0
    cells = (
        Cell(glyphs.text(measured.title), Role.STRONG, sort=measured.title),
        Cell(quantity(rate), sort=rate),
        plain_latency(values.p50_ns, glyphs),
        latency(values.p99_ns, glyphs),
        plain_latency(values.max_ns, glyphs),
        Cell(),
        Cell(trend=()),
    )
    return Row(measured.key, cells, measured)


def rows(snapshot: Snapshot, glyphs: Glyphs) -> Sequence[Row]:
    if not snapshot.stages:
        return ()
    total = Measured(TOTAL, "whole path", TOTAL_SUMMARY, snapshot.total)
    return [measured_row(total, snapshot.window_ns, glyphs), *stage_rows(snapshot.stages, glyphs)]


def term(row: Row) -> str:
    """A stage's filter: the paths that were slower there than 99 of 100."""
    if isinstance(row.item, StageRow) and row.item.values.p99_ns is not None:
        return f"stage {row.item.stage.ascii_name} > {row.item.values.p99_ns}ns"
    if isinstance(row.item, Measured) and row.key == TOTAL and row.item.values.p99_ns is not None:
        return f"total > {row.item.values.p99_ns}ns"
    return ""


PANE = Pane(
    "layers", "Layers", "Where packets spend their time: every stage of their way, layer by layer.",
    COLUMNS, rows, nothing_seen, term,
)  # fmt: skip
