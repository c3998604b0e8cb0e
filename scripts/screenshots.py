"""Takes the pictures in screenshots/: every view of the bundled recording at its end, at three sizes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

import netlat_tui
from netlat_tui.app import NetlatApp
from netlat_tui.screens.view import row_words
from netlat_tui.sources.replay import ReplaySource

FOLDER = Path(__file__).parent.parent / "screenshots"
DEMO = Path(netlat_tui.__file__).parent / "data" / "demo.netlat"
SIZES = ((80, 24), (120, 40), (200, 50))
SECONDS = 60.0
FROM = "row:"
"""Begins a step that is no key: go down to the first row with these words in it."""

VIEWS: dict[str, Sequence[str]] = {
    "layers": (),
    "cpus": ("2",),
    "irqs": ("3",),
    "paths": ("4",),
    "drops": ("5",),
    "heatmap": ("6",),
    "flows": ("7",),
    "why": ("w",),
    "stage": ("row:socket→copy", "enter"),
    "cell": ("row:socket→copy", "h", "enter"),
    "cpu": ("2", "row:cpu1", "enter"),
    "path": ("w", "row:noisy neighbour", "enter"),
    "late": ("slash", *"port 9000 and stage socket->copy > 15ms", "enter", "4", "enter"),
    "queued": ("slash", *"iface wan0 and tx", "enter", "4", "enter"),
    "flow": ("7", "row::9000", "enter"),
    "drop": ("5", "enter"),
    "filter": ("slash", *"port 9000 and totl > 1ms"),
    "columns": ("C",),
    "seek": ("S", *"-20s"),
    "help": ("question_mark",),
}
"""What each picture is of: the keys that lead there from the start."""


class NothingToPicture(Exception):  # noqa: N818 - an ending
    """What was to be pictured never came."""


async def until(pilot: Pilot[Any], condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise NothingToPicture(f"Waited in vain for {what}: nothing was changed in screenshots/.")
        await pilot.pause(0.02)
    await pilot.pause()


async def step(app: NetlatApp, pilot: Pilot[Any], key: str) -> None:
    if not key.startswith(FROM):
        await pilot.press(key)
        return
    words, before = key.removeprefix(FROM), -1
    while app.view is not None and (table := app.view.main_table()) is not None:
        row = table.selected
        if row is not None and words in row_words(row):
            return
        at, _ = table.position
        if at == before:
            break
        before = at
        await pilot.press("down")
    raise NothingToPicture(f"There is no row with {words} in it: nothing was changed in screenshots/.")


async def picture(keys: Sequence[str], size: tuple[int, int]) -> str:
    with closing(ReplaySource(DEMO, speed=None)) as source:
        app = NetlatApp(source, now_ns=lambda: app.state.snapshot.time_ns if app.state.snapshot else 0)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.state.ended and app.state.snapshot is not None, "the recording's end")
            for key in keys:
                await step(app, pilot, key)
            selection = app.state.selection
            await until(
                pilot,
                lambda: app.state.snapshot is not None and app.state.snapshot.filter == selection.filter.text,
                "the selection",
            )
            return app.export_screenshot(simplify=True)


def main() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name in ("NO_COLOR", "COLORFGBG"):
        os.environ.pop(name, None)
    os.environ["TERM"] = "xterm-256color"
    try:
        taken = {
            f"{view}-{size[0]}x{size[1]}": asyncio.run(picture(keys, size))
            for view, keys in VIEWS.items()
            for size in SIZES
        }
    except NothingToPicture as error:
        sys.exit(str(error))
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    for name, text in taken.items():
        (FOLDER / f"{name}.svg").write_text(text, encoding="utf-8")
    print(f"{len(taken)} pictures, {sum(map(len, taken.values())) >> 10} KiB")


if __name__ == "__main__":
    main()
