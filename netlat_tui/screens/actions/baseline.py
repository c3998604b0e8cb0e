"""The baseline: a moment that was pinned, which every table compares with."""

from __future__ import annotations

from netlat_tui.model.baseline import Baseline, beside
from netlat_tui.model.noise import LEAST_BLOCKS
from netlat_tui.screens.actions.base import ViewApp


class BaselineActions(ViewApp):
    """Action of the key ``view.baseline``."""

    def action_baseline(self) -> None:
        """Pin the window on screen, or drop what was pinned."""
        state = self.state
        if state.snapshot is None or not state.snapshot.ticks:
            self.say("there is nothing to pin yet")
            return
        if state.baseline is not None:
            state.baseline = None
            self.say("baseline dropped")
        else:
            state.baseline = Baseline(state.snapshot)
            ticks = len(state.snapshot.spread.ticks)
            few = (
                f": {ticks} ticks are too few to tell changes from noise, {LEAST_BLOCKS} do"
                if ticks < LEAST_BLOCKS
                else ""
            )
            self.say(f"baseline pinned (window {state.window}), b drops it{few}", warn=bool(few))
        state.snapshot = beside(state.baseline, state.snapshot)
        self.refresh_view()
