"""The choice of a table's columns: which, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer

from netlat_tui.screens.orders import Order, settled, stays
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role
from netlat_tui.widgets.table import Table

_COLUMNS: tuple[Column, ...] = (
    Column("shown", "", 3, right=False, help="x: shown; =: shown always"),
    Column("name", "COLUMN", 11, 16, right=False, help="what stands above it"),
    Column("help", "WHAT IT SAYS", 20, 400, right=False, gap=2, drop=1, help="what it says"),
)


class ColumnList(Table):
    """A table whose rows lead nowhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Keep", id="columns.keep", key_display="⏎"),
    ]


class ColumnsScreen(ModalScreen[Order]):
    """A line for each column, those that are shown first and in their order. Closing it is choosing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Show or hide", id="columns.toggle"),
        Binding("K,shift+up", "shift(-1)", "Earlier", id="columns.earlier"),
        Binding("J,shift+down", "shift(1)", "Later", id="columns.later"),
        Binding("r", "default", "As it was", id="columns.default"),
        Binding("escape,q,C", "close", "Keep", id="columns.close"),
    ]

    def __init__(self, title: str, columns: Sequence[Column], shown: Order, default: Order, glyphs: Glyphs) -> None:
        super().__init__(classes="-ascii" if glyphs.ascii_only else None)
        self._title = title
        self._of = tuple(columns)
        self._glyphs = glyphs
        self._default = default
        self._shown: list[int] = []
        self._all: list[int] = []
        self._begin(shown)

    def _begin(self, shown: Order) -> None:
        self._shown = list(shown)
        self._all = [*shown, *(index for index in range(len(self._of)) if index not in shown)]

    def compose(self) -> ComposeResult:
        yield Canvas(self._glyphs, id="columns-title")
        yield ColumnList(_COLUMNS, self._glyphs, id="columns")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        words = f" {self._glyphs.text(self._title)}: columns"
        self.query_one("#columns-title", Canvas).draw(lambda *_: [((words, Role.GROUP),)])
        self._table.focus()
        self._draw()

    @property
    def _table(self) -> ColumnList:
        return self.query_one(ColumnList)

    @property
    def _selected(self) -> int:
        row = self._table.selected
        return row.key if row is not None and isinstance(row.key, int) else self._all[0]

    def _draw(self, cursor: int | None = None) -> None:
        self._table.show([self._row(index) for index in self._all])
        if cursor is not None:
            self._table.select(self._all.index(cursor))

    def _row(self, index: int) -> Row:
        column = self._of[index]
        mark = "[=]" if stays(self._of, index) else "[x]" if index in self._shown else "[ ]"
        role = Role.PLAIN if index in self._shown else Role.DIM
        again = [other.title for other in self._of].count(column.title) > 1
        title = f"{column.title} ({column.key})" if again or not column.title else column.title
        cells = (Cell(mark, role), Cell(self._glyphs.text(title), role), Cell(self._glyphs.text(column.help), Role.DIM))
        return Row(index, cells, column)

    def action_mark(self) -> None:
        index = self._selected
        if stays(self._of, index):
            return
        if index in self._shown:
            self._shown.remove(index)
        else:
            self._shown = [other for other in self._all if other in self._shown or other == index]
        self._draw(index)

    def action_shift(self, step: int) -> None:
        """Move the column one place, past hidden ones as well; a name that stays first stays first."""
        index = self._selected
        at = self._all.index(index)
        first = 1 if stays(self._of, 0) else 0
        if at < first or not first <= at + step < len(self._all):
            return
        self._all.insert(at + step, self._all.pop(at))
        self._shown = [other for other in self._all if other in self._shown]
        self._draw(index)

    def action_default(self) -> None:
        cursor = self._selected
        self._begin(self._default)
        self._draw(cursor)

    def on_table_opened(self) -> None:
        self.action_close()

    def action_close(self) -> None:
        # a table of no columns cannot be: the last one hidden comes back
        self.dismiss(settled(self._of, self._shown or self._all[:1]))
