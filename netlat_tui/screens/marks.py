"""The marks there are, to go to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer

from netlat_tui.recording import Mark
from netlat_tui.screens.panes.paths import clock
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role
from netlat_tui.widgets.table import Table

COLUMNS = (
    Column("number", "#", 5, help="the number of the mark, in the order of time"),
    Column("time", "time", 12, help="local time of day"),
    Column("note", "NOTE", 20, 200, right=False, help="what was noted"),
)


class MarksScreen(ModalScreen[int | None]):
    """Its result is the index of the mark that was chosen with Enter, ``None`` where none was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,M", "close", "Close", id="marks.close"),
    ]

    def __init__(self, marks: Sequence[Mark], glyphs: Glyphs, *, can_go: bool) -> None:
        super().__init__()
        self._marks = marks
        self._glyphs = glyphs
        self._can_go = can_go

    def compose(self) -> ComposeResult:
        yield Canvas(self._glyphs, id="marks-title")
        yield Table(COLUMNS, self._glyphs, id="marks", empty="no marks yet: m makes one")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        title = "Marks: Enter goes to one" if self._can_go else "Marks"
        self.query_one("#marks-title", Canvas).draw(lambda _cells, _: [((f" {title}", Role.GROUP),)])
        table = self.query_one(Table)
        table.show([mark_row(number, mark, self._glyphs) for number, mark in enumerate(self._marks, 1)])
        self.set_focus(table)

    def on_table_opened(self, event: Table.Opened) -> None:
        number = event.row.key
        if self._can_go and isinstance(number, int):
            self.dismiss(number - 1)

    def action_close(self) -> None:
        self.dismiss(None)


def mark_row(number: int, mark: Mark, glyphs: Glyphs) -> Row:
    cells = (
        Cell(str(number), sort=number),
        Cell(clock(mark.time_ns), sort=mark.time_ns),
        Cell(glyphs.text(mark.text) or "-", sort=mark.text),
    )
    return Row(number, cells)
