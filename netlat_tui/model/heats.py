"""Heats: what the ticks of a history counted of one distribution. Made when somebody looks, of what is kept anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netlat_tui.model.codes import Index
from netlat_tui.model.counted import Counted
from netlat_tui.model.estimates import of_packets
from netlat_tui.model.heat import Heat
from netlat_tui.model.histogram import N_BUCKETS, Counts
from netlat_tui.model.ticks import Scope, Tick


class Held(NamedTuple):
    """A tick without what is kept of it elsewhere: what it counted, and its paths."""

    tick: Tick
    counted: Counted


class Heats:
    """Gives the heat of any distribution. Keeps the lines of the one that was asked for last: the next tick adds one.

    Any thread may ask, also while another adds ticks: it looks only at what never changes.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._last: tuple[int, int, Counts] = (-1, 0, np.zeros((0, N_BUCKETS), dtype=np.uint64))

    def of(self, ticks: Sequence[Held], end: int, window: int, dist: int, least: int) -> Heat:
        """The last of ``ticks``, those of the window and at least so many; ``end`` is the next tick's number."""
        shown = ticks[max(0, len(ticks) - max(window, least)) :]
        first = end - len(shown)
        counts = self._lines(shown, first, dist)
        until = np.array([held.tick.mono_ns for held in shown], dtype=np.int64)
        took = np.array([held.tick.duration_ns for held in shown], dtype=np.int64)
        return Heat(
            first=first,
            since_ns=until - took,
            until_ns=until,
            measured=np.array([not held.tick.rest for held in shown], dtype=np.bool_),
            counts=counts,
            window=min(window, len(shown)),
            estimated=of_packets(dist) and any(held.tick.every > 1 for held in shown),
        )

    def _lines(self, ticks: Sequence[Held], first: int, dist: int) -> Counts:
        lines = np.zeros((len(ticks), N_BUCKETS), dtype=np.uint64)
        known_dist, known_first, known = self._last  # one object: nobody sees half of a change
        begin, end = max(first, known_first), min(first + len(ticks), known_first + len(known))
        if known_dist != dist or begin >= end:
            begin = end = first
        lines[begin - first : end - first] = known[begin - known_first : end - known_first]
        rows = self._index.rows_of(Scope.CPU, dist)
        for at, held in enumerate(ticks, first):
            if not begin <= at < end:
                lines[at - first] = held.counted.line(rows)
        lines.flags.writeable = False
        self._last = dist, first, lines
        return lines
