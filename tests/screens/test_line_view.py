"""What a refresh costs: lines are made once, those that stay are not drawn again, and colours follow the theme."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.strip import Strip

from netlat_tui.widgets.glyphs import UNICODE
from netlat_tui.widgets.line_view import Lines, LineView
from netlat_tui.widgets.lines import Line, Role, Span, changes, width
from netlat_tui.widgets.partial import Cells
from netlat_tui.widgets.terminal import DARK, LIGHT
from tests.screens.conftest import make_app, running, shown
from tests.screens.source import StepSource, tick


class Watched(Lines):
    """Notes which lines were made, and which were drawn."""

    def __init__(self) -> None:
        super().__init__(UNICODE)
        self.made: list[int] = []
        self.drawn: list[int] = []
        self.covered: int | None = None

    def line(self, index: int) -> Line:
        self.made.append(index)
        return super().line(index)

    def emphasis(self, index: int) -> Role | None:
        return Role.CURSOR if index == self.covered else None

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)

    def forget(self) -> None:
        self.made.clear()
        self.drawn.clear()


class Viewer(App[None]):
    def compose(self) -> ComposeResult:
        yield Watched()


def lines(*texts: str) -> list[Line]:
    return [((text, Role.PLAIN),) for text in texts]


async def test_a_line_is_made_once_and_drawn_only_where_it_changed() -> None:
    app = Viewer()
    async with app.run_test(size=(20, 5)) as pilot:
        view = app.query_one(Watched)
        view.show(lines("one", "two", "three"))
        await pilot.pause()
        view.forget()
        view.show(lines("one", "2", "three"))
        await pilot.pause()
        assert (view.made, view.drawn) == ([0, 1, 2], [1])
        view.forget()
        view.show(lines("one", "2", "three"))
        await pilot.pause()
        assert (view.made, view.drawn) == ([0, 1, 2], [])


async def test_what_covers_a_line_is_asked_for_when_it_is_drawn() -> None:
    """A widget has the focus before anybody tells it."""
    app = Viewer()
    async with app.run_test(size=(20, 5)) as pilot:
        view = app.query_one(Watched)
        view.show(lines("one", "two"))
        await pilot.pause()
        view.covered = 1
        assert view.render_line(1)._segments[0].style == view.get_component_rich_style("line--cursor")
        view.forget()
        view.repaint()
        await pilot.pause()
        assert view.drawn == []  # it is there already
        view.covered = None
        view.repaint()
        await pilot.pause()
        assert view.drawn == [1]


async def test_lines_are_those_of_where_it_was_scrolled_to() -> None:
    app = Viewer()
    async with app.run_test(size=(20, 3)) as pilot:
        view = app.query_one(Watched)
        view.show(lines(*"abcdefgh"))
        await pilot.pause()
        view.scroll_to(y=4, animate=False, force=True)
        await pilot.pause()
        assert [view.render_line(y).text.strip() for y in range(3)] == ["e", "f", "g"]
        view.forget()
        view.show(lines(*"1234abcd"))  # where it stands now, the lines that it showed before
        await pilot.pause()
        assert view.drawn == [0, 1, 2]
        await pilot.resize_terminal(20, 2)
        assert [view.render_line(y).text.strip() for y in range(2)] == ["a", "b"]


async def test_colours_follow_the_theme() -> None:
    app = make_app()
    async with running(app, (100, 30)) as pilot:
        view = app.screen.query_one("#table-layers", LineView)
        for theme, number in ((DARK, 6), (LIGHT, 4), (DARK, 6)):
            app.theme = theme.name
            await pilot.pause()
            for _ in range(2):
                style = view._style(Role.ACCENT)
                assert style == view.get_component_rich_style("line--accent")
                assert style.color is not None
                assert style.color.number == number


async def test_a_tick_that_changes_nothing_draws_nothing() -> None:
    source = StepSource(tick(1), live=False)
    app = make_app(source)
    async with running(app, (120, 40), seq=1) as pilot:
        await pilot.pause()
        drawn: list[int] = []
        views = list(app.screen.query(LineView).results(LineView))
        assert views
        for view in views:
            view.render_line = lambda y, view=view: drawn.append(y) or type(view).render_line(view, y)  # type: ignore
        app.screen.refresh_view()  # type: ignore[attr-defined]
        await pilot.pause()
        assert drawn == []
        source.push(tick(2, scale=3.0))
        await shown(pilot, 2)
        await pilot.pause()
        assert drawn


def test_only_cells_that_changed_are_sent() -> None:
    strip = Strip([Segment("abcdefgh"), Segment("ijkl")])
    update = Cells([{0: strip, 12: Strip([Segment("mnop")])}], [(0, 3, 5), (0, 9, 13)], [[12, 16]])
    sent = update.render_segments(Console(color_system=None))
    assert re.sub(r"\x1b\[(\d+);(\d+)H", r"<\2>", sent) == "<4>de<10>jkl<13>m"


@given(
    st.lists(st.tuples(st.text("ab ░▲", max_size=12), st.sampled_from(list(Role)[:3])), max_size=6),
    st.lists(st.tuples(st.text("ab ░▲", max_size=12), st.sampled_from(list(Role)[:3])), max_size=6),
)
def test_what_is_sent_makes_the_new_line_of_the_old(old: list[Span], new: list[Span]) -> None:
    cells = 80
    before, after = (
        [*((char, role) for text, role in line for char in text), *[(" ", Role.PLAIN)] * (cells - width(line))]
        for line in (old, new)
    )
    spans = changes(tuple(old), tuple(new), cells)
    for begin, end in spans:
        assert before[begin] != after[begin]
        assert before[end - 1] != after[end - 1]
        before[begin:end] = after[begin:end]
    assert before == after
    assert all(one[1] + 12 <= other[0] for one, other in pairwise(spans))


def test_a_line_of_wide_characters_is_sent_whole() -> None:
    old, new = lines("漢字 1"), lines("漢字 2")
    assert changes(old[0], new[0], 20) == [(0, 20)]
