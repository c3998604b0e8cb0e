"""Why: findings as rows, the figures below, and the rows that show them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.points import Direction
from netlat_tui.model.ticks import DROP_ROW, Tick
from netlat_tui.screens.drop import DropScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.panes.why import Severe
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.scope import ScopeScreen
from netlat_tui.screens.stage import StageScreen
from netlat_tui.widgets.table import Table
from tests.screens.conftest import Pictured, make_app, running, screen_text, shown_at, table_lines, until
from tests.screens.source import StepSource
from tests.synth import LOCATION, ORIGIN, make_ticks

WRONG = {
    "qdisc wait": "wan0",
    "reader comes late": "slowreader/",
    "softirq starved": "cpu1",
    "noisy neighbour": "mirror/",
}
"""What the bundled recording was made with."""
NAMED = replace(ORIGIN, reasons={7: "SOCKET_RCVBUFF"})


def hurt(tick: Tick) -> Tick:
    """Packets found no room on a socket."""
    drops = np.zeros(1, dtype=DROP_ROW)
    drops["location"], drops["reason"], drops["count"] = LOCATION, 7, 90
    return replace(tick, drops=drops, counters=tick.counters | {"dropped": 90})


async def test_what_stands_out_in_the_recording(recorded: Pictured) -> None:
    app, last = recorded
    async with app.run_test(size=(120, 40)) as pilot:
        await shown_at(pilot, last)
        await pilot.press("w")
        await until(pilot, lambda: "reader comes late" in screen_text(app), "the findings")
        lines = [line.lstrip("▌ ") for line in table_lines(app, "why")[1:]]
        hurts = {kind: line for kind in WRONG for line in lines if line.startswith(f"{kind} ") and "▲" in line}
        assert hurts.keys() == WRONG.keys(), lines
        assert all(WRONG[kind] in line for kind, line in hurts.items())
        assert f"8 Why {len(WRONG)}▲" in screen_text(app)
        table = app.screen.query_one("#table-why", Table)
        for kind, screen, words in (
            ("reader-comes-late", StageScreen, "socket→copy"),
            ("softirq-starved", ScopeScreen, "cpu1"),
            ("noisy-neighbour", PathScreen, "was running mirror/"),
            ("drops", DropScreen, "NO_SOCKET"),
        ):
            table.select(next(at for at, row in enumerate(table.rows) if row.key[0] == kind))  # type: ignore[index]
            await pilot.pause()
            assert "look at" in screen_text(app)
            await pilot.press("enter")
            await until(pilot, lambda screen=screen: isinstance(app.screen, screen), kind)  # type: ignore[misc]
            await until(pilot, lambda words=words: words in screen_text(app), words)  # type: ignore[misc]
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, MainScreen), "the pane")
        assert "Why" in screen_text(app).splitlines()[1]


async def test_nothing_stands_out_is_an_answer() -> None:
    app = make_app(StepSource(*make_ticks(3, drops=0), origin=ORIGIN))
    async with running(app, seq=0) as pilot:
        await until(pilot, lambda: app.state.snapshot is not None, "the figures")
        await pilot.press("w")
        await until(pilot, lambda: "nothing stands out" in screen_text(app), "the answer")


async def test_a_cpu_is_opened_from_its_finding(both_ways: Pictured) -> None:
    app, last = both_ways
    async with app.run_test(size=(120, 40)) as pilot:
        await shown_at(pilot, last)
        await pilot.press("w")
        table = app.screen.query_one("#table-why", Table)
        kinds = [row.key[0] for row in table.rows]  # type: ignore[index]
        assert "softirq-starved" in kinds
        for at, kind in enumerate(kinds):
            table.select(at)
            await pilot.press("enter")
            if kind.startswith("tracer"):  # the last: what is less than whole are the figures of all panes
                assert "Layers" in screen_text(app).splitlines()[1]
                return
            await until(pilot, lambda: not isinstance(app.screen, MainScreen), kind)
            if kind.startswith("softirq"):
                assert isinstance(app.screen, ScopeScreen)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, MainScreen), "the pane")


async def test_a_cause_is_told_on_every_pane_within_seconds() -> None:
    calm, *ticks = make_ticks(4, drops=0)
    source = StepSource(calm, origin=NAMED)
    app = make_app(source)
    async with running(app, seq=0) as pilot:
        await until(pilot, lambda: "8 Why" in screen_text(app), "the panes")
        for tick in ticks:
            source.push(hurt(tick))
        await shown_at(pilot, ticks[-1].time_ns)
        assert "8 Why 1▲" in screen_text(app)


def test_causes_of_another_selection_are_told_at_once() -> None:
    history = History(NAMED)
    for tick in make_ticks(2, drops=0):
        history.add(hurt(tick))
    severe = Severe()
    severe.look(history.snapshot(None, EVERYTHING, Direction.TX))
    assert severe.count == 0
    severe.look(history.snapshot(None, EVERYTHING, None))
    assert severe.count == 1
