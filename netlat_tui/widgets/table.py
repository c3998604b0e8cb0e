"""A table with a row cursor, columns that give way, trends on one scale, and sorting by a chosen column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from netlat_tui.model.text import quantity
from netlat_tui.widgets.cells import Cell, Column, Placed, Row, place
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.line_view import LineView
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, Span, cells_of, fit, join
from netlat_tui.widgets.trend import Values, bar, scale_of, trend


class Table(LineView, can_focus=True):
    """Rows under a fixed header, with a cursor that passes over headings.

    When rows move, the cursor stays on the first row if it was there, else with its row's key."""

    fixed = 1

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="row.open", key_display="⏎"),
        Binding("up,k", "move(-1)", "A row up", show=False, id="row.up"),
        Binding("down,j", "move(1)", "A row down", show=False, id="row.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="row.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="row.page_down"),
        Binding("home,g", "first", "First row", show=False, id="row.first"),
        Binding("end,G", "last", "Last row", show=False, id="row.last"),
        Binding("comma", "column(-1)", "Choose the column to the left", show=False, id="sort.left"),
        Binding("full_stop", "column(1)", "Choose the column to the right", show=False, id="sort.right"),
        Binding("s", "sort", "Sort by the chosen column, or no longer", show=False, id="sort.apply"),
        Binding("I", "invert", "Sort the other way round", show=False, id="sort.invert"),
    ]

    @dataclass
    class Opened(Message):
        """Enter on a row."""

        table: Table
        row: Row

    @dataclass
    class Moved(Message):
        """The cursor is on another row, or on none."""

        table: Table
        row: Row | None

    def __init__(
        self,
        columns: Sequence[Column],
        glyphs: Glyphs,
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(glyphs, id=id)
        self.columns = tuple(columns)
        self._order: tuple[int, ...] = tuple(range(len(self.columns)))
        self.empty = empty
        self._rows: Sequence[Row] = ()
        self._view: Sequence[Row] = ()
        self._cursor = -1
        self._top = 0
        self._placed: tuple[Placed, ...] = ()
        self._scales: dict[int, float] = {}
        self._chosen: int | None = None
        self._sorted: int | None = None
        self._inverted = False

    # -- what it shows

    def show(self, rows: Sequence[Row], empty: str | None = None) -> None:
        """Show these rows; ``empty`` is the sentence for when there are none."""
        if empty is not None:
            self.empty = empty
        self._rows = rows
        self._arrange()

    def show_columns(self, order: Sequence[int] | None) -> None:
        """Show these columns in this order, all as they were made for ``None``."""
        wanted = tuple(range(len(self.columns)) if order is None else order)
        if wanted == self._order:
            return
        self._order = wanted
        if self._sorted not in wanted:  # nobody could see what it is sorted by
            self._sorted, self._inverted = None, False
        if self._chosen not in wanted:
            self._chosen = None
        self._arrange()

    @property
    def selected(self) -> Row | None:
        return self._view[self._cursor] if 0 <= self._cursor < len(self._view) else None

    @property
    def position(self) -> tuple[int, int]:
        """The cursor's place among the rows that can be selected, from 1, and how many there are."""
        rows = [index for index, row in enumerate(self._view) if not row.heading]
        return (rows.index(self._cursor) + 1 if self._cursor in rows else 0), len(rows)

    @property
    def rows(self) -> Sequence[Row]:
        """The rows in the order shown."""
        return self._view

    def _arrange(self) -> None:
        before = self.selected
        self._top = self._nearest(0)
        self._view = self._in_order()
        self._cursor = self._find(before)
        self.repaint()
        self._keep_in_view()
        if (self.selected and self.selected.key) != (before and before.key):
            self.post_message(self.Moved(self, self.selected))

    def _in_order(self) -> Sequence[Row]:
        if self._sorted is None:
            return self._rows
        rows = [row for row in self._rows if not row.heading]
        known = [row for row in rows if self._sort_value(row) is not None]
        words = any(isinstance(self._sort_value(row), str) for row in known)
        # numbers start with the largest, words with the first
        known.sort(key=self._sort_key, reverse=words is self._inverted)
        return known + [row for row in rows if self._sort_value(row) is None]

    def _sort_value(self, row: Row) -> float | str | None:
        return row.cells[self._sorted].sort if self._sorted is not None else None

    def _sort_key(self, row: Row) -> tuple[float, str]:
        value = self._sort_value(row)
        return (0.0, value) if isinstance(value, str) else (float(value or 0), "")

    def _find(self, before: Row | None) -> int:
        if self._cursor <= self._top:
            return self._nearest(0)
        if before is not None:
            for index, row in enumerate(self._view):
                if row.key == before.key and not row.heading:
                    return index
        return self._nearest(max(0, min(self._cursor, len(self._view) - 1)))

    def _nearest(self, index: int, step: int = 1) -> int:
        """The row that can be selected at or after ``index`` in this direction, else in the other; -1 for none."""
        for way in (step, -step):
            at = index
            while 0 <= at < len(self._view):
                if not self._view[at].heading:
                    return at
                at += way
        return -1

    # -- drawing

    def line_count(self) -> int:
        return 1 + max(1, len(self._view))

    def lay_out(self) -> None:
        self._placed = place(self.columns, self._view, self.size.width - 1, self._order)
        trends: dict[int, list[Values]] = {}
        for row in self._view:
            for index in row.trends:
                trends.setdefault(index, []).append(row.cells[index].trend or ())
        self._scales = {
            placed.index: scale_of(trends[placed.index], placed.cells)
            for placed in self._placed
            if placed.index in trends
        }

    def line(self, index: int) -> Line:
        if index == 0:
            return self._header()
        if not self._view:
            return ((" " + self.empty, Role.DIM),)
        row = self._view[index - 1]
        mark = self.glyphs.cursor if index - 1 == self._cursor else " "
        if row.heading:
            return join(((" ", Role.PLAIN), *self._heading(row)))
        spans: list[Span] = [(mark, Role.ACCENT)]
        for number, placed in enumerate(self._placed):
            if number:
                spans.append((" " * placed.column.gap, Role.PLAIN))
            if number and row.note:
                spans.append((row.note, Role.DIM))
                break
            spans.extend(self._field(row.cells[placed.index], placed))
        return join(spans)

    def emphasis(self, index: int) -> Role | None:
        if index - 1 == self._cursor and self._view:
            return Role.CURSOR if self.has_focus else None
        return None

    def _heading(self, row: Row) -> Line:
        """A heading's fields; a text runs on to the right over fields that are empty."""
        # the gap before it, cell, own width, with the empty ones after it, right-aligned
        fields: list[tuple[int, Cell, int, int, bool]] = []
        for number, placed in enumerate(self._placed):
            cell = row.cells[placed.index] if placed.index < len(row.cells) else Cell()
            cells = placed.cells + (1 if placed.column.banded else 0)
            if number and not cell.text:
                gap, before, own, whole, right = fields[-1]
                fields[-1] = (gap, before, own, whole + placed.column.gap + cells, right)
            else:
                fields.append((placed.column.gap if number else 0, cell, cells, cells, placed.column.right))
        spans: list[Span] = []
        for gap, cell, own, whole, right in fields:
            text = fit(cell.text, own, self.glyphs.ellipsis, right) if right else cell.text
            spans += [(" " * gap, Role.PLAIN), (fit(text, whole, self.glyphs.ellipsis), cell.role)]
        return join(spans)

    def _header(self) -> Line:
        spans: list[Span] = [(" ", Role.HEAD)]
        for number, placed in enumerate(self._placed):
            title = placed.column.title
            top = self._scales.get(placed.index, 0.0)
            if top > 0:
                words = quantity(top) if placed.column.counts else self.glyphs.duration(top)
                scale = self.glyphs.text(f"0–{words}")
                title = f"{title} {scale}" if len(title) + len(scale) < placed.cells else scale
            role = Role.SORTED if placed.index in (self._sorted, self._chosen) else Role.HEAD
            arrow = self._arrow() if placed.index == self._sorted else ""
            if number:
                spans.append((" " * (placed.column.gap - 1), Role.HEAD))
                spans.append((arrow or " ", role if arrow else Role.HEAD))
            else:
                title += arrow
            spans.append((fit(title, placed.cells, self.glyphs.ellipsis, placed.column.right), role))
            spans.append((" " if placed.column.banded else "", Role.HEAD))
        return join(spans)

    def _arrow(self) -> str:
        words = any(isinstance(self._sort_value(row), str) for row in self._view)
        return self.glyphs.falling if words is self._inverted else self.glyphs.rising

    def _field(self, cell: Cell, placed: Placed) -> Line:
        if cell.trend is not None:
            top = self._scales.get(placed.index, 0.0)
            return trend(cell.trend, top, placed.cells, self.glyphs, counts=placed.column.counts)
        role = BAND_ROLE[cell.band] if cell.band else cell.role
        if cell.bar is not None:
            role = role if cell.band else Role.TREND
            return bar(cell.bar.start, cell.bar.end, placed.cells, self.glyphs, role)
        words = self.glyphs.text(cell.text)
        if cell.short and cells_of(words) > placed.cells:
            words = self.glyphs.text(cell.short)
        text = fit(words, placed.cells, self.glyphs.ellipsis, placed.column.right)
        if placed.column.banded:
            return ((text, role), (self.glyphs.bands[cell.band], role))
        return ((text, role),)

    # -- the cursor

    def select(self, index: int, step: int = 1) -> None:
        """Put the cursor on the row nearest to this index of ``rows``."""
        before = self._cursor
        self._cursor = self._nearest(max(0, min(index, len(self._view) - 1)), step)
        if self._cursor != before:
            self._keep_in_view(step)
            self.repaint()
            self.post_message(self.Moved(self, self.selected))

    def _keep_in_view(self, step: int = 1) -> None:
        page = max(1, self.size.height - self.fixed)
        top = self.scroll_offset.y
        if self._cursor < 0:
            return
        first = self._cursor
        while first > 0 and self._view[first - 1].heading and self._cursor - first + 1 < page:
            first -= 1  # a group's name is seen with its first row
        if first < top:
            self.scroll_to(y=first, animate=False, force=True)
        elif self._cursor >= top + page:
            self.scroll_to(y=self._cursor - page + 1, animate=False, force=True)

    def action_move(self, step: int) -> None:
        self.select(self._cursor + step, step)

    def action_page(self, step: int) -> None:
        self.select(self._cursor + step * max(1, self.size.height - self.fixed - 1), step)

    def action_first(self) -> None:
        self.select(0)

    def action_last(self) -> None:
        self.select(len(self._view) - 1, -1)

    def action_open(self) -> None:
        if self.selected is not None:
            self.post_message(self.Opened(self, self.selected))

    def on_click(self, event: events.Click) -> None:
        index = event.y - self.fixed + self.scroll_offset.y
        if event.y >= self.fixed and 0 <= index < len(self._view) and not self._view[index].heading:
            again = index == self._cursor
            self.select(index)
            if again:
                self.action_open()

    def on_resize(self) -> None:
        """Rows may have been chosen before there was a size, or at another; beside what every view of lines does."""
        self._keep_in_view()

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    # -- sorting

    def action_column(self, step: int) -> None:
        """Choose the next column that can be sorted by, among those on screen."""
        shown = [placed.index for placed in self._placed if self._sortable(placed.index)]
        if not shown:
            return
        at = shown.index(self._chosen) + step if self._chosen in shown else (0 if step > 0 else -1)
        self._chosen = shown[at % len(shown)]
        self.repaint()

    def action_sort(self) -> None:
        """Sort by the chosen column; again: back to the order of the way through the stack."""
        if self._chosen is None:
            self.action_column(1)
        self._sorted = None if self._sorted == self._chosen else self._chosen
        self._inverted = False
        self._arrange()

    def action_invert(self) -> None:
        if self._sorted is None:
            self.action_sort()
        self._inverted = not self._inverted
        self._arrange()

    def _sortable(self, index: int) -> bool:
        return any(row.cells[index].sort is not None for row in self._rows if not row.heading)
