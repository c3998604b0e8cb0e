"""What the keys do, as their user sees it."""

from __future__ import annotations

import pytest
from textual import events

from netlat_tui.model.points import Direction
from netlat_tui.screens.drop import DropScreen
from netlat_tui.screens.heat import CellScreen, HeatScreen
from netlat_tui.screens.heat_view import HeatView
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.panes.layers import SHARE
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.scope import ScopeScreen
from netlat_tui.screens.stage import StageScreen
from netlat_tui.widgets.filter_bar import FilterBar
from netlat_tui.widgets.heatmap import Heatmap
from netlat_tui.widgets.table import Table
from tests.screens.conftest import make_app, running, screen_text, shown, table_lines, until
from tests.screens.source import StepSource, tick


async def test_the_panes_open_by_number_and_tab() -> None:
    app = make_app()
    async with running(app) as pilot:
        assert "STAGE" in screen_text(app)
        await pilot.press("2")
        assert "NET_RX" in screen_text(app)
        await pilot.press("tab")
        assert "HANDLER" in screen_text(app).upper()
        await pilot.press("tab")
        assert "slowest first" in screen_text(app)
        await pilot.press("tab")
        assert "REACHED" in screen_text(app)
        await pilot.press("tab")
        assert "Heatmap › RX total" in screen_text(app)
        await pilot.press("tab")
        assert "PROCESS" in screen_text(app)
        await pilot.press("tab")
        assert "FINDING" in screen_text(app)
        await pilot.press("tab")
        assert "STAGE" in screen_text(app)
        await pilot.press("shift+tab")
        assert "FINDING" in screen_text(app)
        await pilot.press("5")
        assert "REACHED" in screen_text(app)
        await pilot.press("w")
        assert "FINDING" in screen_text(app)


