"""Paths that have something in common, what is known of all of them, and the way of the one under the cursor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from textual.app import ComposeResult

from netlat_tui.export import values
from netlat_tui.model.paths import Path
from netlat_tui.screens.detail import detail
from netlat_tui.screens.dump import View, table_lines
from netlat_tui.screens.panes.paths import COLUMNS, path_row, term
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.stage import FILE_CELLS
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.table import Table


class PathListScreen(ViewScreen):
    """A screen of this kind says which paths they are, and what they have in common."""

    def __init__(self, context: Context, crumbs: Sequence[str]) -> None:
        super().__init__(context, crumbs)
        self._paths: list[Path] = []

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="facts")
        yield Table(COLUMNS, glyphs, id="stages", empty="waiting for the first figures")
        yield Canvas(glyphs, id="plot")

    def show_paths(self, paths: list[Path], empty: str) -> None:
        """List these, with their facts; ``empty`` is said where there is none."""
        self._paths = paths
        self.query_one(Table).show([path_row(path, self.context.glyphs) for path in paths], empty)
        self.show_facts()
        self._draw()

    def _draw(self) -> None:
        _, painter = detail(self.query_one(Table).selected, self.context.glyphs)
        self.query_one("#plot", Canvas).draw(painter)

    def on_table_moved(self) -> None:
        self._draw()

    def on_table_opened(self, event: Table.Opened) -> None:
        if isinstance(event.row.item, Path):
            crumbs = (*self.crumbs, self.context.glyphs.text(event.row.item.flow))
            self.app.push_screen(PathScreen(self.context, crumbs, event.row.item))

    def term(self) -> str:
        """The selected packet's flow, else what all have in common."""
        row = self.query_one(Table).selected
        return term(row) if row is not None else self.common_term()

    @abstractmethod
    def common_term(self) -> str:
        """A filter for what all of them have in common."""

    def view(self, kind: str) -> View:
        """What is written to a file."""
        rows = [path_row(path, self.context.glyphs) for path in self._paths]
        lines = [*self.facts(FILE_CELLS), (), *table_lines(COLUMNS, rows)]
        return View(kind, self.crumbs, [values.path(path) for path in self._paths], lines)

    def about(self, summary: str) -> Help:
        return Help(self.crumbs[-1], summary, COLUMNS, True)
