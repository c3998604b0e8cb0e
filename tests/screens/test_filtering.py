"""The filter: typed, taken from a row, cleared; and who decides which part of it."""

from __future__ import annotations

import pytest

from netlat_tui.model.filter import EVERYTHING, parse
from tests.screens.conftest import make_app, running, screen_text, shown, until
from tests.screens.source import StepSource, tick


async def test_a_mistake_is_shown_as_one_types_and_cannot_be_applied() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (100, 24)) as pilot:
        await pilot.press("slash", *"port x")
        await pilot.pause()
        line = next(line for line in screen_text(app).splitlines() if "^" in line and "column" in line)
        typed = next(line for line in screen_text(app).splitlines() if line.startswith(" / port x"))
        assert line.index("^") == typed.index("x")
        assert "column 6: expected" in line
        await pilot.press("enter")
        assert source.filters == []
        await pilot.press("backspace", *"443")
        await pilot.pause()
        assert "the kernel decides all of it: port 443" in screen_text(app)
        await pilot.press("enter")
        assert [chosen.text for chosen in source.filters] == ["port 443"]


async def test_the_screen_says_who_decides_which_part() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (120, 24)) as pilot:
        await pilot.press("f", *"port 443 and total > 1ms", "enter")
        source.push(tick(4, kernel_filter="port 443"))
        await shown(pilot, 4)
        line = screen_text(app).splitlines()[1]
        assert "/ port 443 and total > 1ms" in line
        assert "kernel: port 443" in line
        assert "paths only: total > 1ms" in line
        assert "(2 of 12)" in line
        await pilot.press("4")
        assert "1 of 2" in screen_text(app)


async def test_figures_of_two_filters_are_never_mixed() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app) as pilot:
        await pilot.press("slash", *"port 443", "enter")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.ticks == 0)
        assert "no packets yet: filter port 443" in screen_text(app)
        source.push(tick(4))  # still counted under the filter before
        source.push(tick(5, kernel_filter="port 443"))
        await shown(pilot, 5)
        assert app.state.snapshot is not None
        assert app.state.snapshot.ticks == 1
        assert app.state.snapshot.accounting.seen == 120


async def test_a_recording_is_only_searched() -> None:
    source = StepSource(tick(1), tick(2), tick(3), live=False)
    app = make_app(source)
    async with running(app, (100, 24)) as pilot:
        await pilot.press("slash", *"port 443", "enter")
        await pilot.pause()
        assert "/ port 443  paths only" in screen_text(app).splitlines()[1]
        assert app.state.snapshot is not None
        assert app.state.snapshot.ticks == 3


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (["2"], "cpu 0"),
        (["3"], "irq 41"),
        (["4"], "tcp and host 10.0.0.2 and host 10.0.0.9 and port 40007 and port 443"),
        (["down"] * 5, "rx and total > 610936ns"),
        (["down"] * 6, "stage irq->raise > 2943ns"),
        (["2", "G", "enter"], "cpu 3"),
        (["3", "enter", "down", "down"], "irq 41 and stage irq->raise > 2943ns"),
        (["down", "enter"], "cpu 0"),
        (["5"], "reason NO_SOCKET"),
        (["5", "enter"], "tcp and host 10.0.0.3 and host 10.0.0.9 and port 40005 and port 443"),
        (["4", "enter"], "tcp and host 10.0.0.2 and host 10.0.0.9 and port 40007 and port 443"),
    ],
)
async def test_the_selected_row_makes_a_filter(keys: list[str], wanted: str) -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (100, 30)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        await pilot.press("equals_sign")
        assert [chosen.text for chosen in source.filters] == [wanted]
        await pilot.press("equals_sign")  # adds nothing that is demanded already
        assert source.filters[-1].text == wanted


async def test_a_row_adds_to_the_filter_in_force() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source, chosen=parse("port 443 or port 80"))
    source.push(tick(4, kernel_filter=parse("port 443 or port 80").kernel_text))
    async with running(app, (100, 30), seq=4) as pilot:
        await pilot.press("2", "equals_sign")
        assert source.filters[-1].text == "(port 443 or port 80) and cpu 0"
        await pilot.press("ctrl+l")
        assert source.filters[-1] == EVERYTHING
        assert "no filter" in screen_text(app)


async def test_escape_closes_the_filter_first_and_changes_nothing() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("slash", *"port 4", "escape")
        await pilot.pause()
        assert source.filters == []
        assert "Layers › interface→data link" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "interface→data link" in screen_text(app).splitlines()[5]


async def test_letters_are_the_filters_while_one_types() -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press("slash", *"q?=/ cdz")
        assert app.is_running
        assert "/ q?=/ cdz" in screen_text(app)


async def test_a_filter_opens_with_what_is_in_force() -> None:
    app = make_app(StepSource(tick(1, kernel_filter="port 443")), chosen=parse("port 443"))
    async with running(app, seq=1) as pilot:
        await pilot.press("slash")
        await pilot.pause()
        assert " / port 443" in screen_text(app).splitlines()[2]
