"""The screens as pictures, at the three sizes that matter. Look at them when they change: a picture is a promise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.screens.conftest import Pictured, Pinned, shown_at, until

Compare = Callable[..., bool]

SIZES = [(80, 24), (120, 40), (200, 50)]
VIEWS: dict[str, list[str]] = {
    "layers": [],
    "cpus": ["2"],
    "irqs": ["3"],
    "paths": ["4"],
    "flows": ["7"],
    "flow": ["7", "enter"],
    "stage": ["down", "down", "enter"],
    "cpu": ["2", "enter"],
    "path": ["4", "enter"],
    "filter": ["slash", *"port 9000 and totl > 20ms"],
    "filtered": ["slash", *"port 9000 and total > 20ms", "enter", "4"],
    "help": ["question_mark"],
    "zoomed": ["4", "z"],
    "heatmap": ["6", *["left"] * 3, "up"],
    "cell": ["6", *["left"] * 3, "enter"],
    "stage heatmap": ["G", "enter", "h"],
    "columns": ["C"],
    "columns of paths": ["4", "C", "down", "J", "space"],
    "help of a packet": ["4", "enter", "question_mark"],
}


def taken(keys: list[str], time_ns: int) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Presses keys once the last tick is shown, and waits until what they asked for is."""

    async def before(pilot: Pilot[Any]) -> None:
        await shown_at(pilot, time_ns)
        for key in keys:
            await pilot.press(key)
        state = pilot.app.state  # type: ignore[attr-defined]
        await until(
            pilot,
            lambda: (
                (state.snapshot.filter, state.snapshot.direction)
                == (state.selection.filter.text, state.selection.direction)
            ),
            "the selection",
        )

    return before


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
@pytest.mark.parametrize("view", VIEWS)
def test_view(view: str, size: tuple[int, int], recorded: Pictured, snap_compare: Compare) -> None:
    app, last = recorded
    assert snap_compare(app, terminal_size=size, run_before=taken(VIEWS[view], last))


BOTH_WAYS: dict[str, list[str]] = {
    "layers": [],
    "sent layers": ["d", "d"],
    "delay": ["enter"],
    "missing": ["down", "enter"],
    "cpus": ["2"],
    "paths": ["4", "o"],
    "pair": ["4", "o", "down", "enter"],
    "drops": ["5"],
    "drop": ["5", "enter"],
}


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
@pytest.mark.parametrize("view", BOTH_WAYS)
def test_both_ways(view: str, size: tuple[int, int], both_ways: Pictured, snap_compare: Compare) -> None:
    app, last = both_ways
    assert snap_compare(app, terminal_size=size, run_before=taken(BOTH_WAYS[view], last))


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
def test_baseline(size: tuple[int, int], compared: Pinned, snap_compare: Compare) -> None:
    app, pin, push, last = compared

    async def before(pilot: Pilot[Any]) -> None:
        await shown_at(pilot, pin)
        await pilot.press("b")
        push()
        await taken(["down"], last)(pilot)
        app._say_no_more()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


NAMES_OF_OTHERS = {
    "irqs": ["3"],
    "irq": ["3", "enter"],
    "path": ["4", "enter"],
    "drops": ["5", "z"],
    "drop": ["5", "enter"],
}


@pytest.mark.parametrize("keys", NAMES_OF_OTHERS.values(), ids=NAMES_OF_OTHERS)
def test_interrupts_and_names_of_others(keys: list[str], synthetic: Pictured, snap_compare: Compare) -> None:
    app, last = synthetic
    assert snap_compare(app, terminal_size=(120, 40), run_before=taken(keys, last))


def test_ascii(synthetic_ascii: Pictured, snap_compare: Compare) -> None:
    app, last = synthetic_ascii
    assert snap_compare(app, terminal_size=(120, 40), run_before=taken([], last))


def test_heatmap_in_ascii(synthetic_ascii: Pictured, snap_compare: Compare) -> None:
    app, last = synthetic_ascii
    assert snap_compare(app, terminal_size=(120, 40), run_before=taken(["6", "left", "up", "up"], last))


@pytest.mark.parametrize("keys", [["C"], ["question_mark"]], ids=["columns", "help"])
def test_ascii_dialogues(keys: list[str], synthetic_ascii: Pictured, snap_compare: Compare) -> None:
    app, last = synthetic_ascii
    assert snap_compare(app, terminal_size=(80, 24), run_before=taken(keys, last))


def test_narrow(recorded: Pictured, snap_compare: Compare) -> None:
    app, last = recorded
    assert snap_compare(app, terminal_size=(60, 20), run_before=taken([], last))


def test_pictures_need_no_network() -> None:
    folder = Path(__file__).parent / "__snapshots__" / "test_pictures"
    texts = [picture.read_text() for picture in folder.glob("*.svg")]
    assert texts
    for text in texts:
        assert "@font-face" not in text
        assert "url(http" not in text
