"""The application: keys, actions and modes. It owns the state; screens draw it, the feed fills it."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from rich.console import Console
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from netlat_tui.model.filter import EVERYTHING, Filter, FilterError, combine, parse
from netlat_tui.model.points import Direction
from netlat_tui.screens.feed import Feed, Selection
from netlat_tui.screens.files import folder, stem
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.recorder import Recorder
from netlat_tui.screens.state import INTERVALS, WINDOWS, State
from netlat_tui.screens.view import Context, ViewScreen
from netlat_tui.sources.base import Source
from netlat_tui.widgets.filter_bar import FilterBar
from netlat_tui.widgets.glyphs import glyphs
from netlat_tui.widgets.svg import svg
from netlat_tui.widgets.terminal import DEFAULTS, THEMES, theme_for, wants_ascii

MOVES = ("row.up", "row.down", "row.page", "row.first", "row.last")
"""Ids of the bindings that only move the cursor: nobody looks for them by name."""
PALETTE_CELLS = 40
QUIT_SECONDS = 0.4
INTERRUPTED = 130


class NetlatApp(App[int]):
    """Shows what a source gives. ``now_ns`` is the clock (UNIX time)."""

    TITLE = "netlat-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,f", "filter", "Filter", id="filter.open", key_display="/"),
        Binding("question_mark", "help", "Help", id="help.open", key_display="?"),
        Binding("f1", "help(True)", "Help", show=False, id="help.always"),
        Binding("colon", "command_palette", "Actions", id="palette.open"),
        Binding("q", "quit", "Quit", id="app.quit"),
        Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True, id="app.interrupt"),
        Binding("equals_sign", "filter_row", "Filter by the selected row", show=False, id="filter.row"),
        Binding("ctrl+l", "clear_filter", "Clear the filter", show=False, id="filter.clear"),
        Binding("space", "freeze", "Freeze the display", show=False, id="view.freeze"),
        Binding("less_than_sign", "window(-1)", "Shorter time window", show=False, id="view.window_shorter"),
        Binding("greater_than_sign", "window(1)", "Longer time window", show=False, id="view.window_longer"),
        Binding("plus", "interval(1)", "Longer interval", show=False, id="view.interval_longer"),
        Binding("minus", "interval(-1)", "Shorter interval", show=False, id="view.interval_shorter"),
        Binding("d", "direction", "Direction: both, rx, tx", show=False, id="view.direction"),
        Binding("ctrl+r", "reset", "Reset statistics", show=False, id="view.reset"),
        Binding("R", "record", "Record on or off", show=False, id="record.toggle"),
        Binding("c", "copy", "Copy the row", show=False, id="row.copy"),
    ]

    class Fresh(Message):
        """A snapshot is ready to be fetched."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, NetlatApp.Fresh)

    def __init__(
        self,
        source: Source,
        *,
        chosen: Filter = EVERYTHING,
        direction: Direction | None = None,
        banner: str = "",
        ascii_only: bool = False,
        interval: float = 1.0,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(ansi_color=True)  # said this early, or NO_COLOR would turn our colours into greys
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_for(os.environ).name
        selection = Selection(chosen, direction)
        self.state = State(source.live, interval, banner, selection, cpus=max(1, len(source.origin.cpus)))
        self.context = Context(self.state, glyphs(ascii_only), now_ns)
        self.source = source
        self.recorder = Recorder(source.origin)
        self.feed = Feed(source, selection, lambda: self._announce(), self.recorder.take)

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as SVG, in colours and fonts of our own choosing: the terminal's are not ours to know."""
        width, height = self.size
        console = Console(
            width=width,
            height=height,
            file=io.StringIO(),
            force_terminal=True,
            color_system="truecolor",
            record=True,
            legacy_windows=False,
            safe_box=False,
        )
        console.print(
            self.screen._compositor.render_update(full=True, screen_stack=self._background_screens, simplify=simplify)
        )
        return svg(console, title or self.title, dark=self.current_theme.dark)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def _announce(self) -> None:
        """Called from the deriver's thread."""
        try:
            self.post_message(self.Fresh())
        except RuntimeError:  # the loop has just been closed: nobody is left to tell
            return

    # -- life

    def on_mount(self) -> None:
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.exit, INTERRUPTED)
        self.push_screen(MainScreen(self.context))
        self.set_interval(1.0, self._tick_clock)
        self.feed.start()

    def on_netlat_app_fresh(self) -> None:
        self.fetch()

    def fetch(self) -> None:
        """Take the newest snapshot and show it."""
        snapshot = self.feed.fetch()
        self.state.snapshot = snapshot or self.state.snapshot
        self.state.recording = str(self.recorder.wanted or "")
        for sentence, bad in self.recorder.news():
            self.say(sentence, warn=bad)
        self.state.error, self.state.ended = self.feed.error, self.feed.ended
        self._refresh()

    @property
    def view(self) -> ViewScreen | None:
        """The view on top, under whatever dialogue is open."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, ViewScreen)), None)

    def _refresh(self) -> None:
        if self.view is not None and self.view.is_whole:
            self.view.refresh_view()

    def _tick_clock(self) -> None:
        if self.view is not None and self.view.is_whole:
            self.view.refresh_frame()

    async def action_quit(self) -> None:
        self.exit(0)

    def action_interrupt(self) -> None:
        self.exit(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that are letters belong to the filter while one is typed: the footer then does not offer them."""
        typing = isinstance(self.focused, Input)
        return not (typing and action in ("filter", "help", "command_palette", "quit") and not parameters)

    # -- filter

    def action_filter(self) -> None:
        if self.view is not None:
            self.view.open_filter()

    def action_filter_row(self) -> None:
        """Add the selected row to the filter."""
        term = self.view.term() if self.view is not None else ""
        if not term:
            self.say("this row has nothing to filter by")
            return
        try:
            self.apply_filter(parse(combine(self.state.selection.filter.text, term)))
        except FilterError as error:
            self.say(f"this row cannot be added to the filter: {error}", warn=True)

    def action_clear_filter(self) -> None:
        if self.state.selection.filter.text:
            self.apply_filter(EVERYTHING)

    def on_filter_bar_applied(self, event: FilterBar.Applied) -> None:
        if self.view is not None:
            self.view.close_filter()
        self.apply_filter(event.filter)

    def apply_filter(self, chosen: Filter) -> None:
        """Hand a filter down and show what it selects; a frozen display goes on: its figures are of another filter."""
        self.source.set_filter(chosen)
        if self.state.frozen and self.state.live:
            self.action_freeze()
        self._select(replace(self.state.selection, filter=chosen))

    def _select(self, selection: Selection) -> None:
        self.state.selection = selection
        self.feed.select(selection)
        self._refresh()

    # -- modes

    def action_freeze(self) -> None:
        """Hold the display; collection goes on."""
        self.state.frozen = not self.state.frozen
        self.feed.freeze(self.state.frozen)
        self._refresh()

    def action_window(self, step: int) -> None:
        windows = [window for window, _ in WINDOWS]
        at = windows.index(self.state.selection.window_ns) + step
        if 0 <= at < len(windows):
            self._select(replace(self.state.selection, window_ns=windows[at]))

    def action_interval(self, step: int) -> None:
        at = min(range(len(INTERVALS)), key=lambda index: abs(INTERVALS[index] - self.state.interval)) + step
        if 0 <= at < len(INTERVALS):
            self.state.interval = INTERVALS[at]
            self.source.set_interval(self.state.interval)
            self._refresh()

    def action_direction(self) -> None:
        order = (None, Direction.RX, Direction.TX)
        at = (order.index(self.state.selection.direction) + 1) % len(order)
        self._select(replace(self.state.selection, direction=order[at]))

    def action_reset(self) -> None:
        self.feed.reset()
        self.say("statistics start anew")

    def action_record(self) -> None:
        """Write what is collected to a file, or end it."""
        if not self.state.live:
            self.say("this is a recording already")
        elif self.recorder.wanted is not None:
            self.recorder.end()
        else:
            path = folder() / f"{stem('recording', self.context.now_ns())}.netlat"
            self.recorder.begin(path)
            self.say(f"recording to {path}")
        self.state.recording = str(self.recorder.wanted or "")
        self._refresh()

    def action_copy(self) -> None:
        text = self.view.row_text() if self.view is not None else ""
        if text:
            self.copy_to_clipboard(text)
            self.say("row copied")

    # -- help and actions

    def action_help(self, always: bool = False) -> None:
        if self.view is not None:
            self.push_screen(HelpScreen(self.view.help(), self._keys(self.view), self.context.glyphs))

    def _keys(self, view: Screen[None]) -> list[tuple[str, str]]:
        """Keys and descriptions of everything that can be done in a view, one line per action."""
        keys: dict[str, list[str]] = {}
        for active in view.active_bindings.values():
            binding = active.binding
            if binding.id:
                keys.setdefault(binding.description, []).append(self.key_name(binding.key))
        return [(" ".join(names), words) for words, names in keys.items()]

    def key_name(self, key: str) -> str:
        return self.get_key_display(Binding(key, ""))

    def get_key_display(self, binding: Binding) -> str:
        if binding.key == "enter":
            return "Enter" if self.context.glyphs.ascii_only else "⏎"
        names = {"escape": "Esc", "up": "Up", "down": "Down", "space": "Space", "tab": "Tab", "shift+tab": "S-Tab"}
        return names.get(binding.key) or super().get_key_display(binding)

    def action_command_palette(self) -> None:
        if not any(isinstance(screen, CommandPalette) for screen in self.screen_stack):
            self.push_screen(CommandPalette(placeholder="an action's name", id="--command-palette"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the view with its key."""
        view = self.view
        if view is None:
            return
        seen: set[str] = set()
        for active in view.active_bindings.values():
            binding, node = active.binding, active.node
            if (
                not binding.id
                or binding.id.startswith(MOVES)
                or binding.action in seen
                or binding.action == "command_palette"
            ):
                continue
            seen.add(binding.action)

            async def run(action: str = binding.action, at: object = node) -> None:
                await self.run_action(action, default_namespace=at)  # type: ignore[arg-type]

            yield SystemCommand(f"{binding.description:<{PALETTE_CELLS}}{self.key_name(binding.key)}", "", run)
        yield SystemCommand("Other colours", "", self.action_change_theme)

    def say(self, sentence: str, *, warn: bool = False) -> None:
        """A sentence for a moment, never markup."""
        words = self.context.glyphs.text(sentence)
        self.notify(words, severity="warning" if warn else "information", timeout=6, markup=False)


def run(
    source: Source,
    *,
    filter_text: str = "",
    direction: Direction | None = None,
    banner: str = "",
    ascii_only: bool = False,
    interval: float = 1.0,
) -> int:
    """Show a source until its user quits; stop it and return the exit code. ``FilterError``: the filter is wrong.

    The caller closes the source. What ended the collection, if it did, is repeated on stderr.
    """
    chosen = parse(filter_text)
    app = NetlatApp(
        source,
        chosen=chosen,
        direction=direction,
        banner=banner,
        ascii_only=ascii_only or wants_ascii(os.environ),
        interval=interval,
    )
    try:
        code = app.run()
    finally:
        if app.feed.stop(QUIT_SECONDS):
            app.recorder.close()
    for sentence, _ in app.recorder.news():
        print(app.context.glyphs.text(sentence), file=sys.stderr)
    if app.feed.error:
        print(f"netlat-tui: {app.context.glyphs.text(app.feed.error)}", file=sys.stderr)
    return code or app.feed.exit_code
