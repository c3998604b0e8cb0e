"""What a pane is: columns, rows of a snapshot, and the words for when there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from netlat_tui.model.snapshot import Distribution, Snapshot, Trend
from netlat_tui.widgets.bands import Band, latency_band
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs


@dataclass(frozen=True, slots=True)
class Pane:
    """A pane's recipe. ``term`` is the filter for a row, "" where a row has none.

    ``alone``: it is shown by itself at every size, not among the others where there is room for several.
    """

    key: str
    title: str
    summary: str
    columns: tuple[Column, ...]
    rows: Callable[[Snapshot, Glyphs], Sequence[Row]]
    empty: Callable[[Snapshot], str]
    term: Callable[[Row], str]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """An interval that is not a stage: the whole path, a softirq's wait, a handler's run."""

    key: str
    title: str
    summary: str
    values: Distribution
    trend: Trend = field(default_factory=Trend)
    missing: str = ""  # why there is nothing in it


def latency(ns: int | None, glyphs: Glyphs) -> Cell:
    """A duration with its band."""
    return Cell(glyphs.duration(ns), band=latency_band(ns), sort=ns)


def plain_latency(ns: int | None, glyphs: Glyphs) -> Cell:
    """A duration beside the one that carries the band."""
    return Cell(glyphs.duration(ns), sort=ns)


def warned(text: str, value: float, band: Band) -> Cell:
    """A count that is worth a look as soon as it is not zero."""
    return Cell(text, band=band if value else Band.CALM, sort=value)


def nothing_seen(snapshot: Snapshot) -> str:
    """Why there are no packets on screen."""
    direction = f", {snapshot.direction.label} only" if snapshot.direction is not None else ""
    if snapshot.kernel_filter:
        return f"no packets yet: filter {snapshot.kernel_filter}{direction}"
    return f"no packets yet: waiting for traffic{direction}"
