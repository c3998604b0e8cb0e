"""A kind of drop: what is known of it, and its paths."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.derive import decode_rows
from netlat_tui.model.snapshot import DropRow, Snapshot
from netlat_tui.model.text import quantity
from netlat_tui.screens.dump import View
from netlat_tui.screens.panes import drops
from netlat_tui.screens.path_list import PathListScreen
from netlat_tui.screens.view import Context, Help
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, paragraph, wrap


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


class DropScreen(PathListScreen):
    """Stays with its kind; keeps the last figures and paths where a window has none."""

    def __init__(self, context: Context, crumbs: Sequence[str], kind: DropRow) -> None:
        super().__init__(context, crumbs)
        self._kind = kind

    def show(self, snapshot: Snapshot) -> None:
        found = drops.find(snapshot, self._kind)
        if found is not None:
            self._kind = found
        self.show_paths(decode_rows(snapshot, self._kind.paths), "no path of such a packet in this window")

    def facts(self, cells: int) -> list[Line]:
        return facts(self._kind, cells, self.context.glyphs)

    def common_term(self) -> str:
        """The reason."""
        return drops.reason_term(self._kind)

    def exported(self, snapshot: Snapshot) -> View:
        return self.view("drop")

    def help(self) -> Help:
        return self.about("The latest packets that were dropped so, each with its whole way.")
