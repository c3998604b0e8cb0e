"""The application: its life from the first snapshot to the last key. It owns the state; screens draw it, the feed fills
it, and what keys do is in ``screens/actions``."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from netlat_tui.model.baseline import beside
from netlat_tui.model.filter import EVERYTHING, Filter, parse
from netlat_tui.model.points import Direction
from netlat_tui.screens.actions.baseline import BaselineActions
from netlat_tui.screens.actions.columns import ColumnActions
from netlat_tui.screens.actions.files import FileActions
from netlat_tui.screens.actions.filtering import FilterActions
from netlat_tui.screens.actions.heat import HeatActions
from netlat_tui.screens.actions.help import HelpActions
from netlat_tui.screens.actions.marking import MARK, MarkActions
from netlat_tui.screens.actions.time import SEEK, TimeActions
from netlat_tui.screens.feed import Feed, Selection
from netlat_tui.screens.keys import KEYS
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.player import Player, damage_words
from netlat_tui.screens.recorder import Recorder
from netlat_tui.screens.settings import Keeper, Settings, load
from netlat_tui.screens.state import State
from netlat_tui.screens.view import Context, ViewScreen
from netlat_tui.sources.base import Source
from netlat_tui.widgets.ask_bar import AskBar
from netlat_tui.widgets.glyphs import glyphs
from netlat_tui.widgets.terminal import DEFAULTS, THEMES, theme_for, wants_ascii

QUIT_SECONDS = 0.4


class NetlatApp(
    TimeActions, BaselineActions, MarkActions, FilterActions, FileActions, HeatActions, ColumnActions, HelpActions
):
    """Shows what a source gives. ``now_ns`` is the clock (UNIX time)."""

    TITLE = "netlat-tui"
    CSS_PATH = "app.tcss"
    COMMAND_PALETTE_BINDING = "ctrl+p"

    BINDINGS: ClassVar[list[BindingType]] = KEYS

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
        settings: Settings | None = None,
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
        self.settings = settings or Settings()
        self.keeper = Keeper(self.settings.keep_in, self._not_kept)
        self.use_columns()
        self.context = Context(self.state, glyphs(ascii_only), now_ns)
        self.source = source
        self.player = self.state.player = source if isinstance(source, Player) else None
        self.recorder = Recorder(source.origin)
        self.feed = Feed(source, selection, lambda: self._announce(), self.recorder.take)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def on_mount(self) -> None:
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.exit, 128 + number)
        self.set_keymap(dict(self.settings.keys))
        self.push_screen(MainScreen(self.context))
        if self.settings.sentences:
            more = len(self.settings.sentences) - 1
            self.say(self.settings.sentences[0] + (f" ({more} more when it ends)" if more else ""), warn=True)
        self.set_interval(1.0, self.refresh_frame)
        self.feed.start()
        self.survey()

    def _announce(self) -> None:
        """Called from the deriver's thread."""
        try:
            self.post_message(self.Fresh())
        except RuntimeError:  # the loop has just been closed: nobody is left to tell
            return

    def _not_kept(self, sentence: str) -> None:
        """Called from the keeper's thread."""
        try:
            self.post_message(ViewScreen.Say(sentence, warn=True))
        except RuntimeError:
            return

    def on_netlat_app_fresh(self) -> None:
        """Take the newest snapshot and show it."""
        state = self.state
        if state.snapshot is None and not self.is_headless:
            # What there is now stays to the end: to go through all of it for garbage now and then took 60 ms each time.
            gc.freeze()
        fresh = self.feed.fetch() or state.snapshot
        state.snapshot = beside(state.baseline, fresh) if fresh is not None else None
        state.error, state.ended = self.feed.error or damage_words(self.source), self.feed.ended
        self.hear_recorder()
        self.refresh_view()

    def on_view_screen_say(self, event: ViewScreen.Say) -> None:
        self.say(event.sentence, warn=event.warn)

    def on_ask_bar_answered(self, event: AskBar.Answered) -> None:
        event.stop()
        if self.view is not None:
            self.view.close_ask()
        if event.question.key == MARK:
            self.make_mark(event.text)
        elif event.question.key == SEEK:
            self.seek_to(event.text)

    async def action_quit(self) -> None:
        self.exit(0)

    def action_interrupt(self) -> None:
        self.exit(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that are letters belong to the filter while one is typed; only a recording has a next tick."""
        if action in ("step", "seek", "mark_step"):
            return self.player is not None
        typing = isinstance(self.focused, Input)
        return not (typing and action in ("filter", "help", "command_palette", "quit") and not parameters)


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
        settings=load(),
    )
    try:
        code = app.run()
    finally:
        app.keeper.close(QUIT_SECONDS)
        if app.feed.stop(QUIT_SECONDS):
            app.recorder.close()
    words = app.context.glyphs.text
    for sentence in app.settings.sentences:
        print(f"netlat-tui: {words(sentence)}", file=sys.stderr)
    for sentence, _ in app.recorder.news():
        print(words(sentence), file=sys.stderr)
    if app.feed.error:
        print(f"netlat-tui: {words(app.feed.error)}", file=sys.stderr)
    if code is None and app.return_code:
        print("netlat-tui: The view failed, the lines above say where: this is a mistake in it.", file=sys.stderr)
    return code or app.return_code or app.feed.exit_code
