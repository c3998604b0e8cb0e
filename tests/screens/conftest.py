"""What the tests of the screens share: an application over a source that steps, with a clock that stands."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

import netlat_tui
from netlat_tui.app import NetlatApp
from netlat_tui.model.ticks import Hook, Origin, Tick
from netlat_tui.recording import Reader
from netlat_tui.sources.base import Source
from netlat_tui.widgets.lines import plain
from netlat_tui.widgets.table import Table
from tests.screens.source import HOSTILE_ORIGIN, ORIGIN, SECOND, STARTED_NS, StepSource, busy_tick, tick

WAIT_SECONDS = 20.0
DEMO = Path(netlat_tui.__file__).parent / "data" / "demo.netlat"


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day, colours and characters do not depend on the machine."""
    for name in ("NO_COLOR", "COLORFGBG", "NETLAT_TUI_EXPORT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def make_app(source: Source | None = None, **options: Any) -> NetlatApp:
    """The application two seconds after the third tick of a synthetic source."""
    chosen = source or StepSource(*(tick(seq) for seq in (1, 2, 3)))
    return NetlatApp(chosen, now_ns=lambda: STARTED_NS + 5 * SECOND, **options)


async def until(pilot: Pilot[Any], condition: Callable[[], bool], what: str = "the condition") -> None:
    """Let the application work until the condition holds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await pilot.pause(0.005)
    await pilot.pause()


async def shown(pilot: Pilot[Any], seq: int) -> None:
    """Wait until the screen shows the synthetic tick of this number."""
    await shown_at(pilot, STARTED_NS + seq * SECOND)


async def shown_at(pilot: Pilot[Any], time_ns: int) -> None:
    """Wait until the screen shows the tick that ended at this UNIX time."""
    state = pilot.app.state  # type: ignore[attr-defined]
    await until(pilot, lambda: state.snapshot is not None and state.snapshot.time_ns >= time_ns, f"tick at {time_ns}")


@asynccontextmanager
async def running(app: NetlatApp, size: tuple[int, int] = (80, 24), seq: int = 3) -> AsyncIterator[Pilot[int]]:
    """The application running without a terminal, once it shows tick ``seq`` (0: at once)."""
    async with app.run_test(size=size) as pilot:
        if seq:
            await shown(pilot, seq)
        yield pilot
    app.feed.stop(2.0)


def screen_text(app: NetlatApp) -> str:
    """What is on the screen, as text."""
    height = app.size.height
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips[:height])


def table_lines(app: NetlatApp, name: str) -> list[str]:
    """A table's lines, header first."""
    table = app.screen.query_one(f"#table-{name}", Table)
    return [plain(table.line(index)).rstrip() for index in range(table.line_count())]


Pictured = tuple[NetlatApp, int]
"""An application to take pictures of, and the time (UNIX, ns) of its last tick."""


def _pictured(ticks: list[Tick], origin: Origin, **options: Any) -> Pictured:
    last = ticks[-1].time_ns
    app = NetlatApp(StepSource(*ticks, live=False, origin=origin), now_ns=lambda: last + 2 * SECOND, **options)
    return app, last


@pytest.fixture(scope="session")
def demo() -> tuple[list[Tick], Origin]:
    """The bundled recording."""
    with closing(Reader(DEMO)) as reader:
        return list(reader), reader.origin


@pytest.fixture
def recorded(demo: tuple[list[Tick], Origin]) -> Iterator[Pictured]:
    """The bundled recording at its end."""
    pictured = _pictured(*demo)
    yield pictured
    pictured[0].feed.stop(2.0)


@pytest.fixture
def synthetic() -> Iterator[Pictured]:
    """What the bundled recording has not: interrupts, and names that somebody chose with care."""
    ticks = [tick(seq, scale=1 + 0.3 * (seq % 3), hostile=True) for seq in range(1, 25)]
    pictured = _pictured(ticks, HOSTILE_ORIGIN)
    yield pictured
    pictured[0].feed.stop(2.0)


@pytest.fixture
def both_ways() -> Iterator[Pictured]:
    """Packets that go out as well, kinds of drops, a kernel that hides a point."""
    blind = ("data link→network", "network→transport")
    ticks = [tick(seq, scale=1 + 0.3 * (seq % 3), sent=True, blind=blind) for seq in range(1, 25)]
    hooks = (Hook("rx", "ip", "", "none", "this kernel refuses fentry and kprobes"),)
    pictured = _pictured(ticks, replace(ORIGIN, hooks=hooks))
    yield pictured
    pictured[0].feed.stop(2.0)


@pytest.fixture
def synthetic_ascii() -> Iterator[Pictured]:
    pictured = _pictured([tick(seq, scale=1 + 0.3 * (seq % 3)) for seq in range(1, 25)], ORIGIN, ascii_only=True)
    yield pictured
    pictured[0].feed.stop(2.0)


Pinned = tuple[NetlatApp, int, Callable[[], None], int]
"""An application, when to pin its baseline, what then gives it the ticks to compare, and the time of the last."""


@pytest.fixture
def compared() -> Iterator[Pinned]:
    """Ten ticks for the baseline, and ten in which the reader is woken late and the rest is as it was."""
    before, after = (
        [busy_tick(seq, slow=slow) for seq in range(first, first + 10)] for first, slow in ((1, 1), (11, 3))
    )
    source = StepSource(*before, live=False, origin=ORIGIN)
    last = after[-1].time_ns
    app = NetlatApp(source, now_ns=lambda: last + 2 * SECOND)

    def push() -> None:
        for one in after:
            source.push(one)

    yield app, before[-1].time_ns, push, last
    app.feed.stop(2.0)
