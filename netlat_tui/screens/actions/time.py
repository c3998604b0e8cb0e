"""Time: holding it, going through a recording, and how much of it the figures cover."""

from __future__ import annotations

from dataclasses import replace

from netlat_tui.screens.actions.base import ViewApp
from netlat_tui.screens.state import INTERVALS, SPEEDS, WINDOWS


class TimeActions(ViewApp):
    """Actions of the keys ``view.freeze``, ``view.window_*``, ``view.interval_*``, ``view.reset``, ``replay.*``."""

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
