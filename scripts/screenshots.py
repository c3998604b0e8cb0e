"""Takes the pictures in screenshots/: the live view, really live, of traffic in namespaces of its own. Needs root.

The filter is one of these namespaces, so no packet of the machine's own interfaces can be in them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo_net import demo
from textual.pilot import Pilot

from netlat_tui.app import NetlatApp
from netlat_tui.model.filter import parse
from netlat_tui.model.paths import Path as PacketPath
from netlat_tui.model.snapshot import StageRow
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.stage import StageScreen
from netlat_tui.sources.base import SourceError
from netlat_tui.sources.live import LiveSource
from netlat_tui.widgets.filter_bar import FilterBar
from netlat_tui.widgets.table import Table

FOLDER = Path(__file__).parent.parent / "screenshots"
WIDE, SMALL = (120, 40), (80, 24)
TICKS = 25  # the trends are full
READER, STAGE, SLOW_NS = "slowreader", "socket→copy", 15_000_000
MISTAKE = "port 9000 and totl > 1ms"
PICTURES = ("live", "path", "stage", "filter", "help", "compact")
SECONDS = 120
LOOK_S = 0.5  # seldom enough not to be what the application seems to cost


class NothingToPicture(Exception):  # noqa: N818 - an ending
    """What was to be pictured never came."""


async def until(pilot: Pilot[Any], condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS / 2
    while not condition():
        if time.monotonic() > deadline:
            raise NothingToPicture(f"Waited in vain for {what}: nothing was changed in screenshots/.")
        await pilot.pause(LOOK_S)
    await pilot.pause()


def row_of(app: NetlatApp, table: str, wanted: Callable[[Any], bool]) -> int | None:
    """The first row of a pane's table whose item is wanted."""
    rows = app.screen.query_one(f"#table-{table}", Table).rows
    return next((at for at, row in enumerate(rows) if wanted(row.item)), None)


def slow_read(item: Any) -> bool:
    """A packet that waited for its reader, who was elsewhere: it has no wake-up."""
    if not isinstance(item, PacketPath):
        return False
    keys = {passage.point.key for passage in item.points}
    return (
        item.comm == READER
        and item.total_ns > SLOW_NS
        and {"transport", "socket", "copy", "return"} <= keys
        and "wakeup" not in keys
    )


def slow_stage(item: Any) -> bool:
    return isinstance(item, StageRow) and item.stage.name == STAGE and (item.values.p99_ns or 0) > SLOW_NS


async def session(app: NetlatApp) -> dict[str, str]:
    """One investigation, a picture after each step; the pictures by name."""
    taken: dict[str, str] = {}

    def picture(name: str) -> None:
        taken[name] = app.export_screenshot()

    async def open_row(pilot: Pilot[Any], pane: str, table: str, wanted: Callable[[Any], bool], then: type) -> None:
        await pilot.press(pane)
        at = row_of(app, table, wanted)
        assert at is not None  # the display is frozen with the row in it
        app.screen.query_one(f"#table-{table}", Table).select(at)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, then), f"{then.__name__}")

    async def back(pilot: Pilot[Any]) -> None:
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MainScreen), "the main view")

    def ready() -> bool:
        if app.feed.error:
            raise NothingToPicture(app.feed.error)
        full = app.feed.ticks_seen >= TICKS
        return full and row_of(app, "paths", slow_read) is not None and row_of(app, "layers", slow_stage) is not None

    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, ready, "the slow reader")
        picture("live")
        await pilot.press("space")  # the steps are about the same moment
        await until(pilot, lambda: app.state.frozen, "the frozen display")
        await open_row(pilot, "4", "paths", slow_read, PathScreen)
        picture("path")
        await back(pilot)
        await open_row(pilot, "1", "layers", slow_stage, StageScreen)
        picture("stage")
        await back(pilot)
        await pilot.press("slash", *MISTAKE)
        await until(pilot, lambda: bool(app.screen.query_one(FilterBar).display), "the filter bar")
        picture("filter")
        await pilot.press("escape", "question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen), "the help")
        picture("help")
        await back(pilot)
        await pilot.press("4")
        await pilot.resize_terminal(*SMALL)
        await until(pilot, lambda: tuple(app.screen.size) == SMALL, "the small size")
        picture("compact")
    return taken


def take() -> dict[str, str]:
    """Pictures by name. ``SourceError`` where this machine cannot be traced."""
    with demo(SECONDS) as made:
        chosen = parse(f"netns {made.server} and ip")
        source = LiveSource(filter=chosen)
        app = NetlatApp(source, chosen=chosen)
        try:
            return asyncio.run(session(app))
        finally:
            app.feed.stop(2.0)
            source.close()


def main() -> None:
    try:
        taken = take()
    except (SourceError, NothingToPicture) as error:
        sys.exit(str(error))
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        (FOLDER / f"{name}.svg").write_text(taken[name], encoding="utf-8")
        print(f"{name}.svg")


if __name__ == "__main__":
    main()
