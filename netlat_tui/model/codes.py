"""Regions and distributions as one number each, and the rows their counts have in arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netlat_tui.model.ticks import Rows

EVERYWHERE = 0xFF
"""Scope of a code that stands for all CPUs together."""

Codes = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]


def code_of(scope: int, key: int, dist: int) -> int:
    """One number for a region and a distribution."""
    return scope << 48 | key << 16 | dist


def codes_of(rows: Rows) -> Codes:
    """The same for ``CELL`` or ``SUM`` rows."""
    scope, key = rows["scope"].astype(np.int64), rows["key"].astype(np.int64)
    return np.asarray(scope << 48 | key << 16 | rows["dist"].astype(np.int64))


@dataclass(frozen=True, slots=True)
class Region:
    """A scope and its key as the codes hold them."""

    scope: int
    key: int

    def code(self, dist: int) -> int:
        return code_of(self.scope, self.key, dist)


class Index:
    """Gives every number it has not seen the next row. One thread adds; others may look up at any time."""

    def __init__(self) -> None:
        self._row: dict[int, int] = {}
        self._dists: dict[int, tuple[int, ...]] = {}  # of each region
        none = np.zeros(0, dtype=np.int64)
        self._sorted: tuple[Codes, Places] = none, none.astype(np.intp)  # one object: nobody sees half of a change

    def __len__(self) -> int:
        return len(self._row)

    def get(self, code: int) -> int | None:
        return self._row.get(code)

    def find(self, codes: Codes) -> Places:
        """Row of each code, -1 where it has none."""
        known, rows = self._sorted
        if not len(known):
            return np.full(codes.shape, -1, dtype=np.intp)
        at = np.minimum(known.searchsorted(codes), len(known) - 1)
        return np.where(known[at] == codes, rows[at], -1)

    def rows(self, codes: Codes) -> Places:
        """Row of each code; new codes get new rows."""
        found = self.find(codes)
        missing = found < 0
        if missing.any():
            self._take_in(np.unique(codes[missing]).tolist())
            found = self.find(codes)
        return found

    def rows_of(self, scope: int, dist: int) -> Places:
        """Rows of a distribution in all regions of a scope."""
        known, rows = self._sorted
        found: Places = rows[(known >> 48 == scope) & (known & 0xFFFF == dist)]
        return found

    def dists(self, regions: Iterable[Region]) -> set[int]:
        """The distributions of which any of these regions has had samples."""
        return {dist for region in regions for dist in self._dists.get(region.code(0), ())}

    def _take_in(self, new: list[int]) -> None:
        for code in new:
            self._row[code] = len(self._row)
            region = code & ~0xFFFF
            self._dists[region] = (*self._dists.get(region, ()), code & 0xFFFF)
        codes = np.fromiter(self._row, dtype=np.int64, count=len(self._row))
        order = np.argsort(codes)
        self._sorted = codes[order], order
