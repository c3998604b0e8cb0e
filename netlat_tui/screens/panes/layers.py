"""Layers: every stage that was counted, grouped by the layer it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from netlat_tui.model.codes import Region
from netlat_tui.model.noise import Change
from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import Snapshot, StageRow
from netlat_tui.model.text import percent, quantity
from netlat_tui.screens.panes import whole
from netlat_tui.screens.panes.base import Measured, Pane, change_column, changed, latency, nothing_seen, plain_latency
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role

COLUMNS: tuple[Column, ...] = (
    Column(
        "stage",
        "STAGE",
        23,
        30,
        right=False,
        help="from layer to layer; whole paths; and from one point a packet was seen at to the next, by layer",
    ),
    Column(
        "rate",
        "/s",
        5,
        drop=3,
        help="packets per second that passed this stage; normally as many as in the rows around it",
    ),
    Column(
        "p50",
        "p50",
        6,
        drop=5,
        help="half of the packets were faster; normally a few µs for all but the reader's stages",
    ),
    Column(
        "p99",
        "p99",
        6,
        banded=True,
        help="99 of 100 packets were faster; a few times p50 is normal, a hundred times is a queue or a wait",
    ),
    change_column("p99", 6),
    Column("max", "max", 6, drop=2, help="the slowest packet of the window; normally a single one, many times p99"),
    Column(
        "share",
        "share",
        5,
        drop=4,
        help="the stage's part of the time of all stages of its direction; normally the reader's have most of it",
    ),
    Column(
        "trend", "p99", 8, 60, drop=1, gap=2, help="p99 tick by tick; one scale for all rows, from zero; normally flat"
    ),
)

SHARE = next(place for place, column in enumerate(COLUMNS) if column.key == "share")

DELAYS_TITLE = "rx delays, from layer to layer"


Changes = Mapping[int, Change]
"""What changed against a baseline, by distribution; empty where there is none."""


def stage_rows(stages: Sequence[StageRow], glyphs: Glyphs, changes: Changes) -> list[Row]:
    """Rows for stages, with a heading for every layer."""
    rows: list[Row] = []
    both = len({row.direction for row in stages}) > 1
    for (direction, layer), members in groupby(stages, key=lambda row: (row.direction, row.stage.layer)):
        group = list(members)
        rows.append(_heading(direction, layer, group, both, glyphs))
        rows.extend(_stage(row, glyphs, changes) for row in group)
    return rows


def _heading(direction: Direction, layer: str, group: Sequence[StageRow], both: bool, glyphs: Glyphs) -> Row:
    title = glyphs.text(f"{direction.label} {layer}" if both else layer)
    cells = [Cell()] * len(COLUMNS)
    cells[0] = Cell(title, Role.GROUP)
    cells[SHARE] = Cell(percent(sum(row.share for row in group)), Role.GROUP)
    return Row(("layer", direction, layer), tuple(cells), heading=True)


def _stage(row: StageRow, glyphs: Glyphs, changes: Changes) -> Row:
    name = row.stage.ascii_name if glyphs.ascii_only else row.stage.name
    values = row.values
    cells = (
        Cell(" " + name, sort=name),
        Cell(quantity(row.rate, values.estimated), sort=row.rate),
        plain_latency(values.p50_ns, glyphs),
        latency(values.p99_ns, glyphs),
        changed(changes.get(row.stage.id), glyphs),
        plain_latency(values.max_ns, glyphs),
        Cell(percent(row.share), sort=row.share),
        Cell(trend=row.trend.p99_ns),
    )
    return Row(row.stage.id, cells, row)


def measured_row(measured: Measured, window_ns: int, glyphs: Glyphs, change: Change | None, *, indent: str = "") -> Row:
    """A row among the stages for an interval that is none."""
    values = measured.values
    title = glyphs.text(indent + measured.title)
    if measured.missing and not values.count:
        cells = (Cell(title, Role.DIM, sort=measured.title), *[Cell()] * (len(COLUMNS) - 1))
        return Row(measured.key, cells, measured, note=glyphs.text(f"– {measured.missing}"))
    rate = values.count * 1e9 / window_ns if window_ns else 0.0
    cells = (
        Cell(title, Role.PLAIN if indent else Role.STRONG, sort=measured.title),
        Cell(quantity(rate, values.estimated), sort=rate),
        plain_latency(values.p50_ns, glyphs),
        latency(values.p99_ns, glyphs),
        changed(change, glyphs),
        plain_latency(values.max_ns, glyphs),
        Cell(),
        Cell(trend=measured.trend.p99_ns),
    )
    return Row(measured.key, cells, measured)


def changes_of(snapshot: Snapshot, dists: Sequence[int], region: Region | None = None) -> Changes:
    """How the p99 of these changed, in a region or everywhere."""
    if snapshot.against is None:
        return {}
    return dict(zip(dists, snapshot.against.p99s([(region, dist) for dist in dists]), strict=True))


def rows(snapshot: Snapshot, glyphs: Glyphs) -> Sequence[Row]:
    """The delays from layer to layer, whole paths, every stage."""
    if not snapshot.stages:
        return ()
    made: list[Row] = []
    delays, totals = whole.delays(snapshot), whole.totals(snapshot)
    dists = [whole.DISTRIBUTION[one.key] for one in (*delays, *totals)]
    changes = changes_of(snapshot, [*dists, *(row.stage.id for row in snapshot.stages)])
    of_key = {key: changes.get(dist) for key, dist in whole.DISTRIBUTION.items()}
    if any(row.values.count or row.missing for row in snapshot.delays):
        heading = Cell(glyphs.text(DELAYS_TITLE), Role.GROUP)
        made.append(Row("delays", (heading, *[Cell()] * (len(COLUMNS) - 1)), heading=True))
        made += [measured_row(delay, snapshot.window_ns, glyphs, of_key[delay.key], indent=" ") for delay in delays]
    made += [measured_row(total, snapshot.window_ns, glyphs, of_key[total.key]) for total in totals]
    return [*made, *stage_rows(snapshot.stages, glyphs, changes)]


def term(row: Row) -> str:
    """A stage's filter: the paths that were slower there than 99 of 100."""
    if isinstance(row.item, StageRow) and row.item.values.p99_ns is not None:
        return f"stage {row.item.stage.ascii_name} > {row.item.values.p99_ns}ns"
    if isinstance(row.item, Measured) and row.item.values.p99_ns is not None:
        direction = whole.total_direction(row.item)
        return f"{direction.label} and total > {row.item.values.p99_ns}ns" if direction is not None else ""
    return ""


PANE = Pane(
    "layers", "Layers", "Where packets spend their time: delays from layer to layer, then every stage of their way.",
    COLUMNS, rows, nothing_seen, term,
)  # fmt: skip
