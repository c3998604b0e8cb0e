"""The frame of every screen: status line, banner, where one is, filter, body, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Static

from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.text import printable
from netlat_tui.screens.dump import View
from netlat_tui.screens.state import State
from netlat_tui.screens.status import crumbs_line, played, status_line
from netlat_tui.widgets.ask_bar import AskBar, Question
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.cells import Column, Row
from netlat_tui.widgets.filter_bar import FilterBar
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.heatmap import Heatmap
from netlat_tui.widgets.lines import Line
from netlat_tui.widgets.partial import CellCompositor
from netlat_tui.widgets.scrubber import Scrubber
from netlat_tui.widgets.table import Table


@dataclass(frozen=True)
class Context:
    """What every screen is given. ``now_ns`` is the clock: UNIX time."""

    state: State
    glyphs: Glyphs
    now_ns: Callable[[], int]


@dataclass(frozen=True)
class Help:
    """What the help screen says of a view: of all that is on it, in a sentence each, and what is normal."""

    title: str
    summary: str
    columns: Sequence[Column] = ()
    stages: bool = False  # whether the points of the stack are explained
    intervals: Sequence[tuple[str, str]] = ()  # those it shows, by name, with a sentence each


class ViewScreen(Screen[None]):
    """A screen that shows the state's snapshot. Subclasses compose a body and fill it in ``show``."""

    AUTO_FOCUS = ""

    HORIZONTAL_BREAKPOINTS = [(0, "-sliver"), (40, "-narrow"), (80, "-medium"), (120, "-wide"), (160, "-broad")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (3, "-low"), (10, "-short"), (20, "-middling"), (36, "-tall")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", id="view.back")]

    @dataclass
    class Say(Message):
        """A sentence to show for a moment."""

        sentence: str
        warn: bool = False

    def __init__(self, context: Context, crumbs: Sequence[str]) -> None:
        super().__init__(classes="-ascii" if context.glyphs.ascii_only else None)
        self._compositor = CellCompositor()
        self.context = context
        self.crumbs = tuple(crumbs)

    # -- for subclasses

    def compose_body(self) -> ComposeResult:
        raise NotImplementedError

    def show(self, snapshot: Snapshot) -> None:
        """Fill the body from a snapshot."""
        raise NotImplementedError

    def main_table(self) -> Table | Heatmap | None:
        """The table, or what stands in its place, that has, or should have, the focus."""
        return next(iter(self.query(Table)), None)

    def facts(self, cells: int) -> Sequence[Line]:
        """What is said at the top of the body, wrapped; for screens with a ``#facts`` canvas."""
        return ()

    def beside(self) -> str:
        """What is said beside where one is."""
        return ""

    def help(self) -> Help:
        raise NotImplementedError

    def exported(self, snapshot: Snapshot) -> View:
        """What the view is in files."""
        raise NotImplementedError

    def term(self) -> str:
        """The filter for what is selected, "" where there is none."""
        return ""

    def dist(self) -> int | None:
        """The distribution of what is selected, ``None`` where it is not kept tick by tick."""
        return None

    # -- the frame

    def compose(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="status")
        yield Static("", markup=False, id="banner")
        yield Canvas(glyphs, id="crumbs")
        yield FilterBar(glyphs, live=self.context.state.live)
        yield AskBar(glyphs)
        yield from self.compose_body()
        yield Scrubber(glyphs)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        state, glyphs = self.context.state, self.context.glyphs
        self.query_one("#status", Canvas).draw(lambda w, _: [status_line(state, self.context.now_ns(), w, glyphs)])
        self.query_one("#crumbs", Canvas).draw(lambda w, _: [crumbs_line(self.crumbs, state, w, glyphs, self.beside())])
        self.focus_table()
        self.show_columns()
        self.refresh_view()

    @property
    def is_whole(self) -> bool:
        """Composed, and not being taken apart."""
        return self.is_mounted and self.query_one_optional("#crumbs", Canvas) is not None

    def on_screen_resume(self) -> None:
        if self.is_whole:
            self.show_columns()
            self.refresh_view()

    def show_columns(self) -> None:
        """Show the columns that were chosen for the tables of their kind."""
        for table in self.query(Table):
            table.show_columns(self.context.state.orders.get(table.columns))

    def on_resize(self) -> None:
        self.show_facts()
        self.call_after_refresh(self._keep_focus)

    def _keep_focus(self) -> None:
        """A table for which there was no room lost the focus: it gets it back when there is."""
        if self.is_whole and self.focused is None:
            self.focus_table()

    def show_facts(self) -> None:
        """Draw the facts in as many lines as they take."""
        for canvas in self.query("#facts").results(Canvas):
            canvas.styles.height = max(1, len(self.facts(self.size.width)))
            canvas.draw(lambda cells, _: self.facts(cells))

    def focus_table(self) -> None:
        table = self.main_table()
        if table is not None:
            self.set_focus(table)  # at once: keys may follow faster than messages

    def refresh_view(self) -> None:
        """Draw everything again from the state; only what changed is repainted."""
        self.refresh_frame()
        if self.context.state.snapshot is not None:
            self.show(self.context.state.snapshot)

    def refresh_frame(self) -> None:
        """The lines that change with the clock alone."""
        self.query_one("#status", Canvas).repaint()
        self.query_one("#crumbs", Canvas).repaint()
        state = self.context.state
        self.query_one(Scrubber).play(played(state))
        words = self.context.glyphs.text(state.message or state.error or state.not_compared or state.banner)
        banner = self.query_one("#banner", Static)
        if banner.content != words:
            banner.update(words)
        banner.display = bool(words)
        banner.set_class(bool(state.message and not state.message_warns), "-news")
        banner.set_class(bool(state.error and not state.message), "-error")

    def row_text(self) -> str:
        """The selected row as a line of text, for the clipboard."""
        table = self.main_table()
        row = table.selected if table is not None else None
        return row_words(row) if row is not None else ""

    # -- filter bar and back

    @property
    def filter_bar(self) -> FilterBar:
        return self.query_one(FilterBar)

    def open_filter(self) -> None:
        self.query_one(AskBar).close()
        self.filter_bar.open(self.context.state.selection.filter.text)

    def close_filter(self) -> None:
        self.filter_bar.close()
        self.focus_table()

    def on_filter_bar_cancelled(self) -> None:
        self.close_filter()

    @property
    def typing_nothing(self) -> bool:
        return not self.filter_bar.display and not self.query_one(AskBar).display

    def ask(self, question: Question) -> None:
        """Ask for a line of text; the answer goes to the application."""
        self.filter_bar.close()
        self.query_one(AskBar).ask(question)

    def close_ask(self) -> None:
        self.query_one(AskBar).close()
        self.focus_table()

    def action_back(self) -> None:
        """Close the filter or the question if one is open, else go up one level."""
        if self.query_one(AskBar).display:
            self.close_ask()
        elif self.filter_bar.display:
            self.close_filter()
        elif len(self.app.screen_stack) > 2:
            self.app.pop_screen()


def row_words(row: Row) -> str:
    """A row's fields as printable text, two spaces apart."""
    texts = [*(cell.text.strip() for cell in row.cells), row.note]
    return "  ".join(printable(text) for text in texts if text)
