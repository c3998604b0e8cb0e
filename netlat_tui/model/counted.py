"""What one tick counted, by rows of an index: all that is kept of its histograms."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from netlat_tui.model.codes import EVERYWHERE, Codes, Index, Places, code_of, codes_of
from netlat_tui.model.distributions import NO_MINIMUM
from netlat_tui.model.histogram import EDGES, MIDDLES, N_BUCKETS, Counts, at_ranks
from netlat_tui.model.ticks import Rows, Scope


class Counted:
    """Immutable. ``rows`` are those of the distributions that grew, with ``lengths`` buckets each; ``sum_rows`` those
    that have sums and extremes."""

    __slots__ = ("buckets", "counts", "high", "lengths", "low", "rows", "sum_ns", "sum_rows")

    def __init__(
        self,
        rows: Places,
        lengths: Places,
        buckets: npt.NDArray[np.uint16],
        counts: npt.NDArray[np.uint32],
        sum_rows: Places,
        sums: Rows,
    ) -> None:
        self.rows, self.lengths, self.buckets, self.counts = rows, lengths, buckets, counts
        self.sum_rows, self.sum_ns = sum_rows, sums["sum_ns"].copy()
        # Extremes of nothing must not count.
        some, limit = sums["count"] > 0, np.uint64(NO_MINIMUM)
        self.low = np.where(some, np.minimum(sums["min_ns"], limit), limit).astype(np.int64)
        self.high = np.where(some, np.minimum(sums["max_ns"], limit), np.uint64(0)).astype(np.int64)

    @classmethod
    def of(cls, index: Index, cells: Rows, sums: Rows) -> Self:
        codes, buckets = codes_of(cells), np.ascontiguousarray(cells["bucket"])
        counts = np.ascontiguousarray(cells["count"])
        if not _in_order(codes, buckets):  # they are, as the kernel side gives them
            order = np.lexsort((buckets, codes))
            codes, buckets, counts = codes[order], buckets[order], counts[order]
        first = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1))
        lengths = np.diff(first, append=len(codes))
        return cls(index.rows(codes[first]), lengths, buckets, counts, index.rows(codes_of(sums)), sums)

    def places(self) -> Places:
        """Where each count belongs in lines of ``N_BUCKETS``, one after the other."""
        return np.repeat(self.rows * N_BUCKETS, self.lengths) + self.buckets

    def line(self, rows: Places) -> Counts:
        """What was counted in these rows together, by bucket."""
        wanted = np.repeat(np.isin(self.rows, rows), self.lengths)
        weights = self.counts[wanted].astype(np.float64)  # exact: a tick counts no 2 ** 53 packets
        return np.bincount(self.buckets[wanted], weights, minlength=N_BUCKETS).astype(np.uint64)

    def summaries(self) -> tuple[Places, Counts, npt.NDArray[np.int64]]:
        """(rows, samples, p99 in ns) of every distribution that has samples."""
        begin = np.cumsum(self.lengths) - self.lengths
        cumulative = np.concatenate([[np.uint64(0)], np.cumsum(self.counts, dtype=np.uint64)])
        before = cumulative[begin]
        totals = cumulative[begin + self.lengths] - before
        at = cumulative.searchsorted(before + _rank_of_p99(totals)) - 1
        some = totals > 0
        highest = int(np.concatenate([self.rows, self.sum_rows, [-1]]).max())
        high = np.zeros(1 + highest, dtype=np.int64)
        np.maximum.at(high, self.sum_rows, self.high)
        rows = self.rows[some]
        return rows, totals[some], _p99(self.buckets[at[some]], high[rows])


def everywhere(cells: Rows, sums: Rows) -> tuple[Codes, Counts, npt.NDArray[np.int64]]:
    """(codes, samples, p99 in ns) of the distributions of all CPUs together."""
    of_cpus = cells["scope"] == Scope.CPU
    dists, lines = np.unique(cells["dist"][of_cpus], return_inverse=True)
    together = np.zeros((len(dists), N_BUCKETS), dtype=np.uint64)
    np.add.at(
        together.reshape(-1), lines * N_BUCKETS + cells["bucket"][of_cpus], cells["count"][of_cpus].astype(np.uint64)
    )
    high = np.zeros(1 << 16, dtype=np.int64)
    counted = (sums["scope"] == Scope.CPU) & (sums["count"] > 0)
    highest = np.minimum(sums["max_ns"][counted], np.uint64(NO_MINIMUM)).astype(np.int64)
    np.maximum.at(high, sums["dist"][counted], highest)
    totals: Counts = together.sum(axis=1, dtype=np.uint64)
    p99 = _p99(at_ranks(together, _rank_of_p99(totals)[:, None])[:, 0], high[dists])
    some = totals > 0
    codes = code_of(EVERYWHERE, 0, 0) | dists[some].astype(np.int64)
    return codes, totals[some], p99[some]


def _in_order(codes: Codes, buckets: npt.NDArray[np.uint16]) -> bool:
    rising = codes[1:] > codes[:-1]
    return bool((rising | ((codes[1:] == codes[:-1]) & (buckets[1:] >= buckets[:-1]))).all())


def _rank_of_p99(totals: Counts) -> Counts:
    return np.asarray(np.maximum(1, np.ceil(totals * 0.99)).astype(np.uint64))


def _p99(buckets: npt.NDArray[Any], high: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.asarray(np.minimum(MIDDLES[buckets], np.maximum(high, EDGES[buckets])).astype(np.int64))
