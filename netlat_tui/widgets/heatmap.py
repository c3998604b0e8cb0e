"""A heatmap with a cursor on its cells: time to the right, durations upward, density for how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from netlat_tui.model.heat import Heat
from netlat_tui.widgets.cells import Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.heat_grid import Grid, grid
from netlat_tui.widgets.heat_lines import LABEL_CELLS, Cursor, Frame, heat_lines
from netlat_tui.widgets.line_view import LineView
from netlat_tui.widgets.lines import Line, Role

PAGE = 10
"""Columns that a page moves by."""


class Heatmap(LineView, can_focus=True):
    """Time runs to the right. The cursor stays in the newest column if it is there, else with its time; it stays
    with its duration when the axis becomes another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="row.open", key_display="⏎"),
        Binding("left,h", "move(-1, 0)", "A column earlier", show=False, id="cell.earlier"),
        Binding("right,l", "move(1, 0)", "A column later", show=False, id="cell.later"),
        Binding("up,k", "move(0, 1)", "A row up", show=False, id="row.up"),
        Binding("down,j", "move(0, -1)", "A row down", show=False, id="row.down"),
        Binding("pageup", f"move(-{PAGE}, 0)", "Ten columns earlier", show=False, id="cell.page_earlier"),
        Binding("pagedown", f"move({PAGE}, 0)", "Ten columns later", show=False, id="cell.page_later"),
        Binding("home,g", "oldest", "The oldest column", show=False, id="cell.oldest"),
        Binding("end,G", "newest", "The newest column", show=False, id="cell.newest"),
    ]

    @dataclass
    class Opened(Message):
        """Enter on a cell."""

        heatmap: Heatmap

    @dataclass
    class Moved(Message):
        """The cursor is on another cell."""

        heatmap: Heatmap

    def __init__(
        self,
        glyphs: Glyphs,
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(glyphs, id=id)
        self.empty = empty
        self._heat: Heat | None = None
        self._now = ""
        self._grid: Grid | None = None
        self._grid_of: tuple[Heat | None, Frame] = None, Frame(0, 0)
        self._lines: Sequence[Line] = ()
        self._tick: int | None = None  # of the cursor's column; None: the newest, whichever that is
        self._bucket: int | None = None  # of the cursor's row; None: not chosen yet

    # -- what it shows

    def show_heat(self, heat: Heat | None, now: str, empty: str) -> None:
        """Show this; ``now`` is what its end is called, ``empty`` the sentence for when there is nothing in it."""
        self._heat, self._now, self.empty = heat, now, empty
        if heat is not None and self._tick is not None and self._tick >= heat.end:  # counting began anew
            self._tick = None
        self.repaint()

    def forget_row(self) -> None:
        """Look for a row to stand on: what is shown next has other durations."""
        self._bucket = None

    @property
    def frame(self) -> Frame:
        return Frame(self.size.width, self.size.height)

    @property
    def grid(self) -> Grid | None:
        """The cells on screen, ``None`` where nothing was counted."""
        frame = self.frame
        if not (frame.cells and frame.lines):  # not on screen
            return None
        if self._grid_of[0] is not self._heat or self._grid_of[1] != frame:
            self._grid_of = self._heat, frame
            # Where there is no room for rows the cursor still stands on one.
            found = grid(self._heat, max(1, frame.columns), max(1, frame.rows)) if self._heat is not None else None
            self._grid = found if found is not None and found.rows else None
            if self._grid is not None:
                self._settle(self._grid)
        return self._grid

    def _settle(self, cells: Grid) -> None:
        """Keep the cursor within what is shown; without a row it goes to where most packets are."""
        if self._tick is not None and self._tick < cells.columns.first[0]:
            self._tick = int(cells.columns.first[0])
        if self._bucket is None:
            self._bucket = int(cells.edges[int(cells.counts.sum(axis=1).argmax())])

    @property
    def selected(self) -> Row | None:
        """The cell under the cursor as a row of a table has it; what it is called, a subclass knows."""
        return None

    @property
    def cursor(self) -> Cursor | None:
        """Column and row of the grid."""
        cells = self.grid
        if cells is None or self._bucket is None:
            return None
        column = len(cells.columns) - 1 if self._tick is None else cells.columns.find(self._tick)
        return column, cells.row_of(self._bucket)

    def line_count(self) -> int:
        return len(self._lines)

    def lay_out(self) -> None:
        cells = self.grid
        if cells is None:
            self._lines = (((f" {self.empty}", Role.DIM),),)
            return
        estimated = self._heat is not None and self._heat.estimated
        lines = heat_lines(cells, self.frame, self.glyphs, self._now, estimated=estimated, cursor=self.cursor)
        self._lines = lines[: self.size.height]

    def line(self, index: int) -> Line:
        return self._lines[index]

    # -- the cursor

    def select(self, column: int, row: int) -> None:
        """Put the cursor on the cell nearest to these."""
        cells, before = self.grid, self.cursor
        if cells is None:
            return
        column = max(0, min(column, len(cells.columns) - 1))
        row = max(0, min(row, cells.rows - 1))
        self._tick = int(cells.columns.first[column]) if column < len(cells.columns) - 1 else None
        self._bucket = int(cells.edges[row])
        if self.cursor != before:
            self.repaint()
            self.post_message(self.Moved(self))

    def action_move(self, columns: int, rows: int) -> None:
        if self.cursor is not None:
            self.select(self.cursor[0] + columns, self.cursor[1] + rows)

    def action_oldest(self) -> None:
        if self.cursor is not None:
            self.select(0, self.cursor[1])

    def action_newest(self) -> None:
        if self.grid is not None and self.cursor is not None:
            self.select(len(self.grid.columns) - 1, self.cursor[1])

    def action_open(self) -> None:
        if self.cursor is not None:
            self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        cells = self.grid
        if cells is None:
            return
        column = event.x - LABEL_CELLS - cells.columns.before
        row = cells.rows - 1 - (event.y - 1 - self.frame.trend)
        if 0 <= column < len(cells.columns) and 0 <= row < cells.rows:
            again = (column, row) == self.cursor
            self.select(column, row)
            if again:
                self.action_open()
