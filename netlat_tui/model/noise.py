"""Whether two windows differ by more than they differ within themselves: the test behind every mark of a comparison.

Packets that follow each other are not independent, so what is compared is not packets but *blocks*: the ticks of a
window, neighbours put together until each has enough samples. A quantile has changed if

- it moved by more than the width of a histogram's bucket there (up to 12.5 %): less cannot be resolved;
- and the quantiles of the two windows' blocks are told apart by the Mann-Whitney test, two-sided, with ``CHANCE``.

With fewer than ``LEAST_BLOCKS`` blocks on a side nothing is said. A rate is tested the same way, by the rates of the
blocks; it must have moved by more than an eighth. ``docs/compare.md`` says what this finds and what it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from netlat_tui.model.histogram import EDGES, N_BUCKETS, Counts

CHANCE = 0.001
"""How often two windows of one and the same thing may be told apart by their blocks."""

MOST_BLOCKS = 12
"""More would tell little more, and longer blocks resemble their neighbours less: load comes in waves."""

LEAST_BLOCKS = 7
"""With fewer on each side not even blocks that lie wholly apart are as rare as ``CHANCE``."""

LEAST_SAMPLES = {0.5: 40, 0.99: 400}
"""Samples a block needs for its quantile to say something of the rest: four beyond its p99."""

LEAST_RATE = 1 / 8
"""Part by which a rate must have moved: as much as a duration of which a bucket is widest."""

Values = npt.NDArray[np.float64]


class Verdict(Enum):
    """What is said of a change; the value is the word in files."""

    UP = "up"
    DOWN = "down"
    SAME = "within noise"
    UNTOLD = "too few to tell"


@dataclass(frozen=True, slots=True)
class Change:
    """From ``before`` to ``after``; ``None`` where there was nothing to take it from."""

    before: float | None
    after: float | None
    verdict: Verdict

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def share(self) -> float | None:
        """The difference as a part of what it was; ``None`` where that was nothing."""
        return self.difference / self.before if self.before and self.difference is not None else None

    @property
    def marked(self) -> bool:
        """Whether it is larger than the noise."""
        return self.verdict in (Verdict.UP, Verdict.DOWN)


NOTHING = Change(None, None, Verdict.UNTOLD)


@dataclass(frozen=True, slots=True)
class Blocks:
    """What consecutive parts of a window counted of one distribution: a line of buckets and a length each.

    ``every``: each sample counted stands for so many.
    """

    counts: Counts
    seconds: Values
    every: int = 1

    @property
    def rates(self) -> Values:
        measured = self.seconds > 0
        return np.asarray(self.counts.sum(axis=1)[measured] / self.seconds[measured], dtype=np.float64)

    def quantiles(self, fraction: float) -> Values:
        """The quantile of each block, of neighbours put together until they have enough samples."""
        return quantiles(_joined(self.counts, LEAST_SAMPLES[fraction] * self.every), fraction)

    def quantile(self, fraction: float) -> float | None:
        """That of all together."""
        whole = self.counts.sum(axis=0, keepdims=True)
        return float(quantiles(whole, fraction)[0]) if whole.any() else None


def quantiles(counts: Counts, fraction: float) -> Values:
    """Of each line of buckets, none of which is empty: the place within the bucket is taken by share.

    Finer than what the tables show, which is the middle of the bucket: two of them can be told apart by less than one.
    """
    cumulative = np.cumsum(counts, axis=1).astype(np.float64)
    wanted = fraction * cumulative[:, -1]
    at = np.minimum((cumulative < wanted[:, None]).sum(axis=1), N_BUCKETS - 1)
    line = np.arange(len(counts))
    inside = counts[line, at].astype(np.float64)
    before = cumulative[line, at] - inside
    return np.asarray(EDGES[at] + (wanted - before) / inside * (EDGES[at + 1] - EDGES[at]), dtype=np.float64)


def quantile_change(before: Blocks, after: Blocks, fraction: float) -> Change:
    """How a quantile changed, and whether by more than the noise."""
    old, new = before.quantile(fraction), after.quantile(fraction)
    if old is None or new is None:
        return Change(old, new, Verdict.UNTOLD)
    verdict = apart(before.quantiles(fraction), after.quantiles(fraction))
    return Change(old, new, _if_large(verdict, new - old, _width(max(old, new))))


def rate_change(before: Values | Sequence[float], after: Values | Sequence[float]) -> Change:
    """How a rate changed, given those of ticks or blocks of equal length."""
    one, other = _averaged(before), _averaged(after)
    if not len(one) or not len(other):
        return NOTHING
    old, new = float(one.mean()), float(other.mean())
    return Change(old, new, _if_large(apart(one, other), new - old, LEAST_RATE * max(old, new)))


def apart(before: Values, after: Values) -> Verdict:
    """The Mann-Whitney test: whether one side's values lie above the other's too often for chance."""
    if min(len(before), len(after)) < LEAST_BLOCKS:
        return Verdict.UNTOLD
    above = after[:, None] > before[None, :]
    level = after[:, None] == before[None, :]  # they count half: with them it finds less, never more
    score, pairs = float(above.sum() + level.sum() / 2), above.size
    limit = _limit(len(before), len(after))
    if score <= limit:
        return Verdict.DOWN
    return Verdict.UP if score >= pairs - limit else Verdict.SAME


@lru_cache(maxsize=1 << 10)
def _limit(m: int, n: int) -> int:
    """The largest score that is as rare as half of ``CHANCE``; -1 where none is."""
    # How many of the orders of m and n values have each score: a Gaussian binomial coefficient, factor by factor.
    ways = np.zeros(m * n + 1)
    ways[0] = 1
    for i in range(1, m + 1):
        for score in range(m * n, n + i - 1, -1):
            ways[score] -= ways[score - n - i]
        for score in range(i, m * n + 1):
            ways[score] += ways[score - i]
    return int((np.cumsum(ways) / ways.sum() <= CHANCE / 2).sum()) - 1


def _if_large(verdict: Verdict, difference: float, least: float) -> Verdict:
    """The verdict, unless the figures moved by too little, or the other way."""
    if verdict is Verdict.UP:
        return verdict if difference > least else Verdict.SAME
    if verdict is Verdict.DOWN:
        return verdict if -difference > least else Verdict.SAME
    return verdict


def _width(ns: float) -> float:
    """Of the bucket this falls into."""
    at = int(np.clip(EDGES.searchsorted(ns, side="right") - 1, 0, N_BUCKETS - 1))
    return float(EDGES[at + 1] - EDGES[at])


def _joined(counts: Counts, least: int) -> Counts:
    """Neighbouring lines added up until each has so many samples; what is left over joins the last."""
    lines: list[Counts] = []
    samples = counts.sum(axis=1).tolist()
    start, have = 0, 0
    for end, more in enumerate(samples, 1):
        have += more
        if have >= least:
            lines.append(counts[start:end].sum(axis=0))
            start, have = end, 0
    if lines and have:
        lines[-1] = lines[-1] + counts[start:].sum(axis=0)
    return np.array(lines, dtype=np.uint64).reshape(-1, N_BUCKETS)


def _averaged(values: Values | Sequence[float]) -> Values:
    """At most ``MOST_BLOCKS`` values: neighbours' means."""
    found = np.asarray(values, dtype=np.float64)
    parts = (
        np.array_split(found, MOST_BLOCKS)
        if len(found) > MOST_BLOCKS
        else [found[i : i + 1] for i in range(len(found))]
    )
    return np.array([part.mean() for part in parts])
