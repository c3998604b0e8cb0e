"""The Heatmap pane, and the heatmap of what was selected elsewhere."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from netlat_tui.model.points import Direction
from netlat_tui.model.ticks import Hook
from netlat_tui.screens.heat import CellScreen, HeatScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.widgets.glyphs import UNICODE
from tests.screens.conftest import make_app, running, screen_text, shown, until
from tests.screens.heat import ended, on_screen, resting, source, spot, view
from tests.screens.source import ORIGIN, StepSource, tick

SIZES = [(80, 24), (120, 40), (200, 50)]


# --- What is shown ---


@pytest.mark.parametrize("size", [*SIZES, (60, 20), (45, 12)])
@pytest.mark.parametrize("ascii_only", [False, True])
async def test_the_pane_shows_whole_paths_tick_by_tick(size: tuple[int, int], ascii_only: bool) -> None:
    app = make_app(source(), ascii_only=ascii_only)
    async with running(app, size, 12) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        grid = view(app).grid
        assert grid is not None
        assert grid.columns.counts.sum(axis=1).tolist() == [120] * 12
        text = screen_text(app)
        assert "RX total" in text
        assert "a column 1s" in text
        assert all(len(line) <= size[0] for line in text.splitlines())
        assert not ascii_only or text.isascii()


@pytest.mark.parametrize("size", SIZES[1:])
async def test_it_has_no_place_among_several_panes(size: tuple[int, int]) -> None:
    app = make_app(source(3))
    async with running(app, size) as pilot:
        await pilot.pause()
        before = screen_text(app)
        assert not app.screen.query_one("#pane-heatmap").display
        assert size[0] < 160 or "interface→data link, distribution" in before
        await pilot.press("6")
        await on_screen(pilot, app)
        assert "5 Drops" in screen_text(app).splitlines()[2]
        assert "REACHED" not in screen_text(app)
        await pilot.press("1")
        await pilot.pause()
        assert screen_text(app) == before


async def test_all_of_it_is_one_line_where_there_is_no_room() -> None:
    app = make_app(source())
    async with running(app, (80, 5), 12) as pilot:
        await pilot.press("6", "left", "enter", "escape")
        assert app.is_running
        await pilot.resize_terminal(80, 24)
        await on_screen(pilot, app)


async def test_nothing_is_made_while_nobody_looks() -> None:
    app = make_app(source())
    asked = []
    async with running(app, (80, 24), 12) as pilot:
        assert app.state.snapshot is not None
        plain = app.state.snapshot

        def heat(dist: int, least: int) -> object:
            asked.append(dist)
            return plain.heat(dist, least)

        app.state.snapshot = dataclasses.replace(plain, heat=heat)
        app.refresh_view()
        await pilot.press("2", "3", "4", "5")
        assert asked == []
        await pilot.press("6")
        await on_screen(pilot, app)
        assert asked


async def test_what_is_sent_is_shown_where_only_that_is_looked_at() -> None:
    app = make_app(source(sent=True))
    async with running(app, (100, 30), 12) as pilot:
        await pilot.press("6")
        assert view(app).title == "RX total"
        for direction, title in ((Direction.RX, "RX total"), (Direction.TX, "TX total"), (None, "RX total")):
            await pilot.press("d")
            await until(pilot, lambda wanted=direction: app.state.snapshot.direction is wanted)  # type: ignore[union-attr,misc]
            assert view(app).title == title


async def test_comma_and_full_stop_turn_to_what_was_counted() -> None:
    app = make_app(source(sent=True))
    async with running(app, (100, 30), 12) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        names = []
        for _ in range(view(app).position[1]):
            await pilot.press("full_stop")
            await pilot.pause()
            names.append(view(app).title)
            assert f"Heatmap › {view(app).title}" in screen_text(app)
            assert f"── {view(app).title}, " in screen_text(app)
        assert names[:2] == ["TX total", "irq→raise"]
        assert names[-1] == "RX total"
        assert len(set(names)) == len(names) == 5 + 2 + 13 + 7
        await pilot.press("comma")
        assert view(app).title == "application→read"


async def test_a_rest_is_not_measured_and_never_zero() -> None:
    ticks = [tick(seq) if seq % 3 else resting(tick(seq)) for seq in range(1, 10)]
    app = make_app(StepSource(*ticks))
    async with running(app, (100, 30), 9) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        lines = [line for line in screen_text(app).splitlines() if "µs" in line and UNICODE.unmeasured in line]
        assert len(lines) > 5
        assert all(line.count(UNICODE.unmeasured) == 3 for line in lines)
        assert "╎ not measured" in screen_text(app)
        assert spot(app).measured == 0
        row = view(app).selected
        assert row is not None
        assert row.cells[2].text == "not measured"
        detail = screen_text(app).splitlines()[-4:]
        assert any("not measured" in line for line in detail)
        assert not any("0 packets" in line for line in detail)


async def test_nothing_counted_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(tmp_path))
    app = make_app(StepSource(*(resting(tick(seq)) for seq in (1, 2, 3))))
    async with running(app) as pilot:
        await pilot.press("6", "enter", "left", "equals_sign", "e")
        await until(pilot, lambda: len(list(tmp_path.glob("netlat-*"))) == 4, "the files")
        assert "no packets yet: waiting for traffic" in screen_text(app)
    assert "no packets yet" in next(tmp_path.glob("*.txt")).read_text()


async def test_a_longer_window_joins_ticks() -> None:
    app = make_app(source(150))
    async with running(app, (80, 24), 150) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        assert "a column 1s" in screen_text(app)
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, lambda: "a column 3s" in screen_text(app), "joined ticks")
        grid = view(app).grid
        assert grid is not None
        assert int(grid.counts.sum()) == 150 * 120


# --- The cursor ---


async def test_the_cursor_moves_over_the_cells_and_says_what_is_in_them() -> None:
    app = make_app(source())
    async with running(app, (100, 30), 12) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        first = spot(app)
        assert ended(app) == 12
        assert first.of_column == 120
        await pilot.press("left", "h")
        assert ended(app) == 10
        await pilot.press("right")
        assert ended(app) == 11
        await pilot.press("up", "k")
        assert spot(app).span.low_ns > first.span.low_ns
        await pilot.press("down", "j")
        assert spot(app).span.low_ns == first.span.low_ns
        await pilot.press("l", "l", "l")
        assert ended(app) == 12
        await pilot.press("g")
        assert ended(app) == 1
        await pilot.press("pagedown")
        assert ended(app) == 11
        await pilot.press("pageup", "G")
        assert ended(app) == 12
        now = spot(app)
        text = screen_text(app)
        low, high = (UNICODE.duration(ns) for ns in (now.span.low_ns, now.span.high_ns))
        assert f"RX total, 00:00:11–00:00:12, {low}–{high}" in text
        share = f"{now.count / 1.2:.1f}%"
        assert f"{now.count} packets took {low}–{high}" in text
        assert f"{share} of 120 in this column" in text


async def test_the_cursor_stays_with_its_time_but_for_the_newest_column() -> None:
    steps = source()
    app = make_app(steps)
    async with running(app, (100, 30), 12) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        steps.push(tick(13))
        await shown(pilot, 13)
        assert ended(app) == 13
        await pilot.press("left", "left", "up")
        before, column = spot(app), view(app).cursor
        assert ended(app) == 11
        steps.push(tick(14))
        await shown(pilot, 14)
        assert spot(app) == before
        assert f"00:00:10–00:00:11, {UNICODE.duration(before.span.low_ns)}–" in screen_text(app)
        assert column is not None
        assert view(app).cursor == (10, column[1])


async def test_the_cursor_stays_within_what_is_left_of_its_time() -> None:
    steps = source(60)
    app = make_app(steps)
    async with running(app, (60, 24), 60) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        await pilot.press("g")
        oldest = ended(app)
        for seq in range(61, 67):  # more than there is room for: an eighth of the columns goes
            steps.push(tick(seq))
        await shown(pilot, 66)
        assert ended(app) == oldest + 5
        assert view(app).cursor is not None
        assert view(app).cursor[0] == 0  # type: ignore[index]


async def test_the_cursor_survives_counting_anew() -> None:
    steps = source()
    app = make_app(steps)
    async with running(app, (100, 30), 12) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        await pilot.press("left", "left", "ctrl+r")
        steps.push(tick(13))
        await shown(pilot, 13)
        assert ended(app) == 13


async def test_a_click_chooses_a_cell_and_another_opens_it() -> None:
    app = make_app(source())
    async with running(app, (100, 30), 12) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        wanted = spot(app)
        await pilot.press("left", "left", "left", "up", "up", "G", "up")
        widget = view(app)
        grid = widget.grid
        assert grid is not None
        row = next(at for at in range(grid.rows) if grid.low_ns(at) == wanted.span.low_ns)
        offset = (9 + len(grid.columns) - 1, 2 + grid.rows - 1 - row)
        await pilot.click(widget, offset=offset)
        assert spot(app) == wanted
        await pilot.click(widget, offset=offset)
        await until(pilot, lambda: isinstance(app.screen, CellScreen), "the paths")


# --- From elsewhere ---


async def test_what_was_selected_has_a_heatmap_of_its_own() -> None:
    app = make_app(source())
    async with running(app, (100, 30), 12) as pilot:
        await pilot.press(*["down"] * 6, "h")
        await on_screen(pilot, app)
        assert isinstance(app.screen, HeatScreen)
        assert "Layers › heatmap of irq→raise" in screen_text(app)
        await pilot.press("full_stop")
        await pilot.pause()
        assert "Layers › heatmap of raise→softirq" in screen_text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, MainScreen)
        await pilot.press("2", "h")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)
        assert "this row has no heatmap" in screen_text(app)


async def test_a_delay_that_cannot_be_seen_says_why() -> None:
    hooks = (Hook("rx", "ip", "", "none", "this kernel refuses fentry and kprobes"),)
    blind = ("data link→network", "network→transport")
    ticks = [tick(seq, blind=blind) for seq in (1, 2, 3)]
    app = make_app(StepSource(*ticks, origin=dataclasses.replace(ORIGIN, hooks=hooks)))
    async with running(app, (100, 30)) as pilot:
        await pilot.press("down", "h")
        await pilot.pause()
        assert "Layers › heatmap of data link→network" in screen_text(app)
        assert "no hook for ip: this kernel refuses fentry and kprobes" in screen_text(app)


async def test_of_one_cpu_alone_there_is_none() -> None:
    app = make_app(source())
    async with running(app, (100, 30), 12) as pilot:
        await pilot.press(*["down"] * 6, "enter", "enter", "h")
        await pilot.pause()
        assert not isinstance(app.screen, HeatScreen)
        assert "stages, delays and whole paths of all CPUs have one" in screen_text(app)


@pytest.mark.parametrize(
    ("turns", "term"),
    [(0, "rx and total >= "), (-1, ""), (1, "tx and total >= "), (2, "stage irq->raise >= ")],
)
async def test_its_filter_is_what_took_at_least_as_long(turns: int, term: str) -> None:
    app = make_app(source(3, sent=True))
    async with running(app, (100, 30)) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        await pilot.press(*["comma" if turns < 0 else "full_stop"] * abs(turns))
        low = spot(app).span.low_ns
        await pilot.press("equals_sign")
        await pilot.pause()
        if not term:
            assert "this row has nothing to filter by" in screen_text(app)
        else:
            assert app.state.selection.filter.text == f"{term}{low}ns"


# --- Files ---


async def test_it_goes_to_files_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(tmp_path))
    ticks = [tick(1), resting(tick(2)), tick(3)]
    app = make_app(StepSource(*ticks))
    async with running(app, (100, 30)) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        await pilot.press("e")
        await until(pilot, lambda: len(list(tmp_path.glob("*heatmap-20260101T000003Z*"))) == 4, "the files")
    data = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert data["view"] == ["Heatmap", "RX total"]
    rows = data["rows"]
    assert {row["time"] for row in rows} == {f"2026-01-01T00:00:0{second}.000000Z" for second in (0, 1, 2)}
    of_first = [row for row in rows if row["time"] == "2026-01-01T00:00:00.000000Z"]
    assert sum(row["count"] for row in of_first) == 120
    assert all(row["low_ns"] < row["high_ns"] for row in of_first)
    assert [row for row in rows if row["count"] is None] == [
        {"time": "2026-01-01T00:00:01.000000Z", "low_ns": None, "high_ns": None, "count": None}
    ]
    text = next(tmp_path.glob("*.txt")).read_text()
    assert "RX total" in text
    assert "packets  ░ 1" in text
    assert "240" in text
    lines = [line for line in next(tmp_path.glob("*.csv")).read_text().splitlines() if not line.startswith("#")]
    assert [dict(row)["count"] for row in csv.DictReader(lines)] == [
        "" if row["count"] is None else str(row["count"]) for row in rows
    ]


async def test_a_cell_is_copied_as_a_line() -> None:
    app = make_app(source(3))
    async with running(app, (100, 30)) as pilot:
        await pilot.press("6")
        await on_screen(pilot, app)
        await pilot.press("c")
        assert app.clipboard.startswith("00:00:02–00:00:03  65.5µs–90.1µs  ")


async def test_help_explains_columns_rows_and_marks() -> None:
    app = make_app(source(3))
    async with running(app, (100, 80)) as pilot:
        await pilot.press("6", "question_mark")
        await pilot.pause()
        text = screen_text(app)
        for words in ("A column earlier", "a second one above it is a queue", "there is no such column", "blank: none"):
            assert words in " ".join(text.split())
