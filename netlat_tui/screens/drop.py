"""A kind of drop: what is known of it, and its paths."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from netlat_tui.export import values
from netlat_tui.model.derive import decode_rows
from netlat_tui.model.paths import Path
from netlat_tui.model.snapshot import DropRow, Snapshot
from netlat_tui.model.text import quantity
from netlat_tui.screens.detail import detail
from netlat_tui.screens.dump import View, table_lines
from netlat_tui.screens.panes import drops
from netlat_tui.screens.panes.paths import COLUMNS, path_row, term
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.stage import FILE_CELLS
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, paragraph, wrap
from netlat_tui.widgets.table import Table


def facts(kind: DropRow, cells: int, glyphs: Glyphs) -> list[Line]:
    """Why, who, how many, how far: wrapped."""
    point, summary = "none", "they were dropped before they were seen anywhere"
    if kind.point is not None:
        point, summary = kind.point.name, f"{kind.point.summary}; it was the last point they were seen at"
    pairs = [
        ("reason", kind.reason),
        ("dropped by", kind.where),
        ("direction", kind.direction.label),
        ("count", quantity(kind.count, kind.estimated)),
        ("/s", quantity(kind.rate, kind.estimated)),
    ]
    spans = (((f" {name} ", Role.DIM), (f"{glyphs.text(value)} ", Role.STRONG)) for name, value in pairs)
    return [*wrap(spans, cells), *paragraph((f" {point}", Role.STRONG), glyphs.text(summary), cells, 12)]


class DropScreen(ViewScreen):
    """Stays with its kind; keeps the last figures and paths where a window has none."""

    def __init__(self, context: Context, crumbs: Sequence[str], kind: DropRow) -> None:
        super().__init__(context, crumbs)
        self._kind = kind
        self._paths: list[Path] = []

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="facts")
        yield Table(COLUMNS, glyphs, id="stages", empty="no path of such a packet in this window")
        yield Canvas(glyphs, id="plot")

    def show(self, snapshot: Snapshot) -> None:
        found = drops.find(snapshot, self._kind)
        if found is not None:
            self._kind = found
        self._paths = decode_rows(snapshot, self._kind.paths)
        self.query_one(Table).show([path_row(path, self.context.glyphs) for path in self._paths])
        self.show_facts()
        self._draw()

    def facts(self, cells: int) -> list[Line]:
        return facts(self._kind, cells, self.context.glyphs)

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
        """The selected packet's flow, else the reason."""
        row = self.query_one(Table).selected
        return term(row) if row is not None else drops.reason_term(self._kind)

    def exported(self, snapshot: Snapshot) -> View:
        glyphs = self.context.glyphs
        rows = [path_row(path, glyphs) for path in self._paths]
        lines = [*self.facts(FILE_CELLS), (), *table_lines(COLUMNS, rows)]
        return View("drop", self.crumbs, [values.path(path) for path in self._paths], lines)

    def help(self) -> Help:
        return Help(self.crumbs[-1], "The latest packets that were dropped so, each with its whole way.", COLUMNS, True)
