"""The filter's input line, which says what is wrong while one types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from netlat_tui.model.filter import Filter, FilterError, parse
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.line_view import Lines
from netlat_tui.widgets.lines import Line, Role

PROMPT_CELLS = 3
EXAMPLES = "port 443 and not tcp, iface eth0, cpu 0-3, total > 1ms"


def mistake_line(error: FilterError, text: str, scrolled: int, cells: int) -> Line:
    """A caret under the mistake, and what was expected there. ``scrolled``: columns the input has moved left.

    The words stand to the left of the caret where there is no room to its right.
    """
    column = max(0, cell_len(text[: error.column]) - scrolled) + PROMPT_CELLS
    words = str(error)
    if column + 2 + cell_len(words) > cells and cell_len(words) + 2 <= column:
        return ((" " * (column - 1 - cell_len(words)), Role.PLAIN), (words, Role.WARM), (" ^", Role.HOT))
    return ((" " * min(column, max(0, cells - 2 - cell_len(words))), Role.PLAIN), ("^ ", Role.HOT), (words, Role.WARM))


class FilterBar(Vertical):
    """Shown while a filter is typed. Enter applies it when it has no mistake; Escape leaves everything as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="filter.cancel")]

    @dataclass
    class Applied(Message):
        """Enter on a filter without mistakes."""

        filter: Filter

    class Cancelled(Message):
        """Escape."""

    def __init__(self, glyphs: Glyphs, *, live: bool) -> None:
        super().__init__(id="filter-bar")
        self.live = live
        self.glyphs = glyphs
        self.display = False

    def compose(self) -> ComposeResult:
        with Horizontal(id="filter-line"):
            yield Static("/", markup=False, id="filter-prompt")
            yield Input(placeholder=EXAMPLES, compact=True, id="filter-input")
        yield Lines(self.glyphs, id="filter-error")

    @property
    def _input(self) -> Input:
        return self.query_one(Input)

    def open(self, text: str) -> None:
        self.display = True
        self._input.value = text
        self._input.cursor_position = len(text)
        self._input.focus()
        self._judge(text)

    def close(self) -> None:
        self.display = False

    def _judge(self, text: str) -> Filter | None:
        lines = self.query_one(Lines)
        try:
            chosen = parse(text)
        except FilterError as error:
            lines.show([mistake_line(error, text, self._input.scroll_offset.x, self.size.width)])
            return None
        if not chosen.text:
            words = "Enter: everything"
        elif not self.live:
            words = "Enter: selects paths only; the figures stay those of the recording"
        elif not chosen.user_text:
            words = f"Enter: the kernel decides all of it: {chosen.kernel_text}"
        elif chosen.kernel_text:
            words = f"Enter: the kernel decides {chosen.kernel_text}; {chosen.user_text} selects paths only"
        else:
            words = "Enter: selects paths only, the figures stay those of all packets"
        lines.show([((" " * PROMPT_CELLS + self.glyphs.text(words), Role.DIM),)])
        return chosen

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self._judge(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        chosen = self._judge(event.value)
        if chosen is not None:
            self.post_message(self.Applied(chosen))

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled())
