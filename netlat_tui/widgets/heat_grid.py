"""The cells of a heatmap: columns of ticks, rows of durations, and the steps of a count's density."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from netlat_tui.model.heat import Columns, Heat, join
from netlat_tui.model.histogram import EDGES, N_BUCKETS, SUB_BUCKETS, Counts

LEAST_BUCKETS = 4 * SUB_BUCKETS
"""The least an axis covers: four octaves, a little more than a decade."""

_RATIOS = tuple(lead * 10**power for power in range(6) for lead in (1, 2, 3, 5))[1:]


@dataclass(frozen=True, slots=True)
class Grid:
    """Counts by row, fastest first, and column, oldest first. A bucket of the histogram is in one row, whole: every
    packet is in one cell."""

    columns: Columns
    edges: npt.NDArray[np.int64]  # the first bucket of each row, and where the last row ends
    counts: Counts
    scale: tuple[int, ...]  # the least count of each density
    densities: npt.NDArray[np.uint8]  # of each cell, 0: nothing was counted

    @property
    def rows(self) -> int:
        return len(self.edges) - 1

    def low_ns(self, row: int) -> int:
        return int(EDGES[self.edges[row]])

    def high_ns(self, row: int) -> int | None:
        """Where the row ends, ``None`` for the one that takes everything longer."""
        end = int(self.edges[row + 1])
        return None if end == N_BUCKETS else int(EDGES[end])

    def middle_ns(self, row: int) -> float:
        return float(EDGES[self.edges[row]] + EDGES[self.edges[row + 1]]) / 2

    def row_of(self, bucket: int) -> int:
        """The row of a bucket, or the one next to it."""
        return max(0, min(self.rows - 1, int(self.edges.searchsorted(bucket, side="right")) - 1))


STEPS = 8
"""A full heatmap gives up this part of its columns at once: one that moved at every tick would be sent anew each time,
all of it, and over SSH that is what it costs."""


def grid(heat: Heat, cells: int, rows: int) -> Grid:
    """At most so many columns and, where anything was counted, rows; without ``rows`` for what was not."""
    columns = join(heat, cells, cells // STEPS)
    filled = np.flatnonzero(columns.counts.sum(axis=0)) if len(columns) else np.zeros(0, dtype=np.intp)
    if not len(filled) or rows < 1:
        nothing = np.zeros((0, len(columns)), dtype=np.uint64)
        return Grid(columns, np.zeros(1, dtype=np.int64), nothing, (1,), nothing.astype(np.uint8))
    edges = _edges(int(filled[0]), int(filled[-1]), rows)
    sums = np.concatenate([np.zeros((len(columns), 1), dtype=np.uint64), columns.counts.cumsum(axis=1)], axis=1)
    counts: Counts = np.ascontiguousarray(np.diff(sums[:, edges], axis=1).T)
    scale = scale_of(int(counts.max()))
    densities = np.array(scale, dtype=np.uint64).searchsorted(counts, side="right").astype(np.uint8)
    return Grid(columns, edges, counts, scale, densities)


def _edges(first: int, last: int, rows: int) -> npt.NDArray[np.int64]:
    """Rows of equal numbers of buckets, which is a logarithmic axis, from a power of two on; what is over is above."""
    low = 0 if first == 0 else 1 + (first - 1) // SUB_BUCKETS * SUB_BUCKETS
    high = max(1 + -(-last // SUB_BUCKETS) * SUB_BUCKETS, low + LEAST_BUCKETS)
    if high > N_BUCKETS:
        low, high = min(low, N_BUCKETS - LEAST_BUCKETS), N_BUCKETS
    each = -(-(high - low) // rows)
    end = min(N_BUCKETS, low + each * rows)
    return np.append(np.arange(low, end, each, dtype=np.int64), end)


def scale_of(most: int) -> tuple[int, ...]:
    """The least count of each of four densities: equal ratios, so that few are seen beside many; the last is used."""
    ratio = max((ratio for ratio in _RATIOS if ratio**3 <= most), default=_RATIOS[0])
    return 1, ratio, ratio**2, ratio**3


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int, bool]]:
    """(begin, end, value) of each stretch of equal flags."""
    if not len(flags):
        return []
    turns = (np.flatnonzero(np.diff(flags)) + 1).tolist()
    return [(begin, end, bool(flags[begin])) for begin, end in pairwise([0, *turns, len(flags)])]
