"""The heatmap of a snapshot's distributions: which one is shown, and what its cells are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from netlat_tui.model.heat import Heat
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.text import percent, quantity
from netlat_tui.screens.dump import View
from netlat_tui.screens.panes import heat as pane
from netlat_tui.screens.panes.heat import Spot
from netlat_tui.screens.panes.paths import clock
from netlat_tui.widgets.bands import latency_band
from netlat_tui.widgets.canvas import Painter
from netlat_tui.widgets.cells import Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.heat_grid import grid
from netlat_tui.widgets.heat_lines import Frame, heat_lines
from netlat_tui.widgets.heatmap import Heatmap
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, Span, plain, wrap

LEAST_TICKS = 100
"""In files, at least so many ticks, and all that are on screen."""

FILE_FRAME = Frame(100, 30)
"""The size of the drawing in a text file."""


class HeatView(Heatmap):
    """Shows one distribution; ``,`` and ``.`` turn to the others that were counted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("comma", "turn(-1)", "The previous stage or delay", show=False, id="heat.previous"),
        Binding("full_stop", "turn(1)", "The next stage or delay", show=False, id="heat.next"),
    ]

    @dataclass
    class Turned(Message):
        """Another distribution is shown."""

        view: HeatView

    def __init__(self, glyphs: Glyphs, dist: int | None = None, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, empty="waiting for the first figures", id=id)
        self._wanted = dist
        self._snapshot: Snapshot | None = None
        self.dist = dist

    # -- which distribution

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._show()

    def choose(self, dist: int) -> None:
        """Show this distribution from now on."""
        self._wanted = dist
        self._show()

    def _show(self) -> None:
        snapshot, before = self._snapshot, self.dist
        if snapshot is None:
            self.dist = self._wanted
            return
        # Of the other direction nothing is shown: then what is shown first takes its place.
        hidden = self._wanted is not None and snapshot.direction not in (None, pane.direction_of(self._wanted))
        self.dist = pane.opening(snapshot) if self._wanted is None or hidden else self._wanted
        if self.dist != before:
            self.forget_row()
        heat = snapshot.heat(self.dist, self.frame.columns) if self.dist is not None else None
        self.show_heat(heat, clock(snapshot.time_ns)[:8], self.glyphs.text(pane.why_empty(snapshot, self.dist)))

    def on_resize(self) -> None:
        self._show()  # another size has room for other ticks
        self.post_message(self.Moved(self))

    def action_turn(self, step: int) -> None:
        found = pane.choices(self._snapshot) if self._snapshot is not None else []
        if not found:
            return
        at = found.index(self.dist) + step if self.dist in found else 0
        self.choose(found[at % len(found)])
        self.post_message(self.Turned(self))

    @property
    def position(self) -> tuple[int, int]:
        """The place of what is shown among what can be, from 1, and how many there are."""
        found = pane.choices(self._snapshot) if self._snapshot is not None else []
        return (found.index(self.dist) + 1 if self.dist in found else 0), len(found)

    @property
    def title(self) -> str:
        """What is shown, by name."""
        return pane.name_of(self.dist, self.glyphs) if self.dist is not None else ""

    # -- its cells

    @property
    def _clock_ns(self) -> int:
        return self._snapshot.time_ns - self._snapshot.mono_ns if self._snapshot is not None else 0

    @property
    def selected(self) -> Row | None:
        """The cell under the cursor, as a row."""
        heat, cells, cursor = self._heat, self.grid, self.cursor
        if heat is None or cells is None or cursor is None or self.dist is None:
            return None
        return pane.row_of(pane.spot(heat, cells, cursor, self.dist, self._clock_ns), self.glyphs)

    def term(self) -> str:
        row = self.selected
        return pane.term(row) if row is not None else ""

    def detail(self) -> tuple[str, Painter | None]:
        """Title and painter for the cell under the cursor."""
        row = self.selected
        if row is None or not isinstance(row.item, Spot):
            return self.title, None
        return f"{self.title}, {row.cells[0].text}, {row.cells[1].text}", spot_painter(row.item, self.glyphs)

    def exported(self, snapshot: Snapshot, crumbs: Sequence[str]) -> View:
        if self.dist is None:
            return View("heatmap", crumbs, [], [((pane.empty(snapshot), Role.PLAIN),)])
        heat = snapshot.heat(self.dist, max(LEAST_TICKS, self.frame.columns))
        offset = snapshot.time_ns - snapshot.mono_ns
        return View("heatmap", crumbs, pane.records(heat, offset), self._drawn(heat, clock(snapshot.time_ns)[:8]))

    def _drawn(self, heat: Heat, now: str) -> Sequence[Line]:
        cells = grid(heat, FILE_FRAME.columns, FILE_FRAME.rows)
        title: Line = ((self.title, Role.PLAIN),)
        if not cells.rows:
            return [title, (), ((self.empty, Role.PLAIN),)]
        drawn = heat_lines(cells, FILE_FRAME, self.glyphs, now, estimated=heat.estimated)
        return [title, (), *(((plain(line), Role.PLAIN),) for line in drawn)]


def spot_painter(spot: Spot, glyphs: Glyphs) -> Painter:
    """The cell's count, and its share of the column."""
    return lambda width, _: wrap(_facts(spot, glyphs), width)


def _facts(spot: Spot, glyphs: Glyphs) -> list[list[Span]]:
    groups: list[list[Span]] = []
    if spot.measured:
        band = latency_band(spot.span.low_ns)
        groups.append([(quantity(spot.count, spot.estimated), Role.STRONG), (" packets took ", Role.DIM)])
        groups[0].append((pane.latency_words(spot.span, glyphs) + glyphs.bands[band].rstrip(), BAND_ROLE[band]))
    if spot.of_column:
        words = f"{percent(spot.count / spot.of_column)} of {quantity(spot.of_column, spot.estimated)}"
        groups.append([(f", {words}", Role.PLAIN), (" in this column", Role.DIM)])
    if spot.measured < spot.ticks:
        words = f"measured in {spot.measured} of {spot.ticks} ticks" if spot.measured else "not measured"
        groups.append([("  " if groups else "", Role.PLAIN), (words, Role.WARM)])
    return groups
