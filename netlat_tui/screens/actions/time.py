"""Time: holding it, going through a recording, and how much of it the figures cover."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

from textual.message import Message

from netlat_tui.screens.actions.base import NO_WAY_BACK, ViewApp
from netlat_tui.screens.panes.paths import clock
from netlat_tui.screens.seeking import EXAMPLES, SeekError, target
from netlat_tui.screens.state import INTERVALS, SPEEDS, WINDOWS
from netlat_tui.widgets.ask_bar import Question
from netlat_tui.widgets.scrubber import Scrubber

SEEK = "seek"


class TimeActions(ViewApp):
    """Actions of the keys ``view.freeze``, ``view.window_*``, ``view.interval_*``, ``view.reset``, ``replay.*``."""

    class Surveyed(Message):
        """Where everything is in the recording is known, or that nobody can know."""

    def action_freeze(self) -> None:
        """Hold the display, collection goes on; pause or play a recording."""
        self.state.frozen = not self.state.frozen
        if self.player is None:
            self.feed.freeze(self.state.frozen)
        elif self.state.frozen:
            self.player.pause()
        else:
            self.player.play()
        self.refresh_view()

    def action_step(self, ticks: int = 1) -> None:
        """One more tick of a recording, which is paused; or one back."""
        if self.player is None:
            return
        if not self.state.frozen:
            self.action_freeze()
        if ticks > 0:
            self.player.step()
        elif not self._surveyed():
            return
        elif self.player.number <= 1:
            self.say("this is the recording's first tick")
        else:
            self.player.move(ticks)
        self.refresh_view()

    def _surveyed(self) -> bool:
        """Whether the recording can be gone through; says so if not."""
        if self.state.timeline is None:
            self.say("looking through the recording first" if self.state.surveying else NO_WAY_BACK, warn=True)
        return self.state.timeline is not None

    def action_seek(self) -> None:
        """Ask where to go in a recording."""
        if self.player is not None and self._surveyed() and self.view is not None:
            self.view.ask(Question(SEEK, "go to:", EXAMPLES, self._judge_place))

    def _judge_place(self, text: str) -> tuple[bool, str]:
        timeline, player = self.state.timeline, self.player
        if timeline is None or player is None:
            return False, NO_WAY_BACK
        try:
            number = target(text, timeline, player.number)
        except SeekError as error:
            return False, str(error)
        at = clock(timeline.times_ns[number - 1], 0)[:8]
        return True, f"Enter: tick {number} of {timeline.count}, {at}"

    def seek_to(self, text: str) -> None:
        if self.state.timeline is not None and self.player is not None:
            with suppress(SeekError):  # it was judged when Enter was pressed
                self.go_to(target(text, self.state.timeline, self.player.number))

    def on_scrubber_sought(self, event: Scrubber.Sought) -> None:
        event.stop()
        if self.state.timeline is not None:
            self.go_to(self.state.timeline.at_share(event.share))

    def survey(self) -> None:
        """Find out where everything is in a recording, in a thread: it may have to be read for it."""
        player = self.player
        if player is None:
            return
        self.state.surveying = True

        def run() -> None:
            player.survey()
            with suppress(RuntimeError):  # the loop has just been closed
                self.post_message(self.Surveyed())

        threading.Thread(target=run, name="survey", daemon=True).start()

    def on_time_actions_surveyed(self) -> None:
        self.state.surveying = False
        if self.player is not None and self.player.timeline is not None:
            self.state.timeline = self.player.timeline
            made = self.state.marks
            self.state.marks = list(self.player.timeline.marks)
            for mark in made:
                self.state.marked(mark)
        self.refresh_view()

    def action_window(self, step: int) -> None:
        windows = [window for window, _ in WINDOWS]
        at = windows.index(self.state.selection.window_ns) + step
        if 0 <= at < len(windows):
            self.select(replace(self.state.selection, window_ns=windows[at]))

    def action_interval(self, step: int) -> None:
        """The time between ticks, live; the speed of a recording."""
        if self.player is not None:
            self.state.speed = _next(SPEEDS, self.state.speed, step)
            self.player.set_speed(self.state.speed)
        else:
            self.state.interval = _next(INTERVALS, self.state.interval, step)
            self.source.set_interval(self.state.interval)
        self.refresh_view()

    def action_reset(self) -> None:
        self.feed.reset()
        self.say("statistics start anew")


def _next(steps: tuple[float, ...], now: float, step: int) -> float:
    """The next of the steps from the one nearest to ``now``, none beyond the ends."""
    nearest = min(range(len(steps)), key=lambda index: abs(steps[index] - now))
    return steps[min(len(steps) - 1, max(0, nearest + step))]