@pytest.mark.parametrize(
    ("keys", "screen", "crumbs"),
    [
        (["enter"], StageScreen, "Layers › interface→data link"),
        (["enter", "enter"], StageScreen, "Layers › interface→data link › cpu0"),
        ([*["down"] * 5, "enter"], StageScreen, "Layers › RX total"),
        ([*["down"] * 6, "enter"], StageScreen, "Layers › irq→raise"),
        (["2", "G", "enter"], ScopeScreen, "CPUs › cpu3"),
        (["2", "enter", "enter"], StageScreen, "CPUs › cpu0 › softirq wait"),
        (["3", "enter"], ScopeScreen, "IRQs › irq 41 virtio1-input.0"),
        (["4", "enter"], PathScreen, "Paths › tcp 10.0.0.2:40007 → 10.0.0.9:443"),
        (["4", "enter", "enter"], StageScreen, "› socket→wakeup"),
        ([*["down"] * 6, "enter", "enter"], StageScreen, "Layers › irq→raise › cpu0"),
        (["5", "enter"], DropScreen, "Drops › NO_SOCKET at udp_queue_rcv_one_skb+0x1f"),
        (["6", "enter"], CellScreen, "Heatmap › RX total › 00:00:02–00:00:03 65.5µs–"),
        (["6", "enter", "enter"], PathScreen, "› tcp 10.0.0.3:40002 → 10.0.0.9:443"),
        (["h"], HeatScreen, "Layers › heatmap of interface→data link"),
        (["h", "enter"], CellScreen, "Layers › heatmap of interface→data link › 00:00:02–00:00:03 "),
        (["enter", "h"], HeatScreen, "Layers › interface→data link › heatmap of interface→data link"),
        (["4", "enter", "h"], HeatScreen, "› heatmap of socket→wakeup"),
        (["5", "enter", "enter"], PathScreen, "+0x1f › tcp 10.0.0.3:40005 → 10.0.0.9:443"),
    ],
)
async def test_enter_opens_the_next_finer_thing_and_escape_leads_back(
    keys: list[str], screen: type, crumbs: str
) -> None:
    app = make_app()
    async with running(app, (100, 30)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert isinstance(app.screen, screen)
        assert crumbs in screen_text(app).splitlines()[1]
        await pilot.press("escape", "escape", "escape", "escape")
        assert isinstance(app.screen, MainScreen)
        assert app.is_running


async def test_a_stage_shows_its_distribution() -> None:
    app = make_app()
    async with running(app, (100, 30)) as pilot:
        await pilot.press(*["down"] * 7, "enter")
        await pilot.pause()
        text = screen_text(app)
        assert "the NET_RX softirq began to run" in text
        assert "^p50" in text
        assert "360 samples" in text  # three ticks of two CPUs; the interrupt's are the same packets again
        assert "by CPU" in text
        assert "irq 41" in text


async def test_a_path_shows_every_point_with_time_and_cpu() -> None:
    app = make_app()
    async with running(app, (100, 30)) as pilot:
        await pilot.press("4", "enter")
        await pilot.pause()
        lines = screen_text(app).splitlines()
        path = app.screen.path  # type: ignore[attr-defined]
        table = [
            line.strip("▌ ").split()
            for line in lines[lines.index(next(line for line in lines if "POINT" in line)) + 1 :]
        ]
        for passage in path.points:
            row = next(row for row in table if passage.point.name in row[:2])
            assert str(passage.cpu) in row[:4]
        assert "nginx (pid 1201)" in screen_text(app)
        assert "irq ambiguous: one of several, perhaps 41" in screen_text(app)


async def test_a_dropped_path_says_why() -> None:
    app = make_app()
    async with running(app, (120, 24)) as pilot:
        await pilot.press("4", "G")
        assert "dropped: NO_SOCKET" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "outcome dropped: NO_SOCKET" in screen_text(app)


async def test_the_latest_and_the_slowest_paths() -> None:
    app = make_app()
    async with running(app, (120, 24)) as pilot:
        await pilot.press("4")
        totals = [row.item.total_ns for row in app.screen.query_one("#table-paths", Table).rows]  # type: ignore[attr-defined]
        assert totals == sorted(totals, reverse=True)
        await pilot.press("o")
        times = [row.item.time_ns for row in app.screen.query_one("#table-paths", Table).rows]  # type: ignore[attr-defined]
        assert times == sorted(times, reverse=True)
        assert "latest first" in screen_text(app)


async def test_freezing_holds_the_figures_while_collection_goes_on() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (100, 24)) as pilot:
        await pilot.press("space")
        before = table_lines(app, "layers")
        assert " FROZEN " in screen_text(app)
        source.push(tick(4, scale=3.0))
        await until(pilot, lambda: app.feed.ticks_seen == 4)
        await pilot.press("less_than_sign", "greater_than_sign")
        await pilot.pause()
        assert table_lines(app, "layers") == before
        await pilot.press("space")
        await shown(pilot, 4)
        assert " LIVE " in screen_text(app)
        assert table_lines(app, "layers") != before


async def test_the_time_window() -> None:
    app = make_app(StepSource(*(tick(seq) for seq in range(1, 16))))
    async with running(app, (100, 24), seq=15) as pilot:
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.ticks == 10)
        assert "window 10 s" in screen_text(app)
        await pilot.press("less_than_sign")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.ticks == 1)
        assert "window last tick" in screen_text(app)
        await pilot.press("less_than_sign")
        assert "window last tick" in screen_text(app)
        for name in ("10 s", "1 min", "5 min", "all", "all"):
            await pilot.press("greater_than_sign")
            assert f"window {name}" in screen_text(app)
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.ticks == 15)


async def test_the_interval_reaches_the_source() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (100, 24)) as pilot:
        await pilot.press("plus")
        assert source.intervals == [2.0]
        assert "every 2s" in screen_text(app)
        await pilot.press("minus", "minus")
        assert source.intervals == [2.0, 1.0, 0.5]


async def test_the_direction() -> None:
    app = make_app()
    async with running(app, (100, 24)) as pilot:
        await pilot.press("d")
        assert app.state.selection.direction is Direction.RX
        await pilot.press("d")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.direction is Direction.TX)
        assert "no packets yet: waiting for traffic, tx only" in screen_text(app)
        await pilot.press("d")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.direction is None)
        assert "irq→raise" in screen_text(app)


async def test_statistics_can_start_anew() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (100, 24)) as pilot:
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.ticks == 0)
        assert "waiting for traffic" in screen_text(app)
        source.push(tick(4))
        await shown(pilot, 4)
        assert app.state.snapshot is not None
        assert app.state.snapshot.accounting.seen == 120


