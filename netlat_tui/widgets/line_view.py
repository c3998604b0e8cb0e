"""The base of the hot widgets: lines by the Line API, of which only the cells that changed are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.css.styles import RenderStyles
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, changes, clip, filler, width

_COMPONENTS = {role: f"line--{role.value}" for role in Role}


class LineView(ScrollView, inherit_bindings=False):
    """Shows lines that a subclass makes in ``line(index)``; ``repaint`` finds out which of them changed.

    ``fixed`` lines at the top stay when the rest scrolls. Text is never markup: spans carry a role, not a style.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = set(_COMPONENTS.values())

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
        self._painted: dict[int, Line] = {}  # what is on the screen, or will be
        self._made: list[Line] = []  # the visible lines, without what covers them
        self._made_for = (Size(0, 0), 0)  # size and scroll position
        self._laid_out_for = Size(0, 0)
        self._role_styles: dict[Role, tuple[RenderStyles, Style]] = {}

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
        before, same_size = self._painted, self._made_for[0] == self.size
        self._lay_out()
        size, top = self._made_for = self.size, self.scroll_offset.y
        self.virtual_size = Size(size.width, self.line_count())
        self._made = [self._make(y, size.width, top) for y in range(size.height)]
        self._painted = {y: self._emphasized(y, line, top) for y, line in enumerate(self._made)}
        regions: list[Region] = []
        for y, line in self._painted.items():
            old = before.get(y)
            if line == old:
                continue
            parts = [(0, size.width)]
            if old is not None and same_size:
                parts = changes(self._said(old), self._said(line), size.width)
            regions += (Region(begin, y, end - begin, 1) for begin, end in parts)
        if regions:
            self.refresh(*regions)

    def _said(self, line: Line) -> Line:
        """As this terminal can show it."""
        return tuple((self.glyphs.text(text), role) for text, role in line)

    def _lay_out(self) -> None:
        self._laid_out_for = self.size
        self.lay_out()

    def _index(self, y: int, top: int) -> int:
        return y if y < self.fixed else y + top

    def _make(self, y: int, cells: int, top: int) -> Line:
        index = self._index(y, top)
        return clip(self.line(index), cells, self.glyphs.ellipsis) if index < self.line_count() else ()

    def _emphasized(self, y: int, line: Line, top: int) -> Line:
        cover = self.emphasis(self._index(y, top))
        return line if cover is None else (("".join(text for text, _ in line), cover),)

    def on_resize(self) -> None:
        self.repaint()

    def render_line(self, y: int) -> Strip:
        size, top = self.size, self.scroll_offset.y
        if self._laid_out_for != size:
            self._lay_out()
        known = self._made_for == (size, top) and y < len(self._made)
        made = self._made[y] if known else self._make(y, size.width, top)
        self._painted[y] = self._emphasized(y, made, top)
        line = self._said(self._painted[y])
        segments = [Segment(text, self._style(role)) for text, role in line]
        return Strip(segments, width(line)).adjust_cell_length(size.width, self._style(filler(line)))

    def _style(self, role: Role) -> Style:
        """Textual works a style out again whenever a widget is refreshed; it is another only by other rules."""
        name = _COMPONENTS[role]
        rules = self._component_styles[name]
        known = self._role_styles.get(role)
        if known is None or known[0] is not rules:
            known = self._role_styles[role] = rules, self.get_component_rich_style(name)
        return known[1]


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
