"""The application: keys, actions and modes. It owns the state; screens draw it, the feed fills it."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from rich.console import Console
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from netlat_tui.model.filter import EVERYTHING, Filter, FilterError, combine, parse
from netlat_tui.model.points import Direction
from netlat_tui.screens.commands import commands_of, keys_of
from netlat_tui.screens.dump import contents
from netlat_tui.screens.dump import write as write_view
from netlat_tui.screens.feed import Feed, Selection
from netlat_tui.screens.files import folder, stem
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.player import Player, damage_words
from netlat_tui.screens.recorder import Recorder
from netlat_tui.screens.state import INTERVALS, MESSAGE_SECONDS, SPEEDS, WINDOWS, State
from netlat_tui.screens.view import Context, ViewScreen
from netlat_tui.sources.base import Source
from netlat_tui.widgets.filter_bar import FilterBar
from netlat_tui.widgets.glyphs import glyphs
from netlat_tui.widgets.svg import svg
from netlat_tui.widgets.terminal import DEFAULTS, THEMES, theme_for, wants_ascii

QUIT_SECONDS = 0.4

_NAMES = {
    "escape": "Esc", "up": "Up", "down": "Down", "space": "Space", "tab": "Tab", "shift+tab": "S-Tab",
    "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "f1": "F1",
}  # fmt: skip


class NetlatApp(App[int]):
    """Shows what a source gives. ``now_ns`` is the clock (UNIX time)."""

    TITLE = "netlat-tui"
    CSS_PATH = "app.tcss"
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
        Binding("space", "freeze", "Freeze the display, or pause the replay", show=False, id="view.freeze"),
        Binding("right_square_bracket", "step", "Next tick of the recording", show=False, id="replay.step"),
        Binding("less_than_sign", "window(-1)", "Shorter time window", show=False, id="view.window_shorter"),
        Binding("greater_than_sign", "window(1)", "Longer time window", show=False, id="view.window_longer"),
        Binding("plus", "interval(1)", "Longer interval, or faster replay", show=False, id="view.interval_longer"),
        Binding("minus", "interval(-1)", "Shorter interval, or slower replay", show=False, id="view.interval_shorter"),
        Binding("d", "direction", "Direction: both, rx, tx", show=False, id="view.direction"),
        Binding("ctrl+r", "reset", "Reset statistics", show=False, id="view.reset"),
        Binding("e", "export", "Write the view to files", show=False, id="view.export"),
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
        self.state = State(source.live, interval, banner=banner, selection=selection)
        self.state.cpus = max(1, len(source.origin.cpus))
        if not source.live:
            self.state.recorded_filter = source.origin.filter
        self.context = Context(self.state, glyphs(ascii_only), now_ns)
        self.source = source
        self.player = source if isinstance(source, Player) else None
        self.recorder = Recorder(source.origin)
        self.feed = Feed(source, selection, lambda: self._announce(), self.recorder.take)
        self._silence: Timer | None = None

    # -- life

    def on_mount(self) -> None:
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.exit, 128 + number)
        self.push_screen(MainScreen(self.context))
        self.set_interval(1.0, self._refresh_frame)
        self.feed.start()

    def _announce(self) -> None:
        """Called from the deriver's thread."""
        try:
            self.post_message(self.Fresh())
        except RuntimeError:  # the loop has just been closed: nobody is left to tell
            return

    def on_netlat_app_fresh(self) -> None:
        """Take the newest snapshot and show it."""
        state = self.state
        if state.snapshot is None and not self.is_headless:
            # What there is now stays to the end: to go through all of it for garbage now and then took 60 ms each time.
            gc.freeze()
        state.snapshot = self.feed.fetch() or state.snapshot
        state.error, state.ended = self.feed.error or damage_words(self.source), self.feed.ended
        self._hear_recorder()
        self._refresh()

    @property
    def view(self) -> ViewScreen | None:
        """The view on top, under whatever dialogue is open; none while it is being made or taken apart."""
        views = (screen for screen in reversed(self.screen_stack) if isinstance(screen, ViewScreen))
        return next((view for view in views if view.is_whole), None)

    def _refresh(self) -> None:
        if self.view is not None:
            self.view.refresh_view()

    def _refresh_frame(self) -> None:
        if self.view is not None:
            self.view.refresh_frame()

    async def action_quit(self) -> None:
        self.exit(0)

    def action_interrupt(self) -> None:
        self.exit(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that are letters belong to the filter while one is typed; only a recording has a next tick."""
        if action == "step":
            return self.player is not None
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
        """Hold the display, collection goes on; pause or play a recording."""
        self.state.frozen = not self.state.frozen
        if self.player is None:
            self.feed.freeze(self.state.frozen)
        elif self.state.frozen:
            self.player.pause()
        else:
            self.player.play()
        self._refresh()

    def action_step(self) -> None:
        """One more tick of a recording, which is paused."""
        if self.player is not None:
            if not self.state.frozen:
                self.action_freeze()
            self.player.step()

    def action_window(self, step: int) -> None:
        windows = [window for window, _ in WINDOWS]
        at = windows.index(self.state.selection.window_ns) + step
        if 0 <= at < len(windows):
            self._select(replace(self.state.selection, window_ns=windows[at]))

    def action_interval(self, step: int) -> None:
        """The time between ticks, live; the speed of a recording."""
        if self.player is not None:
            self.state.speed = _next(SPEEDS, self.state.speed, step)
            self.player.set_speed(self.state.speed)
        else:
            self.state.interval = _next(INTERVALS, self.state.interval, step)
            self.source.set_interval(self.state.interval)
        self._refresh()

    def action_direction(self) -> None:
        order = (None, Direction.RX, Direction.TX)
        at = (order.index(self.state.selection.direction) + 1) % len(order)
        self._select(replace(self.state.selection, direction=order[at]))

    def action_reset(self) -> None:
        self.feed.reset()
        self.say("statistics start anew")

    # -- rows and files

    def action_copy(self) -> None:
        text = self.view.row_text() if self.view is not None else ""
        if text:
            self.copy_to_clipboard(text)
            self.say("row copied")

    def action_export(self) -> None:
        """Write the view to text, JSON, CSV and SVG files; a thread does it, for a disk can be slow."""
        snapshot, view = self.state.snapshot, self.view
        if snapshot is None or view is None:
            self.say("there is nothing to write yet")
            return
        exported = view.exported(snapshot)
        picture = self.export_screenshot(title=f"netlat-tui {' > '.join(exported.crumbs)}", simplify=True)

        def write() -> None:
            texts = contents(exported, snapshot, self.source.origin, self.state.live, picture)
            sentence, bad = write_view(exported, texts, folder(), stem(exported.name, snapshot.time_ns))
            with suppress(RuntimeError):  # the loop has just been closed: nobody is left to see it
                self.post_message(ViewScreen.Say(sentence, bad))

        threading.Thread(target=write, name="export", daemon=True).start()

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
        self._hear_recorder()
        self._refresh()

    def _hear_recorder(self) -> None:
        self.state.recording = str(self.recorder.wanted or "")
        for sentence, bad in self.recorder.news():
            self.say(sentence, warn=bad)

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

    # -- help and actions

    def action_help(self, always: bool = False) -> None:
        if self.view is not None:
            keys = keys_of(self.view, self.get_key_display)
            self.push_screen(HelpScreen(self.view.help(), keys, self.context.glyphs))

    def action_command_palette(self) -> None:
        if not any(isinstance(screen, CommandPalette) for screen in self.screen_stack):
            self.push_screen(CommandPalette(placeholder="an action's name", id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the view with its key."""
        if self.view is not None:
            yield from commands_of(self.view, self, self.get_key_display)
        yield SystemCommand("Other colours", "", self.action_change_theme)

    def get_key_display(self, binding: Binding) -> str:
        if binding.key == "enter":
            return "Enter" if self.context.glyphs.ascii_only else "⏎"
        if binding.key_display and binding.key != binding.key_display and len(binding.key) == 1:
            return binding.key  # an alias of a key that is displayed otherwise
        return _NAMES.get(binding.key) or super().get_key_display(binding)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def on_view_screen_say(self, event: ViewScreen.Say) -> None:
        self.say(event.sentence, warn=event.warn)

    def say(self, sentence: str, *, warn: bool = False) -> None:
        """Show a sentence for a moment."""
        self.state.message, self.state.message_warns = sentence, warn
        if self._silence is not None:
            self._silence.stop()
        self._silence = self.set_timer(MESSAGE_SECONDS, self._say_no_more)
        self._refresh_frame()

    def _say_no_more(self) -> None:
        self.state.message = ""
        self._refresh_frame()


def _next(steps: tuple[float, ...], now: float, step: int) -> float:
    """The next of the steps from the one nearest to ``now``, none beyond the ends."""
    nearest = min(range(len(steps)), key=lambda index: abs(steps[index] - now))
    return steps[min(len(steps) - 1, max(0, nearest + step))]


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
    app = NetlatApp(
        source,
        chosen=parse(filter_text),
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
    words = app.context.glyphs.text
    for sentence, _ in app.recorder.news():
        print(words(sentence), file=sys.stderr)
    if app.feed.error:
        print(f"netlat-tui: {words(app.feed.error)}", file=sys.stderr)
    return code or app.feed.exit_code
