"""Sums of histograms: of a whole run, or of a window that moves on with the ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netlat_tui.model.codes import Codes, Index
from netlat_tui.model.counted import Counted
from netlat_tui.model.distributions import NO_MINIMUM, made_of
from netlat_tui.model.histogram import N_BUCKETS, Counts
from netlat_tui.model.snapshot import Distribution


@dataclass(frozen=True, slots=True)
class Sums:
    """Histograms, sums and extremes by the rows of an index. Immutable: any thread may ask, at any time."""

    index: Index
    buckets: Counts
    sum_ns: npt.NDArray[np.uint64]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    def distributions(self, codes: Codes, estimated: Sequence[bool]) -> list[Distribution]:
        """One for each line of codes: those put together. Codes that were never counted add nothing."""
        rows = self.index.find(codes)
        known = (rows >= 0) & (rows < len(self.buckets))  # the index has grown since
        lines, columns = codes.shape
        buckets = np.zeros((lines, N_BUCKETS), dtype=np.uint64)
        sum_ns, high = np.zeros(lines, dtype=np.uint64), np.zeros(lines, dtype=np.int64)
        low = np.full(lines, NO_MINIMUM, dtype=np.int64)
        if columns == 1:
            to = np.flatnonzero(known)
            at = rows[to, 0]
            buckets[to], sum_ns[to], low[to], high[to] = self.buckets[at], self.sum_ns[at], self.low[at], self.high[at]
        else:
            for line in np.flatnonzero(known.any(axis=1)).tolist():
                at = rows[line, known[line]]
                self.buckets[at].sum(axis=0, out=buckets[line])
                sum_ns[line], low[line], high[line] = self.sum_ns[at].sum(), self.low[at].min(), self.high[at].max()
        return made_of(buckets, sum_ns, low, high, estimated)


class Aggregate:
    """What was counted in some ticks. Grows with the rows of the index: regions × distributions at most."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._buckets = np.zeros((0, N_BUCKETS), dtype=np.uint64)
        self._sum_ns = np.zeros(0, dtype=np.uint64)
        self._low, self._high = _no_extremes(0)

    def add(self, counted: Counted) -> None:
        self._grow()
        np.add.at(self._buckets.reshape(-1), counted.places(), counted.counts.astype(np.uint64))
        np.add.at(self._sum_ns, counted.sum_rows, counted.sum_ns)
        _widen(self._low, self._high, counted)

    def subtract(self, counted: Counted) -> None:
        """Take out what was added. The extremes stay: those of the rest are not known."""
        np.subtract.at(self._buckets.reshape(-1), counted.places(), counted.counts.astype(np.uint64))
        np.subtract.at(self._sum_ns, counted.sum_rows, counted.sum_ns)

    def sums(self, extremes_of: Sequence[Counted] | None = None) -> Sums:
        """As they are now, with the extremes of these ticks, or of all that was ever added."""
        self._grow()
        count = len(self._index)
        if extremes_of is None:
            low, high = self._low[:count].copy(), self._high[:count].copy()
        else:
            low, high = _no_extremes(count)
            for counted in extremes_of:
                _widen(low, high, counted)
        return Sums(self._index, self._buckets[:count].copy(), self._sum_ns[:count].copy(), low, high)

    def _grow(self) -> None:
        before, count = len(self._buckets), len(self._index)
        if count <= before:
            return
        more = count - before if not before else max(count - before, before // 2)
        low, high = _no_extremes(more)
        self._buckets = np.concatenate([self._buckets, np.zeros((more, N_BUCKETS), dtype=np.uint64)])
        self._sum_ns = np.concatenate([self._sum_ns, np.zeros(more, dtype=np.uint64)])
        self._low, self._high = np.concatenate([self._low, low]), np.concatenate([self._high, high])


class Window:
    """Sums of the ticks of a window: as it moves on, only those that come and those that leave are counted again."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._aggregate = Aggregate(index)
        self._ticks: set[Counted] = set()

    def sums(self, ticks: Sequence[Counted]) -> Sums:
        """The sums of these."""
        wanted = set(ticks)
        gone = self._ticks - wanted
        if len(gone) > len(wanted):  # another window: cheaper from the start
            self._aggregate, self._ticks, gone = Aggregate(self._index), set(), set()
        for counted in gone:
            self._aggregate.subtract(counted)
        for counted in wanted - self._ticks:
            self._aggregate.add(counted)
        self._ticks = wanted
        return self._aggregate.sums(ticks)


def _no_extremes(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return np.full(count, NO_MINIMUM, dtype=np.int64), np.zeros(count, dtype=np.int64)


def _widen(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64], counted: Counted) -> None:
    np.minimum.at(low, counted.sum_rows, counted.low)
    np.maximum.at(high, counted.sum_rows, counted.high)
