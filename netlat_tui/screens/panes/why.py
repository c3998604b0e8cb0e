"""Why: what stands out, worst first, each with the figures it rests on and where to look."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.findings import Finding, Severity, findings
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.screens.panes.base import Pane, nothing_seen
from netlat_tui.widgets.bands import Band
from netlat_tui.widgets.canvas import Painter
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, paragraph, wrap

COLUMNS: tuple[Column, ...] = (
    Column(
        "finding", "FINDING", 20, 22, right=False, banded=True,
        help="what it is, and how bad: one mark hurts now, the other is worth a look; normally there is no line",
    ),
    Column("where", "WHERE", 12, 30, right=False, drop=2, help="the CPU, interface, process or kind of drop"),
    Column(
        "cost", "time", 6, drop=3,
        help="what packets of the window lost by it, all together; normally nothing; -: cannot be told",
    ),
    Column("sentence", "WHAT THE FIGURES SAY", 24, 160, right=False, drop=1, help="the figures; more of them below"),
)  # fmt: skip

_BANDS = {Severity.NOTE: Band.CALM, Severity.WARM: Band.WARM, Severity.HOT: Band.HOT}
NOTHING = "nothing stands out"


def rows(snapshot: Snapshot, glyphs: Glyphs) -> Sequence[Row]:
    return [_row(one, glyphs) for one in findings(snapshot)]


def _row(one: Finding, glyphs: Glyphs) -> Row:
    band = _BANDS[one.severity]
    cells = (
        Cell(one.kind.replace("-", " "), band=band, sort=float(one.severity)),
        Cell(glyphs.text(one.subject), sort=one.subject),
        Cell(glyphs.duration(one.cost_ns) if one.cost_ns else "-", sort=one.cost_ns),
        Cell(glyphs.text(one.sentence), sort=one.sentence),
    )
    return Row(one.key, cells, one)


def painter(one: Finding, glyphs: Glyphs) -> Painter:
    """The sentence, the figures it rests on, and what to look at."""

    def paint(width: int, height: int) -> Sequence[Line]:
        lines = paragraph(("", Role.PLAIN), glyphs.text(one.sentence), width, 0)
        figures = (
            (
                (f"{glyphs.text(figure.name)} ", Role.DIM),
                (f"{glyphs.text(figure.words(glyphs.ascii_only))}  ", Role.STRONG),
            )
            for figure in one.figures
            if figure.value is not None
        )
        lines = [*lines, *wrap(figures, width)]
        for words in one.look:
            lines += paragraph(("look at", Role.ACCENT), glyphs.text(words), width, 8)
        return lines[:height]

    return paint


def empty(snapshot: Snapshot) -> str:
    if not snapshot.stages:
        return nothing_seen(snapshot)
    return NOTHING


def severe(rows: Sequence[Row]) -> int:
    """How many findings hurt."""
    return sum(isinstance(row.item, Finding) and row.item.severity is Severity.HOT for row in rows)


def term(row: Row) -> str:
    """None: a finding is of many packets."""
    return ""


PANE = Pane(
    "why", "Why", "What stands out: causes that the figures show, worst first, with what they rest on.",
    COLUMNS, rows, empty, term, alone=True,
)  # fmt: skip
