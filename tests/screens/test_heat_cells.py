"""The paths of a heatmap's cell."""

from __future__ import annotations

from netlat_tui.screens.heat import CellScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.path import PathScreen
from netlat_tui.widgets.table import Table
from tests.screens.conftest import make_app, running, screen_text, shown, until
from tests.screens.heat import on_screen, source, spot
from tests.screens.source import tick


async def test_a_cell_opens_its_paths_and_one_of_them_its_way() -> None:
    app = make_app(source(3))
    async with running(app, (100, 30)) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        cell = spot(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, CellScreen)
        rows = app.screen.query_one(Table).rows
        paths = [row.item for row in rows]
        assert paths
        for path in paths:
            assert cell.span.low_ns <= path.total_ns < (cell.span.high_ns or 0)  # type: ignore[attr-defined]
            end = path.t0_ns + path.total_ns  # type: ignore[attr-defined]
            assert cell.span.since_ns < end <= cell.span.until_ns
        text = screen_text(app)
        assert f"counted {cell.count} " in text
        assert f"with a record {len(paths)}" in text
        assert "slow, dropped and sampled packets have a record" in text
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PathScreen)
        assert app.screen.path == paths[0]
        await pilot.press("escape")
        assert isinstance(app.screen, CellScreen)
        await pilot.press("escape")
        assert isinstance(app.screen, MainScreen)
        assert spot(app) == cell


async def test_a_cell_keeps_its_paths_when_the_figures_begin_anew() -> None:
    steps = source(3)
    app = make_app(steps)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        await pilot.press("enter")
        before = [row.key for row in app.screen.query_one(Table).rows]
        await pilot.press("ctrl+r")
        steps.push(tick(4))
        await shown(pilot, 4)
        assert before
        assert [row.key for row in app.screen.query_one(Table).rows] == before


async def test_an_empty_cell_is_not_opened() -> None:
    app = make_app(source(3))
    async with running(app, (100, 30)) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        await pilot.press(*["down"] * 30, "enter")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)
        assert "no packet was counted in this cell" in screen_text(app)


async def test_the_filter_selects_among_the_paths_and_leaves_the_count() -> None:
    app = make_app(source(3))
    async with running(app, (100, 30)) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        await pilot.press("enter")
        every = len(app.screen.query_one(Table).rows)
        await pilot.press("slash", *"pid 1", "enter")
        await until(pilot, lambda: "none of those with a record matches the filter" in screen_text(app), "the filter")
        assert "listed are those with a record that match the filter" in screen_text(app)
        assert "with a record 0" in screen_text(app)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: len(app.screen.query_one(Table).rows) == every, "the paths again")
