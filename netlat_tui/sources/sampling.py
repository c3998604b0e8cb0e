"""How many path records are sent up: enough to look at, never so many that they cost more than they tell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netlat_tui.model.histogram import MIDDLES, N_BUCKETS, Counts, empty
from netlat_tui.model.points import GAUGE
from netlat_tui.model.ticks import Rows, Scope

_ALL_PER_SECOND = 200_000


@dataclass
class Sampling:
    """The live thresholds: what is slow now, and one in how many of the rest.

    ``everything`` sends each path (for ``trace``). Otherwise all paths are sent while there are few; above
    ``wanted_per_second`` the slowest hundredth, and a uniform sample.
    """

    everything: bool = False
    wanted_per_second: int = 200
    limit_per_second: int = 1000  # per CPU
    _recent: Counts = field(default_factory=empty)

    def thresholds(self, cells: Rows, duration_ns: int) -> tuple[int, int, int]:
        """(slow_ns, one in how many, records per CPU and second) for the next tick, given the last one's counts."""
        if self.everything:
            return 0, 1, _ALL_PER_SECOND
        total = cells[(cells["dist"] == GAUGE["total"]) & (cells["scope"] == Scope.CPU)]
        counts = np.bincount(total["bucket"], weights=total["count"], minlength=N_BUCKETS).astype(np.uint64)
        self._recent = (self._recent // 2).astype(np.uint64) + counts
        ended = int(counts.sum())
        rate = ended * 1_000_000_000 / max(duration_ns, 1)
        every = max(1, round(rate / self.wanted_per_second))
        if every == 1:
            return 0, 1, self.limit_per_second
        rank = np.searchsorted(np.cumsum(self._recent), int(self._recent.sum()) * 0.99)
        return int(MIDDLES[min(int(rank), N_BUCKETS - 1)]), every, self.limit_per_second
