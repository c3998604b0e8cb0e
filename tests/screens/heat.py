"""What tests of heatmaps have in common: their ticks, and where the cursor is."""

from __future__ import annotations

import dataclasses

from textual.pilot import Pilot

from netlat_tui.app import NetlatApp
from netlat_tui.model.ticks import Tick
from netlat_tui.screens.heat_view import HeatView
from netlat_tui.screens.panes.heat import Spot
from tests.screens.conftest import until
from tests.screens.source import STARTED_NS, StepSource, tick


def source(count: int = 12, **options: bool) -> StepSource:
    """Ticks of a second, every third with durations of its own."""
    return StepSource(*(tick(seq, scale=1 + 0.3 * (seq % 3), **options) for seq in range(1, count + 1)))


def resting(one: Tick) -> Tick:
    return dataclasses.replace(one, cells=one.cells[:0], sums=one.sums[:0], paths=one.paths[:0], rest=True)


def view(app: NetlatApp) -> HeatView:
    return app.screen.query_one(HeatView)


def spot(app: NetlatApp) -> Spot:
    row = view(app).selected
    assert row is not None
    assert isinstance(row.item, Spot)
    return row.item


def ended(app: NetlatApp) -> int:
    """Seconds from the first tick's beginning to the end of the cursor's column."""
    return (spot(app).time_ns + spot(app).span.until_ns - spot(app).span.since_ns - STARTED_NS) // 10**9


async def on_screen(pilot: Pilot[int], app: NetlatApp) -> None:
    await until(pilot, lambda: view(app).cursor is not None, "the cells")