async def test_sorting() -> None:
    app = make_app()
    async with running(app, (110, 34)) as pilot:
        table = app.screen.query_one("#table-layers", Table)
        natural = [row.key for row in table.rows]
        await pilot.press("comma", "s")  # the last column that can be sorted by: share
        shares = [row.cells[SHARE].sort for row in table.rows if row.cells[SHARE].sort is not None]
        assert len(shares) == 13  # stages; the whole path has none
        assert shares == sorted(shares, reverse=True)
        assert "↓share" in table_lines(app, "layers")[0]
        assert not any(row.heading for row in table.rows)
        await pilot.press("I")
        shares = [row.cells[SHARE].sort for row in table.rows if row.cells[SHARE].sort is not None]
        assert shares == sorted(shares)
        assert "↑share" in table_lines(app, "layers")[0]
        await pilot.press("s")
        assert [row.key for row in table.rows] == natural


async def test_zoom_shows_one_pane_and_escape_ends_it() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        assert "2 CPUs" in screen_text(app)
        assert "NET_RX" in screen_text(app)
        await pilot.press("z")
        await pilot.pause()
        assert "NET_RX" not in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "NET_RX" in screen_text(app)


async def test_copying_a_row() -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press(*["down"] * 6, "c")
        assert app.clipboard.startswith("irq→raise  120  ")


async def test_help_explains_every_column_and_point_of_the_view() -> None:
    app = make_app()
    async with running(app, (100, 120)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        text = screen_text(app)
        assert "99 of 100 packets were faster" in text
        assert "the reader, woken for the packet, was given a CPU" in text
        assert "Freeze the display, or pause the replay" in text
        await pilot.press("escape", "2", "f1")
        await pilot.pause()
        assert "put off to the ksoftirqd thread" in screen_text(app)


async def test_the_palette_runs_actions() -> None:
    app = make_app()
    async with running(app, (100, 40)) as pilot:
        await pilot.press("colon", *"freeze")
        await until(pilot, lambda: "Freeze the display, or pause the replay" in screen_text(app), "the command")
        await pilot.press("enter")
        await until(pilot, lambda: app.state.frozen, "the freeze")


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_quitting(key: str) -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: not app.is_running)
    assert app.return_value == 0


async def test_escape_never_quits() -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press(*["escape"] * 5)
        assert app.is_running
        assert isinstance(app.screen, MainScreen)


def test_every_binding_can_be_remapped() -> None:
    app = make_app()
    screens = [MainScreen, PathScreen, DropScreen, ScopeScreen, StageScreen, HeatScreen, CellScreen, HelpScreen]
    kinds = [type(app), *screens, Table, Heatmap, HeatView, FilterBar]
    bindings = [binding for kind in kinds for binding in kind.__dict__.get("BINDINGS", ())]
    assert len(bindings) > 30
    assert [binding.key for binding in bindings if not binding.id] == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_keys_typed_ahead_go_where_they_were_meant(size: tuple[int, int]) -> None:
    app = make_app()
    async with running(app, size) as pilot:
        for key, character in (("4", "4"), ("j", "j"), ("enter", None)):
            app.post_message(events.Key(key, character))
        await until(pilot, lambda: isinstance(app.screen, PathScreen))


@pytest.mark.parametrize(("away", "back"), [("6", "1"), ("z", "z")])
async def test_a_pane_that_comes_into_sight_shows_the_present(away: str, back: str) -> None:
    """Where several are shown at once: what is out of sight meanwhile is not made."""
    source = StepSource(tick(1))
    app = make_app(source)
    async with running(app, (130, 40), seq=1) as pilot:

        def cpus() -> list[str]:
            return table_lines(app, "cpus")

        await until(pilot, lambda: len(cpus()) > 1, "the first figures")
        before = cpus()
        await pilot.press(away)
        await until(pilot, lambda: not app.screen.query_one("#pane-cpus").display, "the pane is out of sight")
        source.push(tick(2))
        await shown(pilot, 2)
        assert cpus() == before
        await pilot.press(back)
        await until(pilot, lambda: cpus() != before, "the present")
        assert app.screen.query_one("#pane-cpus").display
