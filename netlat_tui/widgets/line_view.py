"""The base of the hot widgets: lines by the Line API, repainted only where they changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, clip


class LineView(ScrollView, inherit_bindings=False):
    """Shows lines that a subclass makes in ``line(index)``; ``repaint`` finds out which of them changed.

    ``fixed`` lines at the top stay when the rest scrolls. Text is never markup: spans carry a role, not a style.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{role.value}" for role in Role}

    fixed = 0

    def __init__(
        self,
        glyphs: Glyphs,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs
        self._painted: dict[int, Line] = {}
        self._laid_out_for = Size(0, 0)

    def line_count(self) -> int:
        raise NotImplementedError

    def line(self, index: int) -> Line:
        raise NotImplementedError

    def lay_out(self) -> None:
        """Called before lines are asked for at another size, and at every ``repaint``."""

    def emphasis(self, index: int) -> Role | None:
        """The role that covers a whole line (a cursor), if any."""
        return None

    def repaint(self) -> None:
        """Ask for the visible lines again and refresh those that are different."""
        before = self._painted
        self._lay_out()
        self.virtual_size = Size(self.size.width, self.line_count())
        self._painted = {}
        for y in range(self.size.height):
            if self._paint(y) != before.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _lay_out(self) -> None:
        self._laid_out_for = self.size
        self.lay_out()

    def _paint(self, y: int) -> Line:
        index = y if y < self.fixed else y + self.scroll_offset.y
        line: Line = ()
        if index < self.line_count():
            line = clip(self.line(index), self.size.width, self.glyphs.ellipsis)
            cover = self.emphasis(index)
            if cover is not None:
                text = "".join(text for text, _ in line)
                line = ((text, cover),)
        self._painted[y] = line
        return line

    def on_resize(self) -> None:
        self.repaint()

    def render_line(self, y: int) -> Strip:
        if self._laid_out_for != self.size:
            self._lay_out()
        line = self._paint(y)
        segments = [Segment(self.glyphs.text(text), self._style(role)) for text, role in line]
        filler = self._style(line[-1][1] if len(line) == 1 and line[0][1] is Role.CURSOR else Role.PLAIN)
        return Strip(segments).adjust_cell_length(self.size.width, filler)

    def _style(self, role: Role) -> Style:
        return self.get_component_rich_style(f"line--{role.value}")


class Lines(LineView):
    """Lines that somebody else has made."""

    can_focus = False

    def __init__(
        self,
        glyphs: Glyphs,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id, classes=classes)
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self.repaint()

    def line_count(self) -> int:
        return len(self._lines)

    def line(self, index: int) -> Line:
        return self._lines[index]
