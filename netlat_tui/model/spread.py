"""What the ticks of a window counted, in blocks: how much a figure differs within the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netlat_tui.model.codes import Codes, Index, Places, Region
from netlat_tui.model.counted import Counted
from netlat_tui.model.estimates import of_packets, scaled
from netlat_tui.model.histogram import N_BUCKETS, Counts
from netlat_tui.model.noise import MOST_BLOCKS, Blocks, Values
from netlat_tui.model.points import N_DISTRIBUTIONS
from netlat_tui.model.ticks import Scope, Tick


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the ticks of a window that measured, as far as they are kept. Immutable: any thread may ask, at any time."""

    index: Index
    cpus: tuple[int, ...]
    ticks: tuple[Counted, ...]
    seconds: tuple[float, ...]
    every: int = 1

    def blocks(self, dists: Sequence[int]) -> list[Blocks]:
        """Of each of these distributions, of all CPUs together."""
        return self.of([(None, dist) for dist in dists])

    def of(self, keys: Sequence[tuple[Region | None, int]]) -> list[Blocks]:
        """Of each region (``None``: all CPUs together) and distribution; no two of them may share a sample."""
        everywhere = [Region(Scope.CPU, cpu) for cpu in self.cpus]
        parts = [[one.code(dist) for one in ([region] if region is not None else everywhere)] for region, dist in keys]
        lines = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        codes = np.array([code for part in parts for code in part], dtype=np.int64)
        counts, seconds = self._counts(codes, lines, len(parts))
        return [
            Blocks(found, seconds, self.every if of_packets(dist) else 1)
            for (_, dist), found in zip(keys, counts, strict=True)
        ]

    def _counts(self, codes: Codes, lines_of: Places, count: int) -> tuple[Counts, Values]:
        """(lines × blocks × buckets, seconds of each block); ``lines_of`` has the line of each code."""
        line = np.full(len(self.index) + 1, -1, dtype=np.intp)  # the last is that of codes nobody counted
        line[self.index.find(codes)] = lines_of
        line[-1] = -1
        ends = _ends(len(self.ticks))
        counts = np.zeros((len(ends), count, N_BUCKETS), dtype=np.uint64)
        seconds = np.zeros(len(ends))
        start = 0
        for block, end in enumerate(ends):
            # All ticks of a block at once: a window may have hundreds of them.
            rows, lengths, buckets, samples = (
                np.concatenate([getattr(counted, name) for counted in self.ticks[start:end]])
                for name in ("rows", "lengths", "buckets", "counts")
            )
            lines = np.repeat(line[rows], lengths)
            some = np.flatnonzero(lines >= 0)
            places = lines[some] * N_BUCKETS + buckets[some]
            np.add.at(counts[block].reshape(-1), places, samples[some].astype(np.uint64))
            seconds[block] = sum(self.seconds[start:end])
            start = end
        return counts.swapaxes(0, 1), seconds


def _ends(ticks: int) -> list[int]:
    """Where the blocks of so many ticks end: as long as each other, as nearly as can be."""
    blocks = min(ticks, MOST_BLOCKS)
    return [ticks * (number + 1) // blocks for number in range(blocks)]


class Run:
    """The same of a whole run of any length, of all CPUs together: as ticks come, blocks grow longer, not more."""

    def __init__(self) -> None:
        self._counts = np.zeros((2 * MOST_BLOCKS, N_DISTRIBUTIONS, N_BUCKETS), dtype=np.uint64)
        self._seconds = np.zeros(2 * MOST_BLOCKS)
        self._ticks = 0  # that measured
        self._length = 1  # ticks of a block
        self._every = 1

    def add(self, tick: Tick) -> None:
        """Take a tick in, as it comes from a source."""
        if tick.rest:
            return
        if self._ticks == len(self._seconds) * self._length:
            half = len(self._seconds) // 2
            self._counts[:half] = self._counts[::2] + self._counts[1::2]
            self._seconds[:half] = self._seconds[::2] + self._seconds[1::2]
            self._counts[half:], self._seconds[half:] = 0, 0
            self._length *= 2
        block = self._ticks // self._length
        cells = scaled(tick).cells
        cells = cells[(cells["scope"] == Scope.CPU) & (cells["dist"] < N_DISTRIBUTIONS)]
        np.add.at(self._counts[block], (cells["dist"], cells["bucket"]), cells["count"].astype(np.uint64))
        self._seconds[block] += tick.duration_ns / 1e9
        self._ticks += 1
        self._every = max(self._every, tick.every)

    def blocks(self, dists: Sequence[int]) -> list[Blocks]:
        """Of each of these distributions; a last block that is shorter than the others is one with that before it."""
        whole = -(-self._ticks // self._length)
        starts = list(range(whole))
        if self._ticks % self._length and whole > 1:
            starts.pop()
        if len(starts) > MOST_BLOCKS:
            starts = [starts[end] for end in [0, *_ends(len(starts))[:-1]]]
        if not starts:
            starts = [0]
        seconds = np.add.reduceat(self._seconds[: max(1, whole)], starts)
        return [
            Blocks(
                np.add.reduceat(self._counts[: max(1, whole), dist], starts, axis=0),
                seconds,
                self._every if of_packets(dist) else 1,
            )
            for dist in dists
        ]
