"""What all actions work on: the state, the feed that fills it, and the view that shows it."""

from __future__ import annotations

from textual.app import App
from textual.timer import Timer

from netlat_tui.screens.feed import Feed, Selection
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.player import Player
from netlat_tui.screens.recorder import Recorder
from netlat_tui.screens.state import MESSAGE_SECONDS, State
from netlat_tui.screens.view import Context, ViewScreen
from netlat_tui.sources.base import Source

NO_WAY_BACK = "this recording cannot be gone through: write what comes through a pipe to a file, and replay that"


class ViewApp(App[int]):
    """The base of the application: it makes what is declared here before anything is shown."""

    state: State
    context: Context
    source: Source
    player: Player | None
    """The source again, where its time can be held."""
    recorder: Recorder
    feed: Feed
    _silence: Timer | None = None

    @property
    def view(self) -> ViewScreen | None:
        """The view on top, under whatever dialogue is open; none while it is being made or taken apart."""
        views = (screen for screen in reversed(self.screen_stack) if isinstance(screen, ViewScreen))
        return next((view for view in views if view.is_whole), None)

    @property
    def _shown(self) -> ViewScreen | None:
        """The view, unless a page hides all of it: of what changes below a page all of the page is sent again."""
        return None if isinstance(next(reversed(self.screen_stack), None), HelpScreen) else self.view

    def refresh_view(self) -> None:
        """Draw the view again from the state. One that is hidden is when it is seen again."""
        if self._shown is not None:
            self._shown.refresh_view()

    def refresh_frame(self) -> None:
        """Draw again what changes with the clock alone."""
        if self._shown is not None:
            self._shown.refresh_frame()

    def select(self, selection: Selection) -> None:
        """Show another part of what was collected."""
        self.state.selection = selection
        self.feed.select(selection)
        self.refresh_view()

    def go_to(self, number: int) -> None:
        """Show a recording's tick of this number; every tick before it is counted too, as if it had been played."""
        if self.player is not None and self.player.seek(number):
            self.refresh_view()
        else:
            self.say(NO_WAY_BACK, warn=True)

    def say(self, sentence: str, *, warn: bool = False) -> None:
        """Show a sentence for a moment."""
        self.state.message, self.state.message_warns = sentence, warn
        if self._silence is not None:
            self._silence.stop()
        self._silence = self.set_timer(MESSAGE_SECONDS, self._say_no_more)
        self.refresh_frame()

    def _say_no_more(self) -> None:
        self.state.message = ""
        self.refresh_frame()
