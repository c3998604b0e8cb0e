"""Trends: one cell per tick, zero base, and a scale that the caller shares between rows."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.widgets.bands import Band, latency_band
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, Span, join

_ROLE = {Band.CALM: Role.TREND, Band.WARM: Role.WARM, Band.HOT: Role.HOT}

Values = Sequence[float | None]


def scale_of(rows: Sequence[Values], cells: int) -> float:
    """The top of a scale that fits what is visible of every row; 0 where there is nothing."""
    if cells <= 0:
        return 0.0
    return max((value for row in rows for value in row[-cells:] if value is not None), default=0.0)


def trend(values: Values, top: float, cells: int, glyphs: Glyphs, *, counts: bool = False) -> Line:
    """The newest values at the right edge, ``cells`` wide. ``None`` is a gap; what was counted is never invisible.

    Values are durations in ns with their bands, or ``counts``, of which none are gaps.
    """
    shown = values[-cells:] if cells > 0 else ()
    spans: list[Span] = [(" " * (cells - len(shown)), Role.PLAIN)]
    steps = len(glyphs.heights)
    for value in shown:
        if value is None or top <= 0 or (counts and not value):
            spans.append((" ", Role.PLAIN))
            continue
        step = min(steps - 1, max(0, int(value / top * steps + 0.5) - 1))
        band = Band.CALM if counts else latency_band(value)
        spans.append((glyphs.heights[step], Role.DIM if step == 0 and band is Band.CALM else _ROLE[band]))
    return join(spans)


def bar(start: float, end: float, cells: int, glyphs: Glyphs, role: Role) -> Line:
    """A bar from ``start`` to ``end`` (0…1 of ``cells``), at least an eighth of a cell wide."""
    first = min(int(start * cells), max(0, cells - 1))
    length = max(0.0, min(1.0, end) * cells - first)
    full = int(length)
    rest = int((length - full) * 8)
    text = glyphs.eighths[-1] * full + (glyphs.eighths[rest - 1] if rest else "")
    text = (text or glyphs.eighths[0])[: cells - first]
    return join(((" " * first, Role.PLAIN), (text, role), (" " * (cells - first - len(text)), Role.PLAIN)))
