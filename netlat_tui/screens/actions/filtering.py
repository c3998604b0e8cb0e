"""Which packets are shown: the filter and the direction."""

from __future__ import annotations

from dataclasses import replace

from netlat_tui.model.filter import EVERYTHING, Filter, FilterError, combine, parse
from netlat_tui.model.points import Direction
from netlat_tui.screens.actions.base import ViewApp
from netlat_tui.widgets.filter_bar import FilterBar


class FilterActions(ViewApp):
    """Actions of the keys ``filter.*`` and ``view.direction``."""

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
            self.state.frozen = False
            self.feed.freeze(False)
        self.select(replace(self.state.selection, filter=chosen))

    def action_direction(self) -> None:
        order = (None, Direction.RX, Direction.TX)
        at = (order.index(self.state.selection.direction) + 1) % len(order)
        self.select(replace(self.state.selection, direction=order[at]))
