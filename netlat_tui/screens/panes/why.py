"""Why: what stands out, worst first, each with the figures it rests on and where to look."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.findings import Finding, Severity, findings
from netlat_tui.model.points import Direction
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
_LOOK_NS = 3_000_000_000


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


class Severe:
    """How many findings hurt: told on every pane, looked for once in ``_LOOK_NS`` where this one is out of sight. To
    look costs as much as the pane that is in sight."""

    def __init__(self) -> None:
        self.count = 0
        self._asked: tuple[str, Direction | None] | None = None
        self._at_ns = 0

    def told(self, found: Sequence[Finding], snapshot: Snapshot) -> None:
        """These are all of this snapshot."""
        self.count = sum(one.severity is Severity.HOT for one in found)
        self._asked, self._at_ns = (snapshot.filter, snapshot.direction), snapshot.mono_ns

    def look(self, snapshot: Snapshot) -> None:
        """Look, if it is time. Other figures of the same moment were asked for by somebody: they are looked at."""
        soon = 0 < snapshot.mono_ns - self._at_ns < _LOOK_NS
        if not soon or self._asked != (snapshot.filter, snapshot.direction):
            self.told(findings(snapshot), snapshot)


def term(row: Row) -> str:
    """None: a finding is of many packets."""
    return ""


PANE = Pane(
    "why", "Why", "What stands out: causes that the figures show, worst first, with what they rest on.",
    COLUMNS, rows, empty, term, alone=True,
)  # fmt: skip
