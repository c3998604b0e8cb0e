"""What a path's CPUs were doing while it waited, on its screen and in what is written of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from netlat_tui.model.ticks import Tick
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.view import ViewScreen
from netlat_tui.widgets.lines import plain
from netlat_tui.widgets.table import Table
from tests.screens.conftest import make_app, running, screen_text, shown, until
from tests.screens.source import StepSource, path, tick

LATE, READ = 3, 0
"""The latest paths: the first waited for its reader, the fourth for its softirq."""


async def opened(app: Any, pilot: Any, down: int) -> PathScreen:
    await pilot.press("4", "o", *["down"] * down, "enter")
    await until(pilot, lambda: isinstance(app.screen, PathScreen), "the path")
    await pilot.pause()
    screen: PathScreen = app.screen
    return screen


def lines_of(screen: PathScreen) -> list[str]:
    table = screen.query_one(Table)
    return [plain(table.line(index)).rstrip() for index in range(table.line_count())]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_below_the_point_that_was_late_stands_what_its_cpu_was_doing(size: tuple[int, int]) -> None:
    app = make_app()
    async with running(app, size) as pilot:
        lines = lines_of(await opened(app, pilot, READ))
        below = next(index for index, line in enumerate(lines) if "cpu1 ran hog/812 until then" in line)
        assert lines[below - 1].strip("▌ ").startswith("wakeup")
        assert "cpu1 ran hog/812 until then" in screen_text(app)


async def test_what_kept_a_softirq_is_said_in_the_order_it_happened() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        lines = lines_of(await opened(app, pilot, LATE))
        below = next(index for index, line in enumerate(lines) if "ksoftirqd" in line)
        assert lines[below].strip() == "TIMER, SCHED ran before it; left to ksoftirqd; cpu3 was idle until then"
        assert lines[below - 1].strip().startswith("softirq")


async def test_where_nothing_is_known_nothing_is_said() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        screen = await opened(app, pilot, 1)
        assert len(lines_of(screen)) == 1 + len(screen.path.points)
        assert "until then" not in screen_text(app)
        assert "meanwhile" not in screen_text(app)


async def test_the_cursor_passes_over_what_is_said_of_a_gap() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        screen = await opened(app, pilot, READ)
        table = screen.query_one(Table)
        assert table.selected is not None and table.selected.item == screen.path.worst
        await pilot.press("down")
        assert table.selected.cells[0].text == "copy"


async def test_names_of_others_are_text_in_ascii_too() -> None:
    app = make_app(StepSource(*(tick(seq, hostile=True) for seq in (1, 2, 3))), ascii_only=True)
    async with running(app, (120, 40)) as pilot:
        await opened(app, pilot, READ)
        assert "cpu1 ran [ksoftirqd/0]/812 until then" in screen_text(app)


def crowded(seq: int, others: int) -> Tick:
    """A tick with so many more packets that CPU 1 had in hand while the first path waited for its reader."""
    one = tick(seq)
    first = one.paths[0]
    more = [path(100 + number, seq) for number in range(others)]
    for number, row in enumerate(more):
        row["id"], row["mask"], row["cpu"], row["sport"] = 7_000 + 100 * seq + number, 1, 1, 5_000 + number % 3
        row["t0_ns"] = first["t0_ns"] + 100_000 + number
    return dataclasses.replace(one, paths=np.concatenate([one.paths, *more]))


async def test_the_chosen_stage_says_what_else_its_cpu_had_in_hand_and_more_when_more_ended() -> None:
    source = StepSource(tick(1), tick(2), crowded(3, 4))
    app = make_app(source)
    async with running(app, (120, 40)) as pilot:
        await opened(app, pilot, READ)
        words = "cpu1 meanwhile took at least 4 other packets, of 3 flows"
        assert words in screen_text(app)
        await pilot.press("up")
        assert words not in screen_text(app)
        late = crowded(3, 9).paths[-5:]  # under way at the time, they end a second later
        source.push(dataclasses.replace(tick(4), paths=np.concatenate([tick(4).paths, late])))
        await shown(pilot, 4)
        await pilot.press("down")
        assert "cpu1 meanwhile took at least 9 other packets, of 3 flows" in screen_text(app)


async def test_what_is_known_of_gaps_is_in_what_is_written() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        screen: ViewScreen = await opened(app, pilot, READ)
        assert app.state.snapshot is not None
        view = screen.exported(app.state.snapshot)
        assert [record["meanwhile"] for record in view.records if "meanwhile" in record] == [
            "cpu1 ran hog/812 until then"
        ]
        assert "cpu1 ran hog/812 until then" in [plain(line).strip() for line in view.lines]
