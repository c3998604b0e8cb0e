"""A distribution drawn as columns over a logarithmic time axis, with its percentiles marked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netlat_tui.model.histogram import EDGES, bounds
from netlat_tui.model.snapshot import Distribution
from netlat_tui.model.text import quantity
from netlat_tui.widgets.bands import Band, latency_band
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, Span, join, width

_ROLE = {Band.CALM: Role.TREND, Band.WARM: Role.WARM, Band.HOT: Role.HOT}


def percentiles(values: Distribution) -> tuple[tuple[str, int | None], ...]:
    return (("p50", values.p50_ns), ("p90", values.p90_ns), ("p99", values.p99_ns), ("p99.9", values.p999_ns))


_GIVE_WAY = ("mean", "min", "p99.9", "p90", "max")


def figures(values: Distribution, cells: int, glyphs: Glyphs) -> Line:
    """Count, extremes, mean and percentiles in one line of at most ``cells`` columns; p50 and p99 stay."""
    entries = [("min", values.min_ns), ("mean", values.mean_ns), *percentiles(values), ("max", values.max_ns)]
    for leaving in ("", *_GIVE_WAY):
        entries = [(name, ns) for name, ns in entries if name != leaving]
        spans: list[Span] = [(quantity(values.count, values.estimated), Role.STRONG), (" samples", Role.DIM)]
        for name, ns in entries:
            spans.append((f"  {name} ", Role.DIM))
            spans.append((glyphs.duration(ns), BAND_ROLE[latency_band(ns)]))
        if width(spans) <= cells:
            break
    return join(spans)


class Axis:
    """A logarithmic time axis over ``cells`` columns, wide enough for what was counted and at least a decade."""

    def __init__(self, low_ns: int, high_ns: int, cells: int) -> None:
        self.low = math.log10(max(1, low_ns))
        self.high = max(math.log10(max(2, high_ns)), self.low + 1)
        self.cells = cells

    def position(self, ns: float) -> float:
        """Cells from the left edge, not more than there are."""
        at = (math.log10(max(1.0, ns)) - self.low) / (self.high - self.low)
        return min(float(self.cells), max(0.0, at * self.cells))

    def column(self, ns: float) -> int:
        return min(self.cells - 1, int(self.position(ns)))

    def value(self, column: float) -> float:
        """The time at the left edge of a column."""
        return float(10 ** (self.low + column / self.cells * (self.high - self.low)))

    def decades(self) -> list[int]:
        return [10**power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]


def _heights(values: Distribution, axis: Axis) -> list[float]:
    """Samples per column: a bucket is spread over the columns it covers, by how much of it lies in each."""
    heights = [0.0] * axis.cells
    for bucket, samples in enumerate(values.buckets.tolist()):
        if not samples:
            continue
        start, end = axis.position(float(EDGES[bucket])), axis.position(float(EDGES[bucket + 1]))
        for column in range(int(start), min(axis.cells - 1, int(end)) + 1):
            covered = min(end, column + 1) - max(start, column)
            heights[column] += samples * (max(0.0, covered) / (end - start) if end > start else 1.0)
    return heights


Marks = Sequence[tuple[str, float]]
"""Further places on the axis: a name and ns."""


def distribution(values: Distribution, cells: int, rows: int, glyphs: Glyphs, further: Marks = ()) -> list[Line]:
    """The drawing in ``rows`` lines of ``cells`` columns; one line saying so where nothing was counted."""
    limits = bounds(values.buckets)
    if limits is None:
        return [(("nothing counted in this window", Role.DIM),)]
    if rows < 5 or cells < 30:
        return [figures(values, cells, glyphs)]
    places = [*limits, *(round(ns) for _, ns in further)]
    axis = Axis(min(places), max(places), cells)
    heights = _heights(values, axis)
    marks = _marks(values, axis)
    if further and rows >= 5 + len(marks):
        marks.append(_further(further, axis))
    tall = rows - 2 - len(marks)
    lines = [_row(heights, axis, tall, level, glyphs) for level in range(tall - 1, -1, -1)]
    lines.append(_ruler(axis, glyphs))
    lines.append(_labels(axis, glyphs))
    lines.extend(marks)
    return lines


def _row(heights: list[float], axis: Axis, tall: int, level: int, glyphs: Glyphs) -> Line:
    top = max(heights)
    steps = len(glyphs.heights)
    spans: list[Span] = []
    for column, height in enumerate(heights):
        filled = max(1, round(height / top * tall * steps)) - level * steps if height else 0
        role = _ROLE[latency_band(axis.value(column + 0.5))]
        spans.append(
            (glyphs.heights[min(steps, filled) - 1] if filled > 0 else " ", role if filled > 0 else Role.PLAIN)
        )
    return join(spans)


def _ruler(axis: Axis, glyphs: Glyphs) -> Line:
    line = [glyphs.rule] * axis.cells
    for decade in axis.decades():
        line[axis.column(decade)] = glyphs.tick
    return (("".join(line), Role.DIM),)


def _labels(axis: Axis, glyphs: Glyphs) -> Line:
    text = ""
    for decade in axis.decades():
        label = _round_duration(decade, glyphs)
        column = min(axis.column(decade), axis.cells - len(label))
        if column >= len(text) + (1 if text else 0):
            text += " " * (column - len(text)) + label
    return ((text, Role.DIM),)


def _round_duration(decade: int, glyphs: Glyphs) -> str:
    for scale, unit in ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns")):
        if decade >= scale:
            return glyphs.text(f"{decade // scale}{unit}")
    return "0"


def _further(marks: Marks, axis: Axis) -> Line:
    """A line naming other places under them: those that do not fit beside each other are left out."""
    spans: list[Span] = []
    for name, ns in sorted(marks, key=lambda mark: mark[1]):
        label = f"^{name}"
        column, at = min(axis.column(ns), axis.cells - len(label)), width(spans)
        if column >= at + (1 if spans else 0):
            spans += [(" " * (column - at), Role.PLAIN), (label, Role.ACCENT)]
    return join(spans)


def _marks(values: Distribution, axis: Axis) -> list[Line]:
    """A line or two naming each percentile under its place on the axis."""
    lines: list[list[Span]] = [[], []]
    for name, ns in percentiles(values):
        if ns is None:
            continue
        label = f"^{name}"
        column = min(axis.column(ns), axis.cells - len(label))
        for line in lines:
            at = width(line)
            if column >= at + (1 if line else 0):
                line.append((" " * (column - at), Role.PLAIN))
                line.append((label, BAND_ROLE[latency_band(ns)] if latency_band(ns) else Role.STRONG))
                break
    return [join(line) for line in lines if line]
