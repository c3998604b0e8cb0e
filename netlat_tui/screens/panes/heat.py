"""Heatmap: which distributions it can show, and what is said of one of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlat_tui.export.values import iso
from netlat_tui.model.heat import Columns, Heat, Span
from netlat_tui.model.histogram import EDGES, N_BUCKETS
from netlat_tui.model.points import DIRECTION_OF, N_STAGES, STAGES, TOTAL, Direction
from netlat_tui.model.snapshot import Snapshot, StageRow
from netlat_tui.model.text import percent, quantity
from netlat_tui.screens.panes import whole
from netlat_tui.screens.panes.base import Measured, Pane, nothing_seen
from netlat_tui.screens.panes.paths import clock
from netlat_tui.widgets.bands import latency_band
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.heat_grid import Grid
from netlat_tui.widgets.heat_lines import Cursor

COLUMNS: tuple[Column, ...] = (
    Column(
        "time", "column", 17,
        help="the packets of one tick, or of several, later ones to the right, at the time above it; normally each"
        " looks like its neighbours",
    ),
    Column(
        "latency", "row", 15,
        help="from how long on, upward on a logarithmic axis; a dark band low down is normal, a second one above it is"
        " a queue or a wait that only some packets had",
    ),
    Column(
        "packets", "density", 6,
        help="how many packets took so long then, on one scale for all cells, which the first line says; blank: none,"
        " as normally most are",
    ),
    Column("total", "packets", 6, help="the line above the rows: packets of each column; at the right all of them"),
    Column("row", "right edge", 6, help="packets of each row; normally few in those marked as slow"),
    Column(
        "window", "bottom line", 6,
        help="how old the columns are; doubled where the columns belong to the window the other panes cover",
    ),
    Column(
        "rest", "not measured", 6,
        help="nothing was attached in these ticks, to stay within the budget; normally there is no such column",
    ),
)  # fmt: skip
"""What is drawn, for the help screen."""


def direction_of(dist: int) -> Direction:
    return DIRECTION_OF[dist]


def name_of(dist: int, glyphs: Glyphs) -> str:
    """What a distribution is called."""
    if dist < N_STAGES:
        stage = STAGES[dist]
        return stage.ascii_name if glyphs.ascii_only else stage.name
    return glyphs.text(whole.key_of(dist))


def dist_of(item: object) -> int | None:
    """The distribution behind a row, ``None`` where it has none that is kept tick by tick."""
    if isinstance(item, StageRow):
        return item.stage.id
    return whole.distribution_of(item.key) if isinstance(item, Measured) else None


def choices(snapshot: Snapshot) -> list[int]:
    """The distributions that were counted in the window, in the order of the Layers pane."""
    found = [row.delay.gauge for row in snapshot.delays if row.values.count]
    found += [TOTAL[row.direction] for row in snapshot.totals if row.values.count]
    return found + [row.stage.id for row in snapshot.stages]


def opening(snapshot: Snapshot) -> int | None:
    """What it opens with: whole paths, received ones first, else whatever was counted."""
    found = choices(snapshot)
    return next((dist for dist in found if dist in TOTAL.values()), next(iter(found), None))


@dataclass(frozen=True, slots=True)
class Spot:
    """A cell of the heatmap."""

    span: Span
    time_ns: int  # UNIX time of its beginning
    count: int
    of_column: int
    ticks: int
    measured: int
    estimated: bool


def spot(heat: Heat, cells: Grid, cursor: Cursor, dist: int, clock_ns: int) -> Spot:
    """The cell under the cursor; ``clock_ns`` is UNIX time minus CLOCK_MONOTONIC."""
    at, row = cursor
    columns: Columns = cells.columns
    since, until = int(columns.since_ns[at]), int(columns.until_ns[at])
    return Spot(
        Span(dist, since, until, cells.low_ns(row), cells.high_ns(row)),
        since + clock_ns,
        int(cells.counts[row, at]),
        int(columns.counts[at].sum()),
        int(columns.ticks[at]),
        int(columns.measured[at]),
        heat.estimated,
    )


def time_words(spot: Spot) -> str:
    """From when to when, in local time; fractions only where they say something."""
    length = spot.span.until_ns - spot.span.since_ns
    cells = 8 if length >= 1_000_000_000 else 10
    return "–".join(clock(ns)[:cells] for ns in (spot.time_ns, spot.time_ns + length))


def latency_words(span: Span, glyphs: Glyphs) -> str:
    low = glyphs.duration(span.low_ns)
    return f"{low} and more" if span.high_ns is None else glyphs.text(f"{low}–{glyphs.duration(span.high_ns)}")


def row_of(spot: Spot, glyphs: Glyphs) -> Row:
    """The cell as a row of a table has it: for the clipboard and the filter."""
    share = spot.count / spot.of_column if spot.of_column else None
    cells = (
        Cell(glyphs.text(time_words(spot))),
        Cell(latency_words(spot.span, glyphs), band=latency_band(spot.span.low_ns)),
        Cell(quantity(spot.count, spot.estimated) if spot.measured else "not measured"),
        Cell(percent(share)),
    )
    return Row(spot.span, cells, spot)


def term(row: Row) -> str:
    """The filter for what took at least as long as the cell's packets; delays have no word of their own."""
    if not isinstance(row.item, Spot):
        return ""
    span = row.item.span
    if span.dist < N_STAGES:
        return f"stage {STAGES[span.dist].ascii_name} >= {span.low_ns}ns"
    if span.dist in TOTAL.values():
        return f"{direction_of(span.dist).label} and total >= {span.low_ns}ns"
    return ""


def records(heat: Heat, clock_ns: int) -> list[dict[str, object]]:
    """Every bucket of every tick. A tick in which nothing was counted has one record, of no duration; its count is null
    where it was not measured."""
    found: list[dict[str, object]] = []
    ticks = zip(heat.since_ns.tolist(), heat.measured.tolist(), heat.counts, strict=True)
    for since, measured, line in ticks:
        time = iso(since + clock_ns)
        filled = line.nonzero()[0].tolist()
        if not filled:
            found.append({"time": time, "low_ns": None, "high_ns": None, "count": 0 if measured else None})
        for bucket in filled:
            high = int(EDGES[bucket + 1]) if bucket < N_BUCKETS - 1 else None
            found.append({"time": time, "low_ns": int(EDGES[bucket]), "high_ns": high, "count": int(line[bucket])})
    return found


def why_empty(snapshot: Snapshot, dist: int | None) -> str:
    """Why there is nothing of a distribution: a delay that this kernel cannot show says so."""
    missing = next((row.missing for row in snapshot.delays if row.delay.gauge == dist and row.missing), "")
    return missing or empty(snapshot)


def empty(snapshot: Snapshot) -> str:
    return "nothing counted of it in these ticks" if snapshot.stages else nothing_seen(snapshot)


def _no_rows(_: Snapshot, __: Glyphs) -> Sequence[Row]:
    """It is no table: what it shows is drawn by a widget of its own."""
    return ()


PANE = Pane(
    "heatmap", "Heatmap",
    "How long packets took, tick by tick: what came, stayed or went, which a percentile does not tell."
    " Enter lists the packets of the cell under the cursor.",
    COLUMNS, _no_rows, empty, term, alone=True,
)  # fmt: skip
