"""Log-linear histograms: eight buckets per octave from 8 ns to 137 s, the same on the kernel side.

Bucket 0 holds 0…7 ns. From 8 ns on an octave ``[2^e, 2^(e+1))`` is cut into eight equal buckets, so a bucket is at most
12.5 % wide and its middle at most 6.25 % off. The last bucket also takes everything longer.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FIRST_OCTAVE = 3
LAST_OCTAVE = 36
SUB_BUCKETS = 8
N_BUCKETS = 1 + (LAST_OCTAVE - FIRST_OCTAVE + 1) * SUB_BUCKETS

Counts = npt.NDArray[np.uint64]


def bucket_of(value_ns: int) -> int:
    """The bucket a duration falls into. Negative values raise ``ValueError``."""
    if value_ns < 0:
        raise ValueError("a duration cannot be negative")
    if value_ns < 1 << FIRST_OCTAVE:
        return 0
    octave = value_ns.bit_length() - 1
    if octave > LAST_OCTAVE:
        return N_BUCKETS - 1
    sub = (value_ns >> (octave - FIRST_OCTAVE)) & (SUB_BUCKETS - 1)
    return 1 + (octave - FIRST_OCTAVE) * SUB_BUCKETS + sub


def _edges() -> npt.NDArray[np.int64]:
    edges = [0]
    for octave in range(FIRST_OCTAVE, LAST_OCTAVE + 1):
        step = 1 << (octave - FIRST_OCTAVE)
        edges.extend((1 << octave) + sub * step for sub in range(SUB_BUCKETS))
    edges.append(1 << (LAST_OCTAVE + 1))
    return np.array(edges, dtype=np.int64)


EDGES: npt.NDArray[np.int64] = _edges()
"""Lower edges of all buckets in ns, and the upper edge of the last: ``N_BUCKETS + 1`` values."""

MIDDLES: npt.NDArray[np.float64] = (EDGES[:-1] + EDGES[1:] - 1) / 2


def empty() -> Counts:
    return np.zeros(N_BUCKETS, dtype=np.uint64)


def count(counts: Counts) -> int:
    return int(counts.sum())


def at_ranks(counts: Counts, ranks: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    """Of each line of ``counts`` the buckets of the samples of these ranks, from 1 to as many as the line has.

    ``ranks`` has a line for each; what is said of a line without samples means nothing.
    """
    # One sum over all lines, so that one search finds everything: a line's own begins where the one before ended.
    cumulative = np.cumsum(counts.reshape(-1))
    before = np.concatenate([[np.uint64(0)], cumulative[N_BUCKETS - 1 : -1 : N_BUCKETS]])
    places = cumulative.searchsorted(before[:, None] + ranks)
    return np.asarray(places - np.arange(len(counts))[:, None] * N_BUCKETS).clip(0, N_BUCKETS - 1)


def quantiles(
    counts: Counts, fractions: tuple[float, ...], lowest: int | None = None, highest: int | None = None
) -> tuple[int | None, ...]:
    """Values in ns at these fractions (0…1), within 6.25 %; ``None`` for each where nothing was counted.

    The value at fraction *q* is that of the sample of rank ``ceil(q * n)``, taken as its bucket's middle and
    clamped to the smallest and largest value seen, where these are known.
    """
    total = count(counts)
    if not total:
        return (None,) * len(fractions)
    ranks = np.array([[min(max(1, math.ceil(fraction * total)), total) for fraction in fractions]], dtype=np.uint64)
    values: list[int | None] = []
    for middle in MIDDLES[at_ranks(counts[None, :], ranks)[0]].tolist():
        value = int(middle)
        if highest is not None:
            value = min(value, highest)
        if lowest is not None:
            value = max(value, lowest)
        values.append(value)
    return tuple(values)


def bounds(counts: Counts) -> tuple[int, int] | None:
    """Lower edge of the first and upper limit of the last bucket that holds something, in ns."""
    filled = np.flatnonzero(counts)
    if not filled.size:
        return None
    return int(EDGES[filled[0]]), int(EDGES[filled[-1] + 1] - 1)
