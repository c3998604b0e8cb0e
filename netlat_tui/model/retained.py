"""Paths kept for looking at: the recent ones, and the slowest of the run."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netlat_tui.model.paths import totals_ns
from netlat_tui.model.rows import chosen, copied, joined
from netlat_tui.model.ticks import PATH, Rows

_SLOWEST = 1000


class Batch(NamedTuple):
    """The paths of a tick, and how many had come: more than are kept, where one tick brought too many."""

    mono_ns: int
    rows: Rows
    came: int


class Retained:
    """At most ``most`` recent paths, none older than ``keep_ns`` (oldest batches go first), and the slowest ever."""

    def __init__(self, most: int, keep_ns: int) -> None:
        self._most = most
        self._keep_ns = keep_ns
        self._batches: deque[Batch] = deque()
        self._ids: deque[npt.NDArray[np.uint64]] = deque()  # of each batch
        self._held = 0
        self._gone_ns = 0  # what came up to this time is not all here
        self._slow = np.zeros(0, dtype=PATH)
        self._slow_at = np.zeros(0, dtype=np.int64)
        self._slow_ns = np.zeros(0, dtype=np.int64)

    def add(self, mono_ns: int, rows: Rows) -> None:
        """Take in the paths of the tick that ended at ``mono_ns``."""
        if not len(rows):
            return
        recent = rows if len(rows) <= self._most else copied(rows[-self._most :])  # a view would keep all of them
        self._batches.append(Batch(mono_ns, recent, len(rows)))
        self._ids.append(recent["id"].copy())
        self._held += len(recent)
        while self._held > self._most or self._batches[0][0] <= mono_ns - self._keep_ns:
            gone = self._batches.popleft()
            self._held -= len(gone.rows)
            self._gone_ns = gone.mono_ns
            self._ids.popleft()
        totals = totals_ns(rows)
        if len(rows) > _SLOWEST:
            best = np.argpartition(totals, -_SLOWEST)[-_SLOWEST:]
            rows, totals = chosen(rows, best), totals[best]
        slow = joined([self._slow, rows])
        at = np.concatenate([self._slow_at, np.full(len(rows), mono_ns, dtype=np.int64)])
        took = np.concatenate([self._slow_ns, totals])
        if len(slow) > _SLOWEST:
            best = np.argpartition(took, -_SLOWEST)[-_SLOWEST:]
            slow, at, took = chosen(slow, best), at[best], took[best]
        self._slow, self._slow_at, self._slow_ns = slow, at, took

    def since(self, mono_ns: int | None) -> Rows:
        """Paths of ticks that ended after ``mono_ns`` (``None``: all), each once, in no order."""
        held = zip(self._batches, self._ids, strict=True)
        recent = [(rows, ids) for (ended, rows, _), ids in held if mono_ns is None or ended > mono_ns]
        wanted = np.ones(len(self._slow), dtype=np.bool_) if mono_ns is None else self._slow_at > mono_ns
        if recent:  # thousands of rows: they are copied once
            ids, slow = np.concatenate([ids for _, ids in recent]), self._slow["id"]
            wanted &= ~np.isin(slow, ids[_among(ids, slow)])
        return joined([chosen(self._slow, wanted), *(rows for rows, _ in recent)])

    def parts(self) -> tuple[tuple[int, Rows], ...]:
        """All that is kept, as it is now, each with the time its last path had come by; a path may be in two of them.
        They never change."""
        newest = self._batches[-1].mono_ns if self._batches else 0
        return ((newest, self._slow), *((batch.mono_ns, batch.rows) for batch in self._batches))

    def whole(self, mono_ns: int | None) -> tuple[list[Batch], int]:
        """(paths of ticks that ended after ``mono_ns``, since when these are all that came): what may be counted,
        without the slowest of earlier times. Nothing is copied."""
        since = self._gone_ns if mono_ns is None else max(mono_ns, self._gone_ns)
        return [batch for batch in self._batches if batch.mono_ns > since], since

    def of_ids(self, ids: npt.NDArray[np.uint64]) -> Rows:
        """Paths of these ids, of whatever time, each once; 0 is no path's id."""
        wanted = np.unique(ids[ids != 0])
        parts = [np.zeros(0, dtype=PATH)]
        if len(wanted) and self._held + len(self._slow):
            held = [self._slow, *(batch.rows for batch in self._batches)]
            found = _among(np.concatenate([self._slow["id"], *self._ids]), wanted)
            # Most batches have none of them: each is asked only for its own.
            ends = np.cumsum([len(rows) for rows in held])
            for at in np.unique(ends.searchsorted(found, side="right")).tolist():
                begin = ends[at] - len(held[at])
                parts.append(chosen(held[at], found[(found >= begin) & (found < ends[at])] - begin))
        result = _each_once(parts)
        result.flags.writeable = False
        return result

    @property
    def batches(self) -> tuple[tuple[int, Rows], ...]:
        """The recent paths tick by tick, with the tick's end; they are never written again."""
        return tuple((batch.mono_ns, batch.rows) for batch in self._batches)

    @staticmethod
    def order(rows: Rows, most: int) -> tuple[Rows, Rows]:
        """(newest first by the end of the path, slowest first), at most so many of each."""
        totals = totals_ns(rows)
        ends = rows["t0_ns"].astype(np.int64) + totals
        latest = chosen(rows, np.argsort(-ends, kind="stable")[:most])
        slowest = chosen(rows, np.argsort(-totals, kind="stable")[:most])
        for some in (latest, slowest):
            some.flags.writeable = False
        return latest, slowest


def _among(ids: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    """Where those that are wanted stand. Most are turned away by their low bits, before anything is compared."""
    low = np.uint64(0xFFFF)
    sieve = np.zeros(1 << 16, dtype=np.bool_)
    sieve[wanted & low] = True
    candidates = np.flatnonzero(sieve[ids & low])
    return candidates[np.isin(ids[candidates], wanted)]


def _each_once(parts: list[Rows]) -> Rows:
    together = joined(parts)
    _, first = np.unique(together["id"], return_index=True)
    return chosen(together, first)
