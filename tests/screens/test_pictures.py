"""The screens as pictures, at the three sizes that matter. Look at them when they change: a picture is a promise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from netlat_tui.app import NetlatApp
from tests.screens.conftest import shown

Compare = Callable[..., bool]

SIZES = [(80, 24), (120, 40), (200, 50)]
VIEWS: dict[str, list[str]] = {
    "layers": [],
    "cpus": ["2"],
    "irqs": ["3"],
    "paths": ["4"],
    "stage": ["down", "down", "enter"],
    "cpu": ["2", "G", "enter"],
    "irq": ["3", "enter"],
    "path": ["4", "enter"],
    "filter": ["slash", *"port 443 and totl > 1ms"],
    "filtered": ["slash", *"port 443 and total > 1ms", "enter", "4"],
    "help": ["question_mark"],
    "zoomed": ["4", "z"],
}


def taken(keys: list[str], seq: int) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def before(pilot: Pilot[Any]) -> None:
        await shown(pilot, seq)
        for key in keys:
            await pilot.press(key)
        await pilot.pause()

    return before


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
@pytest.mark.parametrize("view", VIEWS)
def test_view(view: str, size: tuple[int, int], recorded: tuple[NetlatApp, int], snap_compare: Compare) -> None:
    app, seq = recorded
    assert snap_compare(app, terminal_size=size, run_before=taken(VIEWS[view], seq))


def test_ascii(recorded_ascii: tuple[NetlatApp, int], snap_compare: Compare) -> None:
    app, seq = recorded_ascii
    assert snap_compare(app, terminal_size=(120, 40), run_before=taken([], seq))


def test_narrow(recorded: tuple[NetlatApp, int], snap_compare: Compare) -> None:
    app, seq = recorded
    assert snap_compare(app, terminal_size=(60, 20), run_before=taken([], seq))


def test_pictures_need_no_network() -> None:
    pictures = list((Path(__file__).parent / "__snapshots__").rglob("*.svg"))
    assert pictures
    assert not any(
        "http" in picture.read_text().replace("http://www.w3.org", "").replace("https://www.textualize.io", "")
        for picture in pictures
    )
