"""A heatmap drawn as lines: legend, packets by column, a line per row of durations, the time axis."""

from __future__ import annotations

from dataclasses import dataclass

from netlat_tui.model.text import quantity
from netlat_tui.widgets.bands import Band, latency_band
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.heat_grid import Grid, runs
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, Span, clip, fit, join, width
from netlat_tui.widgets.trend import scale_of as trend_scale
from netlat_tui.widgets.trend import trend

LABEL_CELLS = 9
"""The cursor's mark, a duration, its band."""
TOTAL_CELLS = 7
"""A gap and a count."""
LEAST_CELLS = 50
"""Narrower, rows have no totals."""
LEAST_LINES = 8
"""Lower, columns have none."""
LABEL_EVERY = 10
"""Columns between marks of the time axis."""

_ROLE = {Band.CALM: Role.TREND, Band.WARM: Role.WARM, Band.HOT: Role.HOT}

Cursor = tuple[int, int]
"""Column and row."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How a size is shared out."""

    cells: int
    lines: int

    @property
    def totals(self) -> bool:
        return self.cells >= LEAST_CELLS

    @property
    def columns(self) -> int:
        return max(0, self.cells - LABEL_CELLS - (TOTAL_CELLS if self.totals else 0))

    @property
    def trend(self) -> bool:
        return self.lines >= LEAST_LINES

    @property
    def rows(self) -> int:
        return max(0, self.lines - 2 - self.trend)


def heat_lines(
    grid: Grid, frame: Frame, glyphs: Glyphs, now: str, *, estimated: bool = False, cursor: Cursor | None = None
) -> list[Line]:
    """All of it, from the top; ``now`` is what the end of the newest column is called."""
    lines = [_legend(grid, frame, glyphs, now)]
    if frame.trend:
        lines.append(_packets(grid, frame, glyphs, estimated))
    lines += [_row(grid, frame, row, glyphs, cursor, estimated) for row in range(grid.rows - 1, -1, -1)]
    lines.append(_axis(grid, frame, glyphs))
    return lines


def span_words(seconds: float) -> str:
    """A length of time in whole units: ``500ms``, ``10s``, ``2min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 120:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}min" if round(seconds) % 60 == 0 else f"{seconds // 60:.0f}m{seconds % 60:02.0f}s"


def _legend(grid: Grid, frame: Frame, glyphs: Glyphs, now: str) -> Line:
    """Which density stands for how many packets, how long a column is, what is not known; at the right, the time.

    One scale for all cells."""
    spans: list[Span] = [(" packets ", Role.DIM)]
    for glyph, least in zip(glyphs.density, grid.scale, strict=False):
        spans += [(f" {glyph} ", Role.TREND), (quantity(least), Role.PLAIN)]
    spans.append(("+", Role.PLAIN))
    if len(grid.columns):
        spans += [("   a column ", Role.DIM), (span_words(_column_ns(grid) / 1e9), Role.PLAIN)]
    if (grid.columns.measured == 0).any():
        spans += [("   ", Role.PLAIN), (glyphs.unmeasured, Role.DIM), (" not measured", Role.DIM)]
    spare = frame.cells - width(spans) - len(now) - 1
    if spare > 0:
        spans += [(" " * spare, Role.PLAIN), (now, Role.DIM)]
    return clip(spans, frame.cells, glyphs.ellipsis)


def _column_ns(grid: Grid) -> int:
    """The length of a whole column: the outermost may be shorter."""
    return int((grid.columns.until_ns - grid.columns.since_ns).max())


def _packets(grid: Grid, frame: Frame, glyphs: Glyphs, estimated: bool) -> Line:
    """Packets by column as a trend, and all there are."""
    counts = grid.columns.counts.sum(axis=1).tolist()
    values = [float(count) for count in counts]
    top = trend_scale([values], frame.columns)
    drawn = trend(values, top, len(values), glyphs, counts=True)
    most = f" {fit(quantity(top, estimated), 7, '', right=True)} "
    before, after = _blanks(grid, frame)
    return join(((most, Role.DIM), before, *drawn, after, *_total(sum(counts), frame, estimated, Role.STRONG)))


def _blanks(grid: Grid, frame: Frame) -> tuple[Span, Span]:
    """What is left empty before the first column and after the last."""
    before = min(grid.columns.before, frame.columns - len(grid.columns))
    after = frame.columns - len(grid.columns) - before
    return (" " * before, Role.PLAIN), (" " * after, Role.PLAIN)


def _total(count: int, frame: Frame, estimated: bool, role: Role = Role.PLAIN) -> Line:
    return ((f" {quantity(count, estimated):>{TOTAL_CELLS - 1}}", role),) if frame.totals else ()


def _row(grid: Grid, frame: Frame, row: int, glyphs: Glyphs, cursor: Cursor | None, estimated: bool) -> Line:
    band = latency_band(grid.middle_ns(row))
    at = cursor[0] if cursor is not None and cursor[1] == row else None
    label = BAND_ROLE[band] if band else Role.STRONG if at is not None else Role.DIM
    before, after = _blanks(grid, frame)
    # The mark's blank has the label's role: a change of colour is as long as ten cells.
    spans: list[Span] = [
        (glyphs.cursor, Role.ACCENT) if at is not None else (" ", label),
        (f"{glyphs.duration(grid.low_ns(row)):>7}{glyphs.bands[band]}", label),
        before,
    ]
    text = "".join((" " + glyphs.density)[density] for density in grid.densities[row].tolist())
    for begin, end, measured in runs(grid.columns.measured > 0):
        part = text[begin:end] if measured else glyphs.unmeasured * (end - begin)
        role = _ROLE[band] if measured else Role.DIM
        if at is not None and begin <= at < end:
            here = at - begin
            spans += [(part[:here], role), (part[here], Role.CURSOR), (part[here + 1 :], role)]
        else:
            spans.append((part, role))
    return join((*spans, after, *_total(int(grid.counts[row].sum()), frame, estimated)))


def _axis(grid: Grid, frame: Frame, glyphs: Glyphs) -> Line:
    """The window's columns under a line of their own; every ten columns, how old they are."""
    columns = grid.columns
    before, _ = _blanks(grid, frame)
    spans: list[Span] = [(" " * LABEL_CELLS, Role.PLAIN), before]
    text = "".join(glyphs.covered if inside else glyphs.rule for inside in columns.in_window.tolist())
    taken = len(text)
    for end, words in _labels(grid):
        begin = end - len(words)
        if begin >= 0 and end <= taken:
            text = text[:begin] + words + text[end:]
            taken = begin - 1
    spans.append((text, Role.DIM))
    if width(spans) > frame.cells:
        return clip(spans, frame.cells, "")
    return join(spans)


def _labels(grid: Grid) -> list[tuple[int, str]]:
    """Where each label ends, from the right."""
    columns = grid.columns
    labels = []
    for back in range(LABEL_EVERY, len(columns), LABEL_EVERY):
        at = len(columns) - back
        age = (columns.until_ns[-1] - columns.until_ns[at - 1]) / 1e9
        labels.append((at, f" -{span_words(float(age))} "))
    return labels
