"""From what is selected to how it was over time."""

from __future__ import annotations

from netlat_tui.screens.actions.base import ViewApp
from netlat_tui.screens.heat import HeatScreen


class HeatActions(ViewApp):
    """Action of the key ``heat.open``."""

    def action_heat(self) -> None:
        """Show the heatmap of the selected stage, delay or whole paths."""
        view = self.view
        dist = view.dist() if view is not None else None
        if view is None or dist is None:
            self.say("this row has no heatmap: stages, delays and whole paths of all CPUs have one")
        else:
            self.push_screen(HeatScreen(self.context, view.crumbs, dist))
