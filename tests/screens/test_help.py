"""Help is about the screen one is on: every column, every row, every point in a sentence, and what is normal."""

from __future__ import annotations

import re

import pytest

from netlat_tui.model.points import DELAYS, GAUGES, POINTS, STAGES, Direction
from netlat_tui.screens.catalogue import TABLES
from netlat_tui.screens.help import FILTER, STATUS, HelpScreen, words_of
from netlat_tui.screens.panes.base import Measured
from netlat_tui.screens.view import ViewScreen
from netlat_tui.widgets.canvas import Canvas
from tests.screens.conftest import make_app, running, screen_text
from tests.screens.source import StepSource, tick

VIEWS: dict[str, list[str]] = {
    "layers": [],
    "cpus": ["2"],
    "irqs": ["3"],
    "paths": ["4"],
    "drops": ["5"],
    "delay": ["enter"],
    "total": [*["down"] * 5, "enter"],
    "stage": [*["down"] * 7, "enter"],
    "cpu": ["2", "enter"],
    "softirq wait": ["2", "enter", "enter"],
    "irq": ["3", "enter"],
    "handler": ["3", "enter", "enter"],
    "path": ["4", "enter"],
    "drop": ["5", "enter"],
}
WHAT_THINGS_ARE = {
    "stage", "cpu", "irq", "name", "iface", "time", "way", "flow", "reason", "where", "reached", "last", "point", "bar",
    "process", "window", "total", "finding", "sentence",
}  # fmt: skip
"""Columns that say which, not how much: there is no normal of them."""


def one_space(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("size", [(80, 24), (60, 12)])
@pytest.mark.parametrize("keys", VIEWS.values(), ids=VIEWS)
async def test_help_shows_every_sentence_by_scrolling(keys: list[str], size: tuple[int, int]) -> None:
    app = make_app(StepSource(*(tick(seq, sent=True) for seq in (1, 2, 3))))
    async with running(app, size) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        view = app.screen
        assert isinstance(view, ViewScreen)
        about = view.help()
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        page = app.screen.query_one("#help", Canvas)
        lines: list[str] = []
        while True:
            shown = screen_text(app).splitlines()[:-1]
            assert all(len(line) <= size[0] for line in shown)
            at = page.scroll_offset.y
            lines[at:] = shown
            if at >= page.max_scroll_y:
                break
            await pilot.press("pagedown")
            await pilot.pause()
        text = one_space(" ".join(lines))
        said = [about.title, about.summary, *(column.help for column in about.columns)]
        said += [words for _, words in (*about.intervals, *FILTER)]
        if about.stages:
            said += [words for _, words in STATUS]
            said += [words_of(point) for points in POINTS.values() for point in points]
        for sentence in said:
            assert one_space(sentence) in text, sentence


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_a_sentence_and_says_what_is_normal(name: str) -> None:
    for column in TABLES[name]:
        assert len(column.help.split()) >= 4, column.key
        assert not column.help.endswith(".")
        if column.key not in WHAT_THINGS_ARE:
            assert "normal" in column.help, f"{name} {column.key}: {column.help}"


def test_every_stage_delay_and_gauge_says_what_it_is_and_what_is_normal() -> None:
    for stage in STAGES:
        assert stage.start.summary in stage.sentence
        assert stage.end.summary in stage.sentence
        assert re.search(r"normally (below [0-9]+ (µs|ms)|few|none)", stage.sentence), stage.name
        assert stage.end.key in ("drop", "forward") or "longer: " in stage.sentence
    for delay in DELAYS:
        assert "normally below " in delay.normal
        assert delay.summary
    for gauge in GAUGES[:6]:
        assert "normally below " in gauge.sentence, gauge.key


@pytest.mark.parametrize("direction", Direction)
def test_every_point_says_what_is_normal_of_the_way_to_it(direction: Direction) -> None:
    for point in POINTS[direction][1:]:
        assert "normally " in point.normal, point.name
        assert point.key in ("drop", "forward") or point.slow


def test_a_stage_that_spans_others_may_take_as_long_as_they_may() -> None:
    by_name = {stage.name: stage.normal for stage in STAGES if stage.direction is Direction.RX}
    assert "below 10 µs on an idle machine; longer: other softirqs" in by_name["raise→softirq"]
    assert "below 25 µs" in by_name["link→socket"]
    assert "netfilter, routing" in by_name["link→socket"]
    assert "a busy socket's backlog" in by_name["link→socket"]
    assert "else as long as that stays away" in by_name["socket→copy"]
    assert "else as long as that stays away" not in by_name["copy→return"]


async def test_a_stage_says_what_is_normal_where_one_looks_at_it() -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        await pilot.press(*["down"] * 7, "enter")
        await pilot.pause()
        assert "normal" in screen_text(app)
        assert "below 10 µs on an idle machine" in one_space(screen_text(app))
        await pilot.press("escape", "4", "enter")
        await pilot.pause()
        assert " normally below" in one_space(screen_text(app))


@pytest.mark.parametrize("keys", [[], ["2", "enter"], ["3", "enter"], ["4", "enter"]])
async def test_all_rows_of_a_view_are_explained(keys: list[str]) -> None:
    app = make_app(StepSource(*(tick(seq, sent=True) for seq in (1, 2, 3))))
    async with running(app, (120, 60)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert isinstance(app.screen, ViewScreen)
        table = app.screen.main_table()
        assert table is not None
        named = {name for name, _ in app.screen.help().intervals}
        for row in table.rows:
            if not row.heading and hasattr(row.item, "stage"):
                assert row.item.stage.name in named
            elif isinstance(row.item, Measured):
                assert row.item.title in named
