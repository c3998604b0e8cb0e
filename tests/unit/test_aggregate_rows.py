"""Distributions made all at once are those made one by one."""

from __future__ import annotations

import numpy as np

from netlat_tui.model.aggregate import Aggregate, code_of, made_of
from netlat_tui.model.histogram import N_BUCKETS
from netlat_tui.model.ticks import CELL, SUM, Scope


def test_each_row_is_what_it_would_be_alone() -> None:
    rng = np.random.default_rng(3)
    aggregate, wanted = Aggregate(), {}
    for key in range(200):
        buckets = np.zeros(N_BUCKETS, dtype=np.uint64)
        at = rng.choice(N_BUCKETS, size=rng.integers(1, 12), replace=False)
        buckets[at] = rng.integers(1, 1 << int(rng.integers(1, 32)), len(at))
        # Extremes as the kernel has them: right, lost in a race, or of another tick.
        extremes = [(0, 0), (1 << 62, 0), (5, 1 << 40), (1000, 900)]
        low, high = extremes[key % len(extremes)]
        cells = np.array([(Scope.CPU, key, 3, b, buckets[b]) for b in sorted(at)], dtype=CELL)
        sums = np.array([(Scope.CPU, key, 3, int(buckets.sum()) & 0xFFFFFFFF, 12345 + key, low, high)], dtype=SUM)
        aggregate.add(cells, sums)
        counted = int(sums["count"][0]) > 0
        wanted[key] = made_of(buckets, 12345 + key, low if counted else np.iinfo(np.int64).max, high if counted else 0)
    for key, expected in wanted.items():
        found = aggregate.distribution([code_of(Scope.CPU, key, 3)])
        assert found.buckets.tolist() == expected.buckets.tolist()
        for name in ("count", "sum_ns", "min_ns", "max_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns"):
            assert getattr(found, name) == getattr(expected, name), (key, name)


def test_what_is_handed_out_does_not_change() -> None:
    cells = np.array([(Scope.CPU, 0, 3, 10, 7)], dtype=CELL)
    sums = np.array([(Scope.CPU, 0, 3, 7, 70, 9, 11)], dtype=SUM)
    aggregate = Aggregate()
    aggregate.add(cells, sums)
    before = aggregate.distribution([code_of(Scope.CPU, 0, 3)])
    aggregate.add(cells, sums)
    assert (before.count, int(before.buckets[10])) == (7, 7)
    assert aggregate.distribution([code_of(Scope.CPU, 0, 3)]).count == 14
