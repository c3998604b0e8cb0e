"""Takes the pictures in screenshots/: the live view, really live, of traffic in namespaces of its own. Needs root."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo_net import NET, demo
from textual.pilot import Pilot

from netlat_tui.app import NetlatApp
from netlat_tui.model.filter import parse
from netlat_tui.model.snapshot import StageRow
from netlat_tui.sources.live import LiveSource
from netlat_tui.widgets.table import Table

FOLDER = Path(__file__).parent.parent / "screenshots"
WIDE, SMALL = (120, 40), (80, 24)
TICKS = 25
STAGE = "socket→copy"  # where the slow reader shows
SECONDS = 120


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS / 2
    while not condition():
        assert time.monotonic() < deadline, "what was to be pictured never came"
        await pilot.pause(0.05)
    await pilot.pause()


async def take(app: NetlatApp) -> None:
    """One session, a picture after each step of an investigation."""

    def picture(name: str) -> None:
        (FOLDER / f"{name}.svg").write_text(app.export_screenshot(), encoding="utf-8")
        print(f"{name}.svg")

    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: app.feed.ticks_seen >= TICKS)
        picture("live")
        await pilot.press("space")  # the steps are about the same moment
        await pilot.press("4", "enter")
        picture("path")
        await pilot.press("escape", "1")
        table = app.screen.query_one("#table-layers", Table)
        table.select(
            next(
                i for i, row in enumerate(table.rows) if isinstance(row.item, StageRow) and row.item.stage.name == STAGE
            )
        )
        await pilot.press("enter")
        picture("stage")
        await pilot.press("escape", "slash", *"port 9000 and totl > 1ms")
        picture("filter")
        await pilot.press("escape", "escape", "question_mark")
        picture("help")
        await pilot.press("escape", "4")
        await pilot.resize_terminal(*SMALL)
        await pilot.pause()
        picture("compact")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with demo(SECONDS):
        chosen = parse(NET)
        source = LiveSource(filter=chosen)
        app = NetlatApp(source, chosen=chosen)
        try:
            asyncio.run(take(app))
        finally:
            app.feed.stop(2.0)
            source.close()


if __name__ == "__main__":
    main()
