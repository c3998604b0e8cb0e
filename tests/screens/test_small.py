"""Terminals of a few lines: what there is room for is the summary, then the rows."""

from __future__ import annotations

import pytest

from tests.screens.conftest import make_app, running, screen_text


@pytest.mark.parametrize("lines", [3, 4, 9])
async def test_a_few_lines_show_the_rows(lines: int) -> None:
    """Whichever view one goes to, the selected row is in sight under the head."""
    app = make_app()
    async with running(app, (80, lines)) as pilot:
        for keys in (["1"], ["G"], ["2"], ["4"], ["G"], ["enter"], ["down"], ["escape", "1", "g", "j", "enter"]):
            await pilot.press(*keys)
            await pilot.pause()
            text = screen_text(app).splitlines()
            assert "pkt/s" in text[0]
            assert text[1].split()[0].isupper()
            assert sum(line.startswith("▌") for line in text[2:]) == 1, keys


@pytest.mark.parametrize("lines", [1, 2])
async def test_a_line_has_the_summary(lines: int) -> None:
    app = make_app()
    async with running(app, (80, lines)):
        assert "pkt/s" in screen_text(app).splitlines()[0]
        assert "lost" in screen_text(app).splitlines()[0]


async def test_a_filter_can_be_typed_in_four_lines() -> None:
    app = make_app()
    async with running(app, (80, 4)) as pilot:
        await pilot.press("slash", *"port 443")
        await pilot.pause()
        assert "port 443" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "port 443" not in screen_text(app).splitlines()[1]
        assert app.state.selection.filter.text == "port 443"


async def test_keys_work_again_when_the_terminal_has_grown() -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        for small in ((80, 1), (20, 24), (1, 1)):
            await pilot.resize_terminal(*small)
            await pilot.pause()
            await pilot.resize_terminal(80, 24)
            await pilot.pause()
            before = screen_text(app)
            await pilot.press("down")
            await pilot.pause()
            assert screen_text(app) != before
            assert "Open" in screen_text(app).splitlines()[-1]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (80, "1 Layers  2 CPUs  3 IRQs  4 Paths  5 Drops  6 Heatmap  7 Flows  8 Why"),
        (60, "1  2  3  4  5 Drops  6  7  8 Why"),
        (42, "1  2  3  4  5 Drops  6  7  8 Why"),
    ],
)
async def test_every_pane_has_its_number_at_every_width(columns: int, shown: str) -> None:
    app = make_app()
    async with running(app, (columns, 24)) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert screen_text(app).splitlines()[2].strip().startswith(shown)
