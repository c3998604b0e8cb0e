"""Heat: what one distribution counted in each tick, and how ticks are joined to columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from netlat_tui.model.histogram import Counts

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Heat:
    """Ticks in a row, oldest first; times are CLOCK_MONOTONIC. All CPUs together. Immutable."""

    first: int  # number of the oldest of these ticks, from 0 for the first there ever was
    since_ns: npt.NDArray[np.int64]
    until_ns: npt.NDArray[np.int64]
    measured: npt.NDArray[np.bool_]  # not: to stay within the budget nothing was attached
    counts: Counts  # a line of N_BUCKETS for each
    window: int  # so many of the newest are of the snapshot's window
    estimated: bool = False  # counted in part, and scaled

    @property
    def end(self) -> int:
        """The number of the tick that will come next."""
        return self.first + len(self.counts)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a distribution: counted after ``since_ns`` and not after ``until_ns`` (CLOCK_MONOTONIC), durations from
    ``low_ns`` to below ``high_ns``; ``None``: no limit."""

    dist: int
    since_ns: int
    until_ns: int
    low_ns: int
    high_ns: int | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Ticks joined, so many to a column, oldest first. Which ticks share a column does not change as time goes on."""

    each: int  # ticks to a column
    before: int  # columns left empty before the first: what was counted then is not kept
    first: npt.NDArray[np.int64]  # numbers of the first tick of each column
    since_ns: npt.NDArray[np.int64]
    until_ns: npt.NDArray[np.int64]
    ticks: npt.NDArray[np.int64]  # how many it has: the outermost may have fewer
    measured: npt.NDArray[np.int64]  # how many of them
    in_window: npt.NDArray[np.bool_]  # wholly or in part
    counts: Counts

    def __len__(self) -> int:
        return len(self.first)

    def find(self, tick: int) -> int:
        """The column that has the tick of this number, or the one next to it."""
        return max(0, int(self.first.searchsorted(tick, side="right")) - 1)


def join(heat: Heat, most: int, step: int = 1) -> Columns:
    """At most ``most`` columns: a tick to each where the window's ticks fit so, else as few as make them fit.

    Where there are more, the oldest are given up ``step`` at a time: until then each stays at its place.
    """
    step = max(1, min(step, most))
    numbers = heat.first + np.arange(len(heat.counts), dtype=np.int64)
    each = 1
    if len(numbers) and most > 0:
        newest, oldest = int(numbers[-1]), int(numbers[-1]) - max(1, heat.window) + 1
        while newest // each - oldest // each + 1 > most - step + 1:
            each += 1
    groups = numbers // each
    begins = np.flatnonzero(np.diff(groups, prepend=groups[:1] - 1))
    over = int(groups[-1]) + 1 - most if len(groups) else 0
    start = -(-max(0, over) // step) * step
    begins = begins[groups[begins] >= start] if most > 0 else begins[:0]
    ends = np.append(begins[1:], len(numbers))[: len(begins)]
    shown = slice(begins[0] if len(begins) else len(numbers), None)
    starts = begins - (begins[0] if len(begins) else 0)
    return Columns(
        each=each,
        before=int(groups[begins[0]]) - start if len(begins) else 0,
        first=numbers[begins],
        since_ns=heat.since_ns[begins],
        until_ns=heat.until_ns[ends - 1] if len(ends) else heat.until_ns[:0],
        ticks=ends - begins,
        measured=_sums(heat.measured[shown].astype(np.int64), starts),
        in_window=ends > len(numbers) - heat.window,
        counts=_sums(heat.counts[shown], starts),
    )


def _sums(lines: npt.NDArray[T], starts: npt.NDArray[np.intp]) -> npt.NDArray[T]:
    """Sums of the lines from each start to the next; ``reduceat`` knows no empty arrays."""
    return np.add.reduceat(lines, starts, axis=0, dtype=lines.dtype) if len(starts) else lines[:0]
