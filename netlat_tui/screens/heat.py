"""The heatmap of one stage, delay or of whole paths, as it was chosen elsewhere; and the paths of one of its cells."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from netlat_tui.model.derive import decode_rows
from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.text import quantity
from netlat_tui.screens.dump import View
from netlat_tui.screens.heat_view import HeatView
from netlat_tui.screens.panes import heat as pane
from netlat_tui.screens.panes.heat import Spot
from netlat_tui.screens.path_list import PathListScreen
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.bands import latency_band
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, paragraph, wrap

MOST_PATHS = 500
"""Paths that are listed: more than anybody goes through, few enough to be decoded at once."""


class HeatScreen(ViewScreen):
    """Opens with one distribution; the keys of the pane turn to others."""

    def __init__(self, context: Context, crumbs: Sequence[str], dist: int) -> None:
        super().__init__(context, crumbs)
        self._above = tuple(crumbs)
        self._dist = dist

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield HeatView(glyphs, self._dist, id="heat")
        yield Canvas(glyphs, id="heat-detail")

    @property
    def _view(self) -> HeatView:
        return self.query_one(HeatView)

    def main_table(self) -> HeatView:
        return self._view

    def on_mount(self) -> None:
        self._say_where()
        super().on_mount()

    def show(self, snapshot: Snapshot) -> None:
        self._view.show_snapshot(snapshot)
        self._say_where()
        self._draw()

    def _say_where(self) -> None:
        words = f"heatmap of {self._view.title}"
        if self.crumbs[-1:] != (words,):
            self.crumbs = (*self._above, words)
            self.refresh_frame()

    def _draw(self) -> None:
        title, painter = self._view.detail()

        def paint(cells: int, lines: int) -> Sequence[Line]:
            return [((title, Role.GROUP),), *(painter(cells, lines - 1) if painter is not None else ())]

        self.query_one("#heat-detail", Canvas).draw(paint)

    def on_heatmap_moved(self) -> None:
        self._draw()

    def on_heat_view_turned(self) -> None:
        self._say_where()
        self._draw()

    def on_heatmap_opened(self) -> None:
        open_cell(self, self._view)

    def term(self) -> str:
        return self._view.term()

    def exported(self, snapshot: Snapshot) -> View:
        return self._view.exported(snapshot, self.crumbs)

    def help(self) -> Help:
        return Help(self.crumbs[-1], pane.PANE.summary, pane.COLUMNS)


def open_cell(screen: ViewScreen, view: HeatView) -> None:
    """Show the paths of the cell under the cursor."""
    row = view.selected
    if row is None or not isinstance(row.item, Spot):
        return
    if not row.item.count:
        screen.post_message(ViewScreen.Say("no packet was counted in this cell"))
        return
    crumbs = (*screen.crumbs, f"{row.cells[0].text} {row.cells[1].text}")
    screen.app.push_screen(CellScreen(screen.context, crumbs, row.item))


class CellScreen(PathListScreen):
    """Stays with its cell: paths it had when it was opened stay, those that are recorded later join them."""

    def __init__(self, context: Context, crumbs: Sequence[str], spot: Spot) -> None:
        super().__init__(context, crumbs)
        self._spot = spot
        self._recorded = 0
        self._selected_by: tuple[str, Direction | None] = "", None

    def show(self, snapshot: Snapshot) -> None:
        rows, paths = snapshot.paths_in(self._spot.span), self._paths
        selected_by = snapshot.filter, snapshot.direction
        if len(rows) >= self._recorded or selected_by != self._selected_by:  # else they were let go meanwhile
            self._recorded, self._selected_by = len(rows), selected_by
            paths = decode_rows(snapshot, rows[:MOST_PATHS])
        empty = "none of those with a record matches the filter" if snapshot.filter else "none of them has a record"
        self.show_paths(paths, empty)

    def facts(self, cells: int) -> list[Line]:
        """Which cell, how many packets it counted, and of how many of them there is a record."""
        glyphs, spot = self.context.glyphs, self._spot
        band = latency_band(spot.span.low_ns)
        pairs = [
            ("of", pane.name_of(spot.span.dist, glyphs), Role.STRONG),
            ("time", pane.time_words(spot), Role.STRONG),
            ("took", pane.latency_words(spot.span, glyphs) + glyphs.bands[band].rstrip(), BAND_ROLE[band]),
            ("counted", quantity(spot.count, spot.estimated), Role.STRONG),
            ("with a record", quantity(self._recorded), Role.STRONG),
        ]
        spans = (((f" {name} ", Role.DIM), (f"{glyphs.text(words)} ", role)) for name, words, role in pairs)
        return [*wrap(spans, cells), *paragraph((" ", Role.PLAIN), self._why(), cells, 1, Role.DIM)]

    def _why(self) -> str:
        """Why there are fewer paths than packets."""
        if self._selected_by[0]:
            return "every packet is counted; listed are those with a record that match the filter"
        if self._recorded > MOST_PATHS:
            return f"listed are the latest {MOST_PATHS} of those with a record"
        if self._recorded < self._spot.count:
            return "slow, dropped and sampled packets have a record; the oldest are let go"
        return "every packet of the cell has a record"

    def common_term(self) -> str:
        """What the cell is of."""
        return pane.term(pane.row_of(self._spot, self.context.glyphs))

    def exported(self, snapshot: Snapshot) -> View:
        return self.view("cell")

    def help(self) -> Help:
        return self.about("The packets counted in one cell of a heatmap of which there is a record, the latest first.")
