"""Sums of sparse histogram rows: any number of ticks put together, per region and distribution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netlat_tui.model.histogram import EDGES, MIDDLES, N_BUCKETS, Counts, empty, quantiles
from netlat_tui.model.snapshot import Distribution
from netlat_tui.model.ticks import CELL, SUM, Rows

EVERYWHERE = 0xFF
"""Scope of a code that stands for all CPUs together."""

Codes = npt.NDArray[np.int64]
_NO_MINIMUM = np.iinfo(np.int64).max
_FRACTIONS = (0.5, 0.9, 0.99, 0.999)


def code_of(scope: int, key: int, dist: int) -> int:
    """One number for a region and a distribution."""
    return scope << 48 | key << 16 | dist


def codes_of(rows: Rows) -> Codes:
    """The same for ``CELL`` or ``SUM`` rows."""
    scope, key = rows["scope"].astype(np.int64), rows["key"].astype(np.int64)
    return np.asarray(scope << 48 | key << 16 | rows["dist"].astype(np.int64))


class Aggregate:
    """Histograms, sums and extremes by code. Grows with the codes it has seen: regions × distributions at most."""

    def __init__(self) -> None:
        self._row: dict[int, int] = {}
        self._dists: dict[int, list[int]] = {}  # of each region
        self._singles: _Singles | None = None
        self._codes = np.zeros(0, dtype=np.int64)
        self._buckets = np.zeros((0, N_BUCKETS), dtype=np.uint64)
        self._sum = np.zeros(0, dtype=np.uint64)
        self._min = np.zeros(0, dtype=np.int64)
        self._max = np.zeros(0, dtype=np.int64)

    @classmethod
    def of(cls, parts: Iterable[tuple[Rows, Rows]]) -> Aggregate:
        """All (cells, sums) of some ticks together."""
        cells, sums = [np.zeros(0, dtype=CELL)], [np.zeros(0, dtype=SUM)]
        for some_cells, some_sums in parts:
            cells.append(some_cells)
            sums.append(some_sums)
        made = cls()
        made.add(np.concatenate(cells), np.concatenate(sums))
        return made

    def add(self, cells: Rows, sums: Rows) -> None:
        self._singles = None
        cell_codes, sum_codes = codes_of(cells), codes_of(sums)
        rows = self._rows(cell_codes)
        np.add.at(self._buckets.reshape(-1), rows * N_BUCKETS + cells["bucket"], cells["count"].astype(np.uint64))
        rows = self._rows(sum_codes)
        np.add.at(self._sum, rows, sums["sum_ns"])
        counted = sums["count"] > 0
        limit = np.uint64(_NO_MINIMUM)
        np.minimum.at(self._min, rows[counted], np.minimum(sums["min_ns"][counted], limit).astype(np.int64))
        np.maximum.at(self._max, rows[counted], np.minimum(sums["max_ns"][counted], limit).astype(np.int64))

    def _rows(self, codes: Codes) -> npt.NDArray[np.intp]:
        """Row of each code; new codes get new rows."""
        unique, inverse = np.unique(codes, return_inverse=True)
        new = [int(code) for code in unique if int(code) not in self._row]
        if new:
            for code in new:
                self._row[code] = len(self._row)
                self._dists.setdefault(code & ~0xFFFF, []).append(code & 0xFFFF)
            more = len(new)
            self._codes = np.concatenate([self._codes, np.array(new, dtype=np.int64)])
            self._buckets = np.concatenate([self._buckets, np.zeros((more, N_BUCKETS), dtype=np.uint64)])
            self._sum = np.concatenate([self._sum, np.zeros(more, dtype=np.uint64)])
            self._min = np.concatenate([self._min, np.full(more, _NO_MINIMUM, dtype=np.int64)])
            self._max = np.concatenate([self._max, np.zeros(more, dtype=np.int64)])
        of_unique = np.array([self._row[int(code)] for code in unique], dtype=np.intp)
        return of_unique[inverse]

    def counted(self, regions: Iterable[Region]) -> set[int]:
        """The distributions of which any of these regions has had samples."""
        return {dist for region in regions for dist in self._dists.get(region.code(0), ())}

    def sum_ns(self, code: int) -> int:
        row = self._row.get(code)
        return 0 if row is None else int(self._sum[row])

    def distribution(self, codes: Sequence[int]) -> Distribution:
        """The distributions of these codes put together; codes that were never counted add nothing."""
        rows = [self._row[code] for code in codes if code in self._row]
        if not rows:
            return nothing()
        if len(rows) == 1:
            if self._singles is None:
                self._singles = _Singles(self._buckets, self._sum, self._min, self._max)
            return self._singles.distribution(rows[0])
        buckets: Counts = self._buckets[rows].sum(axis=0, dtype=np.uint64)
        return made_of(buckets, int(self._sum[rows].sum()), int(np.min(self._min[rows])), int(np.max(self._max[rows])))

    def summaries(self) -> dict[int, tuple[int, int]]:
        """(samples, p99 in ns) of every code that has samples."""
        if not len(self._codes):
            return {}
        cumulative = np.cumsum(self._buckets, axis=1)
        counts = cumulative[:, -1]
        ranks = np.maximum(1, np.ceil(counts * 0.99)).astype(np.uint64)
        buckets = (cumulative >= ranks[:, None]).argmax(axis=1)
        p99 = np.minimum(MIDDLES[buckets], np.maximum(self._max, EDGES[buckets]))
        return {
            int(code): (int(count), int(value))
            for code, count, value in zip(self._codes, counts, p99, strict=True)
            if count
        }


class _Singles:
    """What ``made_of`` makes of each row, for all rows at once: many times faster than one by one."""

    def __init__(
        self,
        buckets: Counts,
        sums: npt.NDArray[np.uint64],
        lowest: npt.NDArray[np.int64],
        highest: npt.NDArray[np.int64],
    ) -> None:
        filled = buckets != 0
        first = filled.argmax(axis=1)
        last = N_BUCKETS - 1 - filled[:, ::-1].argmax(axis=1)
        cumulative = np.cumsum(buckets, axis=1)
        counts = cumulative[:, -1]
        low = np.minimum(np.maximum(lowest, EDGES[first]), EDGES[first + 1] - 1)
        high = np.maximum(highest, EDGES[last])
        high = np.where(last < N_BUCKETS - 1, np.minimum(high, EDGES[last + 1] - 1), high)
        low, high = np.minimum(low, high), np.maximum(low, high)
        values = []
        for fraction in _FRACTIONS:
            ranks = np.clip(np.ceil(fraction * counts), 1, counts).astype(np.uint64)
            middles = MIDDLES[(cumulative >= ranks[:, None]).argmax(axis=1)].astype(np.int64)
            values.append(np.maximum(np.minimum(middles, high), low))
        self._buckets = buckets
        columns = (counts, sums, low, high, *values)
        self._columns = [column.tolist() for column in columns]

    def distribution(self, row: int) -> Distribution:
        count, total, low, high, p50, p90, p99, p999 = (column[row] for column in self._columns)
        if not count:
            return nothing()
        return Distribution(count, total, low, high, p50, p90, p99, p999, self._buckets[row].copy())


@dataclass(frozen=True, slots=True)
class Region:
    """A scope and its key as the codes hold them."""

    scope: int
    key: int

    def code(self, dist: int) -> int:
        return code_of(self.scope, self.key, dist)


def nothing() -> Distribution:
    """The distribution of no samples."""
    return Distribution(0, 0, None, None, None, None, None, None, empty())


def made_of(buckets: Counts, sum_ns: int, lowest: int, highest: int) -> Distribution:
    """A distribution from its parts; extremes are brought back to the outermost buckets where they disagree.

    The kernel side may lose an extreme in a race; a count is never lost.
    """
    filled = np.flatnonzero(buckets)
    if not filled.size:
        return nothing()
    first, last = int(filled[0]), int(filled[-1])
    low = min(max(lowest, int(EDGES[first])), int(EDGES[first + 1] - 1))
    high = max(highest, int(EDGES[last]))
    if last < N_BUCKETS - 1:
        high = min(high, int(EDGES[last + 1] - 1))
    low, high = min(low, high), max(low, high)  # both may be lost within one bucket
    p50, p90, p99, p999 = quantiles(buckets, _FRACTIONS, low, high)
    return Distribution(int(buckets.sum()), sum_ns, low, high, p50, p90, p99, p999, buckets)
