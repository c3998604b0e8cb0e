"""Distributions made of their counts, many at once: numpy's calls cost more than what they do for one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from netlat_tui.model.histogram import EDGES, MIDDLES, N_BUCKETS, Counts, at_ranks, empty
from netlat_tui.model.snapshot import Distribution

NO_MINIMUM = np.iinfo(np.int64).max
_FRACTIONS = np.array((0.5, 0.9, 0.99, 0.999))

_EMPTY = empty()
_EMPTY.flags.writeable = False
_NOTHING = {some: Distribution(0, 0, None, None, None, None, None, None, _EMPTY, some) for some in (False, True)}


def nothing(estimated: bool = False) -> Distribution:
    """The distribution of no samples."""
    return _NOTHING[estimated]


def made_of(
    buckets: Counts,
    sums: npt.NDArray[np.uint64],
    lowest: npt.NDArray[np.int64],
    highest: npt.NDArray[np.int64],
    estimated: Sequence[bool],
) -> list[Distribution]:
    """A distribution of each line of ``buckets``, which are kept; extremes are brought back to the outermost buckets
    where they disagree.

    The kernel side may lose an extreme in a race; a count is never lost.
    """
    buckets.flags.writeable = False
    counts = buckets.sum(axis=1)
    ranks = np.clip(np.ceil(_FRACTIONS * counts[:, None]), 1, counts[:, None]).astype(np.uint64)
    outermost = np.stack([np.minimum(counts, 1), counts], axis=1)
    found = at_ranks(buckets, np.concatenate([outermost, ranks], axis=1))
    first, last = found[:, 0], found[:, 1]
    low = np.minimum(np.maximum(lowest, EDGES[first]), EDGES[first + 1] - 1)
    high = np.maximum(highest, EDGES[last])
    high = np.where(last < N_BUCKETS - 1, np.minimum(high, EDGES[last + 1] - 1), high)
    low, high = np.minimum(low, high), np.maximum(low, high)  # both may be lost within one bucket
    middles = MIDDLES[found[:, 2:]].astype(np.int64)
    values = np.maximum(np.minimum(middles, high[:, None]), low[:, None])
    columns = zip(
        counts.tolist(), sums.tolist(), low.tolist(), high.tolist(), *values.T.tolist(), buckets, estimated, strict=True
    )
    return [Distribution(*row) if row[0] else _NOTHING[row[-1]] for row in columns]
