"""A line as long as something that is played: how far it is, and what is marked on it. A click goes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.events import Click
from textual.message import Message

from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, Span, cells_of, join

LEAST_CELLS = 8
"""A shorter line than that tells nothing."""


@dataclass(frozen=True, slots=True)
class Played:
    """``at`` and ``marks`` are shares (0…1) of the whole; the texts stand before, after, and behind it."""

    at: float
    marks: Sequence[float]
    begin: str
    end: str
    words: Sequence[str]
    """What is said of it, the most important first: what has no room is left out from the end."""


def place_of(share: float, cells: int) -> int:
    return min(cells - 1, max(0, round(share * (cells - 1))))


def track_line(played: Played, cells: int, glyphs: Glyphs) -> tuple[Line, int, int]:
    """The line, and which columns of it are the track: (first, how many)."""
    words = list(played.words)
    ends = cells_of(played.begin) + cells_of(played.end) + 4
    while words and cells - ends - cells_of("  ".join(words)) - 2 < max(LEAST_CELLS, cells // 3):
        words.pop()
    told = "  ".join(words)
    length = cells - ends - (cells_of(told) + 2 if told else 0)
    if length < LEAST_CELLS:
        return join([(f" {told or played.begin}", Role.PLAIN)]), 0, 0
    here = place_of(played.at, length)
    marked = {place_of(share, length) for share in played.marks}
    spans: list[Span] = [(f" {played.begin} ", Role.DIM)]
    for cell in range(length):
        if cell == here:
            spans.append((glyphs.head, Role.ACCENT))
        elif cell in marked:
            spans.append((glyphs.flag, Role.WARM))
        else:
            spans.append((glyphs.done, Role.TREND) if cell < here else (glyphs.rule, Role.DIM))
    spans.append((f" {played.end}", Role.DIM))
    if told:
        spans.append((f"  {told}", Role.PLAIN))
    return join(spans), cells_of(played.begin) + 2, length


class Scrubber(Canvas):
    """Draws what ``play`` is told."""

    @dataclass
    class Sought(Message):
        """A click on the track, at this share of it."""

        share: float

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="scrubber")
        self._played: Played | None = None
        self._track = (0, 0)
        self.set_class(True, "-none")  # a class, not ``display``: where it has no room is the style sheet's to say
        self.draw(self._paint)

    def play(self, played: Played | None) -> None:
        self.set_class(played is None, "-none")
        if played != self._played:
            self._played = played
            self.repaint()

    def _paint(self, cells: int, _: int) -> Sequence[Line]:
        if self._played is None:
            return ()
        line, *track = track_line(self._played, cells, self.glyphs)
        self._track = (track[0], track[1])
        return [line]

    def on_click(self, event: Click) -> None:
        first, length = self._track
        if length > 1 and first <= event.x < first + length:
            self.post_message(self.Sought((event.x - first) / (length - 1)))
