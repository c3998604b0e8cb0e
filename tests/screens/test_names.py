"""Names that others chose are shown as text: never as markup, never as escapes."""

from __future__ import annotations

from typing import Any

import pytest

from netlat_tui.model.text import printable
from tests.screens.conftest import make_app, running, screen_text
from tests.screens.source import HOSTILE, HOSTILE_ORIGIN, StepSource, path, tick

VIEWS: dict[str, tuple[list[str], str]] = {
    "irqs": (["3"], " 41 [/x]"),
    "irq": (["3", "enter"], "irq 41 [/x]"),
    "irq stage": (["3", "enter", "enter"], "irq 41 [/x]"),
    "stage": (["down", "enter"], "Layers › "),
    "paths": (["4"], "?]0;x?"),
    "path": (["4", "enter"], "?]0;x?"),
    "drops": (["5"], "[/x]"),
    "drop": (["5", "enter"], "[/x]"),
    "dropped path": (["5", "enter", "enter"], "[/x]"),
    "drop copied": (["5", "c"], "row copied"),
    "filtered by a reason": (["5", "equals_sign"], "[/x]"),
    "help of an irq": (["3", "enter", "question_mark"], "Columns"),
    "copied": (["3", "c"], "row copied"),
    "filtered": (["4", "equals_sign"], "/ tcp and host"),
    "filter typed": (["slash", *"comm [/x]"], "/ comm [/x]"),
    "palette": (["3", "colon"], "an action's name"),
}
"""Keys that lead to a view, and what it shows."""


@pytest.mark.parametrize(("keys", "words"), VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_every_view_survives_hostile_names(keys: list[str], words: str, size: tuple[int, int]) -> None:
    app = make_app(StepSource(*(tick(seq, hostile=True, sent=True) for seq in (1, 2, 3)), origin=HOSTILE_ORIGIN))
    async with running(app, size) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        text = screen_text(app)
        assert words in text
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\x1b" not in app.export_screenshot()


async def test_names_are_shown_whole() -> None:
    app = make_app(StepSource(*(tick(seq, hostile=True) for seq in (1, 2, 3))))
    async with running(app, (200, 50)) as pilot:
        await pilot.press("3")
        await pilot.pause()
        text = screen_text(app)
        assert "[/x]" in text
        assert "[eth0]" in text
        assert "irq 41 [/x], stages of its packets" in text


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_process_of_any_name_can_be_read(name: str) -> None:
    one: Any = tick(1)
    object.__setattr__(one, "paths", path(0, 1, name))
    app = make_app(StepSource(one))
    async with running(app, (100, 30), seq=1) as pilot:
        await pilot.press("4", "enter")
        await pilot.pause()
        assert f"process {printable(name)} (pid 1200)" in screen_text(app)
        await pilot.press("escape", "c")
        assert app.clipboard.isprintable()


async def test_a_banner_is_not_markup() -> None:
    app = make_app(banner="not live: [/x] is in the way")
    async with running(app):
        assert "not live: [/x] is in the way" in screen_text(app)
