"""Help about the view one came from: its keys, its columns, the stack's points, in a sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer

from netlat_tui.model.points import POINTS, Direction, Point
from netlat_tui.screens.status import band_key
from netlat_tui.screens.view import Help
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, cells_of, paragraph

Keys = Sequence[tuple[str, str]]


def help_lines(about: Help, keys: Keys, cells: int, glyphs: Glyphs) -> list[Line]:
    """The page, wrapped to ``cells`` columns."""
    lines: list[Line] = [((f" {glyphs.text(about.title)}", Role.GROUP),), *_wrapped("", about.summary, cells, glyphs)]
    if about.columns:
        lines += _section("Columns", ((column.title, column.help) for column in about.columns), cells, glyphs)
    if about.intervals:
        lines += _section("Rows, and what is normal of them", about.intervals, cells, glyphs, STAGE_CELLS)
    lines += [(), ((" Marks", Role.GROUP),), ((f"  {band_key(glyphs)}", Role.PLAIN),)]
    lines += _section("Keys", keys, cells, glyphs)
    lines += _section("Filter", FILTER, cells, glyphs)
    if about.stages:
        lines += _section("Status line", STATUS, cells, glyphs)
        for direction in Direction:
            title = "Points of a received packet" if direction is Direction.RX else "Points of a sent packet"
            points = ((point.name, words_of(point)) for point in POINTS[direction])
            lines += _section(f"{title}, in the order of its way; a stage lies between two", points, cells, glyphs)
    return lines


FILTER: Keys = (
    ("port 80,443", "also src port, dst port; lists and ranges: port 8000-8100"),
    ("host 10.0.0.1", "also net 10.0.0.0/8; tcp, udp, icmp, ip, ip6; iface eth0, netns 4026531840"),
    ("cpu 0-3", "the CPU whose softirq took the packet; irq 41"),
    ("reason NO_SOCKET", "dropped for it; dropped: for whichever reason"),
    ("total > 1ms", "the whole path; stage softirq > 200us for a single stage; dropped; pid 1, comm nginx; rx, tx"),
    ("and or not", "join them, with parentheses: port 443 and not (tcp or cpu 0)"),
)

STATUS: Keys = (
    ("age", "how old the newest figures are; in a recording, the time it shows"),
    ("lost", "what the tracer could not follow or show: evicted, expired, ring and probe losses, absurd intervals"),
    ("self", "what the tracer itself costs, kernel and user side together, as a share of one CPU"),
    ("window", "the time the figures cover: the last tick, the last seconds or minutes, or all there is"),
)


def words_of(point: Point) -> str:
    """A point in a sentence, with what is normal of the way to it."""
    return f"{point.summary}; {point.normal}" if point.normal else point.summary


NAME_CELLS, STAGE_CELLS = 17, 22
"""Columns that names take in a section of the page."""


def _section(
    title: str, entries: Iterable[tuple[str, str]], cells: int, glyphs: Glyphs, indent: int = NAME_CELLS
) -> list[Line]:
    lines: list[Line] = [(), ((f" {glyphs.text(title)}", Role.GROUP),)]
    for name, words in entries:
        lines += _wrapped(name, words, cells, glyphs, indent)
    return lines


def _wrapped(name: str, words: str, cells: int, glyphs: Glyphs, indent: int = NAME_CELLS) -> list[Line]:
    """The words to the right of the name, or below one that is too long for that."""
    shown = glyphs.text(name)
    if cells_of(shown) + 3 > indent:
        return [((f"  {shown}", Role.ACCENT),), *paragraph(("", Role.PLAIN), glyphs.text(words), cells, indent)]
    return paragraph((f"  {shown}", Role.ACCENT), glyphs.text(words), cells, indent if name else 2)


class HelpScreen(ModalScreen[None]):
    """Scrolls with the keys of a table; Escape, ``?`` and ``q`` close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "close", "Close", id="help.close"),
        Binding("up,k", "scroll(-1)", "A line up", show=False, id="help.up"),
        Binding("down,j", "scroll(1)", "A line down", show=False, id="help.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="help.page_up"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="help.page_down"),
        Binding("home,g", "edge(0)", "Top", show=False, id="help.first"),
        Binding("end,G", "edge(1)", "End", show=False, id="help.last"),
    ]

    def __init__(self, about: Help, keys: Keys, glyphs: Glyphs) -> None:
        super().__init__()
        self._about = about
        self._keys = keys
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        yield Canvas(self._glyphs, id="help")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._page.draw(lambda cells, _: help_lines(self._about, self._keys, cells, self._glyphs))

    @property
    def _page(self) -> Canvas:
        return self.query_one("#help", Canvas)

    def action_scroll(self, lines: int) -> None:
        self._page.scroll_to(y=self._page.scroll_offset.y + lines, animate=False, force=True)

    def action_page(self, pages: int) -> None:
        self.action_scroll(pages * max(1, self._page.size.height - 1))

    def action_edge(self, end: int) -> None:
        self._page.scroll_to(y=self._page.max_scroll_y if end else 0, animate=False, force=True)

    def action_close(self) -> None:
        self.dismiss()
