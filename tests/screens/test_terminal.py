"""What the terminal at hand decides: characters, colours, mouse."""

from __future__ import annotations

import pytest

from netlat_tui.widgets.table import Table
from netlat_tui.widgets.terminal import DARK, LIGHT, theme_for, wants_ascii
from tests.screens.conftest import make_app, running, screen_text


@pytest.mark.parametrize(
    ("term", "encoding", "ascii_only"),
    [
        ("xterm-256color", "UTF-8", False),
        ("xterm-256color", "utf8", False),
        ("linux", "UTF-8", True),
        ("xterm", "ANSI_X3.4-1968", True),
        ("xterm", "ISO-8859-1", True),
        ("tmux-256color", "UTF-8", False),
    ],
)
def test_ascii_is_chosen_where_there_is_nothing_else(term: str, encoding: str, ascii_only: bool) -> None:
    assert wants_ascii({"TERM": term}, encoding) is ascii_only


@pytest.mark.parametrize(
    ("chosen", "ascii_only"),
    [
        ({"LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, True),
        ({}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "C", "PYTHONUTF8": "1"}, False),
    ],
    ids=str,
)
def test_who_chooses_the_c_locale_gets_ascii(chosen: dict[str, str], ascii_only: bool) -> None:
    """Python itself takes the C locale's encoding for UTF-8."""
    assert wants_ascii({"TERM": "xterm", **chosen}, "UTF-8", c_locale=True) is ascii_only


def test_a_light_background_that_is_said_is_respected() -> None:
    assert theme_for({"COLORFGBG": "0;15"}) is LIGHT
    assert theme_for({"COLORFGBG": "15;0"}) is DARK
    assert theme_for({}) is DARK


def colours(app: object) -> set[str]:
    strips = app.screen._compositor.render_strips()  # type: ignore[attr-defined]
    styles = [segment.style for strip in strips for segment in strip if segment.style is not None]
    return {
        colour.name for style in styles for colour in (style.color, style.bgcolor) if colour and not colour.is_default
    }


async def test_only_the_terminals_sixteen_colours_are_used() -> None:
    app = make_app()
    async with running(app, (200, 50)):
        names = colours(app)
        assert names
        assert not any(name.startswith("#") or name.startswith("rgb") for name in names)


async def test_no_color_leaves_attributes_and_glyphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app()
    async with running(app, (200, 50)):
        assert colours(app) == set()
        strips = app.screen._compositor.render_strips()
        reverse = [seg.text for strip in strips for seg in strip if seg.style is not None and seg.style.reverse]
        assert any("interface→data link" in text for text in reverse)
        assert "▲" in screen_text(app)


async def test_the_mouse_selects_and_opens() -> None:
    app = make_app()
    async with running(app, (100, 30)) as pilot:
        await pilot.click("#table-layers", offset=(5, 3))
        assert "2 of 19" in screen_text(app)
        await pilot.click("#table-layers", offset=(5, 3))
        await pilot.pause()
        assert "Layers › data link→network" in screen_text(app)


async def test_headings_cannot_be_selected() -> None:
    app = make_app()
    async with running(app, (100, 30)) as pilot:
        table = app.screen.query_one("#table-layers", Table)
        for _ in range(30):
            assert table.selected is not None
            assert not table.selected.heading
            await pilot.press("down")
        assert table.position == (19, 19)
        for _ in range(30):
            assert table.selected is not None
            assert not table.selected.heading
            await pilot.press("up")
        assert table.position == (1, 19)


async def test_the_cursor_is_always_in_view() -> None:
    app = make_app()
    async with running(app, (80, 20)) as pilot:
        await pilot.press("4")
        for keys in (["G"], ["g"], ["pagedown"], ["pagedown"], ["pageup"], ["G"], ["k", "k", "k"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert sum(line.startswith("▌") for line in screen_text(app).splitlines()) == 1
