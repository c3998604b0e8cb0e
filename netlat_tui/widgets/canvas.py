"""A widget that is drawn by a function of its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.line_view import LineView
from netlat_tui.widgets.lines import Line

Painter = Callable[[int, int], Sequence[Line]]
"""Takes width and height in cells, returns lines; more lines than the height can be scrolled to."""


class Canvas(LineView):
    """Draws what its painter says; asks it again when the size changes."""

    can_focus = False

    def __init__(
        self,
        glyphs: Glyphs,
        *,
        id: str | None = None,  # noqa: A002 (Textual's word)
        classes: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id, classes=classes)
        self._painter: Painter | None = None
        self._lines: Sequence[Line] = ()

    def draw(self, painter: Painter | None) -> None:
        self._painter = painter
        self.repaint()

    def lay_out(self) -> None:
        width, height = self.size
        self._lines = self._painter(width, height) if self._painter and width and height else ()

    def line_count(self) -> int:
        return len(self._lines)

    def line(self, index: int) -> Line:
        return self._lines[index]
