"""The Flows pane and the view of a connection."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from netlat_tui.model.filter import parse
from netlat_tui.model.ticks import Tick
from netlat_tui.screens.flow import FlowScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.path import PathScreen
from netlat_tui.widgets.table import Table
from tests.screens.conftest import make_app, running, screen_text, shown, table_lines, until
from tests.screens.source import HOSTILE, StepSource, tick

FLOWS = "7"


def busy(seq: int, comm: str = "nginx") -> Tick:
    """Enough records of two connections, of one in both directions."""
    one = tick(seq, sent=True)
    rows = one.paths.copy()
    received = rows["direction"] == 0
    rows["saddr"][received, :4], rows["daddr"][~received, :4] = (10, 0, 0, 2), (10, 0, 0, 2)
    rows["sport"][received], rows["dport"][~received] = 40_000, 40_000
    rows["ifindex"], rows["pid"], rows["comm"] = 2, 1200, comm.encode()
    rows["sport"][received & (rows["reason"] != 0)] = 50_000
    return replace(one, paths=rows)


def source(comm: str = "nginx") -> StepSource:
    return StepSource(*(busy(seq, comm) for seq in (1, 2, 3)))


async def test_a_row_says_who_how_many_how_long_and_where() -> None:
    app = make_app(source())
    async with running(app, (200, 50)) as pilot:
        await pilot.press(FLOWS)
        await pilot.pause()
        assert "2 from 54 records, 3.00s" in screen_text(app)
        head, first, second = table_lines(app, "flows")
        assert head.split()[:4] == ["FLOW", "PROCESS", "IFACE", "rx/s"]
        assert first.startswith("▌tcp 10.0.0.9:443 ↔ 10.0.0.2:40000 nginx/1200")
        assert "socket→wakeup" in first
        assert second.split()[:4] == ["tcp", "10.0.0.9:443", "↔", "10.0.0.2:50000"]
        received = app.state.snapshot.flows.rows[0].received  # type: ignore[union-attr]
        assert (received.records, received.rate) == (33, 11)
        assert second.split()[6:11] == ["1", "0", "-", "-", "-"]


async def test_a_connection_opens_its_stages_one_of_them_its_paths_and_a_path_its_way() -> None:
    app = make_app(source())
    async with running(app, (120, 40)) as pilot:
        await pilot.press(FLOWS, "enter")
        await pilot.pause()
        assert isinstance(app.screen, FlowScreen)
        text = screen_text(app)
        for words in ("Flows › tcp 10.0.0.9:443 ↔ 10.0.0.2:40000", "nginx/1200", "slowest first", "(33 records)"):
            assert words in text
        stages = [row.cells[1].text for row in app.screen.query_one("#stages", Table).rows]
        assert stages[0] == "irq→raise"
        assert stages[-1] == "xmit→complete"
        await pilot.press("down", "enter")
        await pilot.pause()
        assert "slowest in raise→softirq" in screen_text(app)
        assert "40000 › raise→softirq" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PathScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, FlowScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert "Paths, slowest first" in screen_text(app)
        assert isinstance(app.screen, FlowScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)


async def test_the_paths_of_a_stage_are_those_slowest_in_it() -> None:
    app = make_app(source())
    async with running(app, (120, 40)) as pilot:
        await pilot.press(FLOWS, "enter", "end", "enter")
        await pilot.pause()
        assert isinstance(app.screen, FlowScreen)
        paths = [row.item for row in app.screen.query_one("#where", Table).rows]
        took = [next(s.duration_ns for s in path.stages if s.stage.name == "xmit→complete") for path in paths]  # type: ignore[attr-defined]
        assert len(took) == 18
        assert took == sorted(took, reverse=True)


async def test_the_view_of_a_connection_outlives_its_packets() -> None:
    steps = source()
    app = make_app(steps)
    async with running(app, (120, 40)) as pilot:
        await pilot.press("less_than_sign", FLOWS, "enter")
        await pilot.pause()
        steps.push(replace(busy(4), paths=busy(4).paths[:0]))
        await shown(pilot, 4)
        assert "as last seen" in screen_text(app)
        assert "nginx/1200" in screen_text(app)


async def test_its_filter_is_the_connection() -> None:
    steps = source()
    app = make_app(steps)
    async with running(app, (120, 40)) as pilot:
        await pilot.press(FLOWS, "equals_sign")
        wanted = "tcp and host 10.0.0.9 and host 10.0.0.2 and port 443 and port 40000"
        assert steps.filters[-1].text == wanted
        assert parse(wanted).text == wanted
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.filter == wanted)
        assert len(table_lines(app, "flows")) == 2


async def test_it_sorts_by_any_column() -> None:
    app = make_app(source())
    async with running(app, (200, 50)) as pilot:
        await pilot.press(FLOWS, "full_stop", "s", "I")
        await pilot.pause()
        assert len(table_lines(app, "flows")) == 3


@pytest.mark.parametrize("size", [(20, 6), (60, 20), (80, 24), (120, 40), (200, 50), (300, 80)])
async def test_every_size(size: tuple[int, int]) -> None:
    app = make_app(source())
    async with running(app, size) as pilot:
        await pilot.press(FLOWS)
        await pilot.pause()
        if size[0] >= 60:
            assert "10.0.0.9" in screen_text(app)
            assert "7 Flows" in screen_text(app)
        await pilot.press("enter", "escape", "1")
        await pilot.pause()
        if size[0] >= 120:
            assert "10.0.0.9:443 ↔" not in screen_text(app)  # it has no place among the others


@pytest.mark.parametrize("name", HOSTILE)
async def test_names_of_others_are_text(name: str) -> None:
    app = make_app(source(name))
    async with running(app, (200, 50)) as pilot:
        await pilot.press(FLOWS, "enter")
        await pilot.pause()
        text = screen_text(app)
        assert "\x1b" not in text
        assert name.replace("\x1b", "?").replace("\x07", "?") in text


async def test_ascii() -> None:
    app = make_app(source(), ascii_only=True)
    async with running(app, (120, 40)) as pilot:
        for keys in ([FLOWS], ["enter"], ["enter"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert screen_text(app).isascii()


async def test_both_views_go_to_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(tmp_path))
    app = make_app(source())
    async with running(app, (120, 40)) as pilot:
        await pilot.press(FLOWS, "e")
        await until(pilot, lambda: len(list(tmp_path.glob("netlat-flows-*"))) == 4)
        (file,) = tmp_path.glob("netlat-flows-*.json")
        first = json.loads(file.read_text())["rows"][0]
        assert (first["local"], first["lport"], first["comm"], first["rx_records"]) == ("10.0.0.9", 443, "nginx", 33)
        (file,) = tmp_path.glob("netlat-flows-*.txt")
        assert "2 from 54 records, 3.00s" in file.read_text()
        await pilot.press("enter", "e")
        await until(pilot, lambda: len(list(tmp_path.glob("netlat-flow-*"))) == 4)
        (file,) = tmp_path.glob("netlat-flow-*.csv")
        assert "rx,irq→raise,33," in file.read_text()
