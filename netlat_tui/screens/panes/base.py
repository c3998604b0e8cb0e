"""What a pane is: columns, rows of a snapshot, and the words for when there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from netlat_tui.model.noise import Change, Verdict
from netlat_tui.model.snapshot import Distribution, Snapshot, Trend
from netlat_tui.model.text import change as change_words
from netlat_tui.widgets.bands import Band, latency_band
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role


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


def change_column(of: str, drop: int) -> Column:
    """The column of what changed against the baseline."""
    return Column(
        "change", "change", 6, drop=drop, optional=True,
        help=f"{of} against the baseline (b); an arrow: more than the noise, normally none; -: too few to tell",
    )  # fmt: skip


def changed(change: Change | None, glyphs: Glyphs) -> Cell:
    """What changed; nothing where there is no baseline."""
    if change is None:
        return Cell()
    if change.verdict is Verdict.UNTOLD:
        return Cell("- ", role=Role.DIM)
    words = "new" if not change.before and change.after else change_words(change.share or 0.0)
    if not change.marked:
        return Cell(glyphs.text(words) + " ", role=Role.DIM, sort=change.share)
    up = change.verdict is Verdict.UP
    arrow = glyphs.rising if up else glyphs.falling
    return Cell(glyphs.text(words) + arrow, role=Role.WARM if up else Role.ACCENT, sort=change.share or inf)


def warned(text: str, value: float, band: Band) -> Cell:
    """A count that is worth a look as soon as it is not zero."""
    return Cell(text, band=band if value else Band.CALM, sort=value)


def nothing_seen(snapshot: Snapshot) -> str:
    """Why there are no packets on screen."""
    direction = f", {snapshot.direction.label} only" if snapshot.direction is not None else ""
    if snapshot.kernel_filter:
        return f"no packets yet: filter {snapshot.kernel_filter}{direction}"
    return f"no packets yet: waiting for traffic{direction}"
