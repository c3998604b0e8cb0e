"""How many path records are sent up: enough to look at, never so many that they cost more than they tell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netlat_tui.model.histogram import MIDDLES, N_BUCKETS, Counts, empty
from netlat_tui.model.points import TOTAL, Direction
from netlat_tui.model.ticks import Rows, Scope

_ALL_PER_SECOND = 200_000
_FRUGAL = 20


@dataclass
class Sampling:
    """The live thresholds: what is slow now, and one in how many of the rest.

    ``everything`` sends each path (for ``trace``). Otherwise all paths are sent while there are few; above
    ``wanted_per_second`` the slowest hundredth, and a uniform sample.
    """

    everything: bool = False
    frugal: bool = False  # to stay within the budget: a few records, whatever was asked for
    wanted_per_second: int = 200
    limit_per_second: int = 1000  # per CPU
    _recent: dict[Direction, Counts] = field(default_factory=lambda: {way: empty() for way in Direction})

    def thresholds(self, cells: Rows, duration_ns: int) -> tuple[int, int, int, int]:
        """For the next tick, given the last one's counts: (slow_ns of received packets, slow_ns of sent ones, one in
        how many, records per CPU and second).

        What is slow is another thing on the way up than on the way down; the uniform sample is of both together.
        """
        if self.everything and not self.frugal:
            return 0, 0, 1, _ALL_PER_SECOND
        wanted, limit = (_FRUGAL, _FRUGAL) if self.frugal else (self.wanted_per_second, self.limit_per_second)
        ended = 0
        for way, recent in self._recent.items():
            total = cells[(cells["dist"] == TOTAL[way]) & (cells["scope"] == Scope.CPU)]
            counts = np.bincount(total["bucket"], weights=total["count"], minlength=N_BUCKETS).astype(np.uint64)
            self._recent[way] = (recent // 2).astype(np.uint64) + counts
            ended += int(counts.sum())
        every = max(1, round(ended * 1_000_000_000 / max(duration_ns, 1) / wanted))
        if every == 1:
            return 0, 0, 1, limit
        received, sent = (_slowest_hundredth(self._recent[way]) for way in (Direction.RX, Direction.TX))
        return received, sent, every, limit


def _slowest_hundredth(counts: Counts) -> int:
    """From how many ns on; 0 where nothing was counted."""
    if not counts.any():
        return 0
    rank = np.searchsorted(np.cumsum(counts), int(counts.sum()) * 0.99)
    return int(MIDDLES[min(int(rank), N_BUCKETS - 1)])
