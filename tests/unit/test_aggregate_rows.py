"""Distributions made all at once are those made one by one; sums of a window are those of its ticks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.model.aggregate import Aggregate, Sums, Window
from netlat_tui.model.codes import Index, code_of
from netlat_tui.model.counted import Counted
from netlat_tui.model.histogram import EDGES, N_BUCKETS, quantiles
from netlat_tui.model.snapshot import Distribution
from netlat_tui.model.ticks import CELL, SUM, Rows, Scope
from tests.synth import make_ticks

FIELDS = ("count", "sum_ns", "min_ns", "max_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "estimated")


def one(sums: Sums, *codes: int, estimated: bool = False) -> Distribution:
    """The distribution of these codes put together."""
    return sums.distributions(np.array([codes]), [estimated])[0]


def expected(buckets: npt.NDArray[np.uint64], sum_ns: int, lowest: int, highest: int) -> Distribution:
    """What should be made of a histogram, step by step."""
    filled = np.flatnonzero(buckets)
    first, last = int(filled[0]), int(filled[-1])
    low = min(max(lowest, int(EDGES[first])), int(EDGES[first + 1]) - 1)
    high = max(highest, int(EDGES[last]))
    if last < N_BUCKETS - 1:
        high = min(high, int(EDGES[last + 1]) - 1)
    low, high = min(low, high), max(low, high)
    values = quantiles(buckets, (0.5, 0.9, 0.99, 0.999), low, high)
    return Distribution(int(buckets.sum()), sum_ns, low, high, *values, buckets)


def same(found: Distribution, wanted: Distribution) -> bool:
    return found == wanted and found.buckets.tolist() == wanted.buckets.tolist()


def counted_of(index: Index, *parts: tuple[Rows, Rows]) -> Counted:
    return Counted.of(index, np.concatenate([cells for cells, _ in parts]), np.concatenate([sums for _, sums in parts]))


def part(key: int, buckets: dict[int, int], low: int, high: int, sum_ns: int = 12345) -> tuple[Rows, Rows]:
    cells = np.array([(Scope.CPU, key, 3, bucket, count) for bucket, count in sorted(buckets.items())], dtype=CELL)
    sums = np.array([(Scope.CPU, key, 3, sum(buckets.values()) & 0xFFFFFFFF, sum_ns, low, high)], dtype=SUM)
    return cells, sums


def test_each_row_is_what_it_would_be_alone() -> None:
    rng = np.random.default_rng(3)
    index, parts, wanted = Index(), [], []
    for key in range(200):
        buckets = np.zeros(N_BUCKETS, dtype=np.uint64)
        at = rng.choice(N_BUCKETS, size=rng.integers(1, 12), replace=False)
        buckets[at] = rng.integers(1, 1 << int(rng.integers(1, 32)), len(at))
        # Extremes as the kernel has them: right, lost in a race, or of another tick.
        low, high = [(0, 0), (1 << 62, 0), (5, 1 << 40), (1000, 900)][key % 4]
        made = part(key, {int(b): int(buckets[b]) for b in at}, low, high, 12345 + key)
        counted = int(made[1]["count"][0]) > 0
        parts.append(made)
        wanted.append(
            expected(buckets, 12345 + key, low if counted else np.iinfo(np.int64).max, high if counted else 0)
        )
    aggregate = Aggregate(index)
    aggregate.add(counted_of(index, *parts))
    codes = [code_of(Scope.CPU, key, 3) for key in range(200)]
    sums = aggregate.sums()
    found = sums.distributions(np.array(codes)[:, None], [False] * 200)
    assert all(same(*both) for both in zip(found, wanted, strict=True))
    together = expected(
        np.sum([made.buckets for made in wanted], axis=0), sum(made.sum_ns for made in wanted), 0, 1 << 40
    )
    assert same(one(sums, *codes), together)


def test_what_was_never_counted_is_nothing() -> None:
    index = Index()
    aggregate = Aggregate(index)
    aggregate.add(counted_of(index, part(0, {10: 7}, 9, 11)))
    sums = aggregate.sums()
    here, elsewhere = code_of(Scope.CPU, 0, 3), code_of(Scope.CPU, 5, 3)
    assert (one(sums, elsewhere).count, one(sums, elsewhere).p50_ns) == (0, None)
    assert one(sums, elsewhere, estimated=True).estimated
    assert one(sums, here, elsewhere) == one(sums, here)
    assert one(Aggregate(Index()).sums(), here).count == 0


def test_what_is_handed_out_does_not_change() -> None:
    index = Index()
    counted = counted_of(index, part(0, {10: 7}, 9, 11))
    aggregate = Aggregate(index)
    aggregate.add(counted)
    sums = aggregate.sums()
    before = one(sums, code_of(Scope.CPU, 0, 3))
    aggregate.add(counted)
    aggregate.add(counted_of(index, part(1, {20: 3}, 44, 47)))
    assert (before.count, int(before.buckets[10])) == (7, 7)
    assert one(sums, code_of(Scope.CPU, 0, 3)) == before
    assert one(sums, code_of(Scope.CPU, 1, 3)).count == 0  # it came later
    assert one(aggregate.sums(), code_of(Scope.CPU, 0, 3)).count == 14
    with pytest.raises(ValueError, match="read-only"):
        before.buckets[10] = 0


def test_cells_of_whatever_order_count_the_same() -> None:
    (tick,) = make_ticks(1, paths=30)
    index, rng = Index(), np.random.default_rng(1)
    ordered = Counted.of(index, tick.cells, tick.sums)
    mixed = Counted.of(index, rng.permutation(np.repeat(tick.cells, 2)), rng.permutation(tick.sums))
    twice = Aggregate(index), Aggregate(index)
    twice[0].add(ordered)
    twice[0].add(Counted.of(index, tick.cells, tick.sums[:0]))
    twice[1].add(mixed)
    assert np.array_equal(twice[0].sums().buckets, twice[1].sums().buckets)
    rows, samples, p99 = ordered.summaries()
    its_rows, its_samples, its_p99 = mixed.summaries()
    order, its_order = np.argsort(rows), np.argsort(its_rows)
    assert np.array_equal(samples[order] * 2, its_samples[its_order])
    assert np.array_equal(p99[order], its_p99[its_order])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12)), min_size=1, max_size=8))
def test_a_window_that_moves_has_the_sums_of_its_ticks(windows: list[tuple[int, int]]) -> None:
    """Wherever it was before: forwards, backwards, shorter, longer."""
    index = Index()
    ticks = [Counted.of(index, tick.cells, tick.sums) for tick in make_ticks(12, paths=3)]
    moving = Window(index)
    for begin, length in windows:
        inside = ticks[begin : begin + length]
        anew = Aggregate(index)
        for tick in inside:
            anew.add(tick)
        found, wanted = moving.sums(inside), anew.sums()
        for name in ("buckets", "sum_ns", "low", "high"):
            assert np.array_equal(getattr(found, name), getattr(wanted, name)), name


def test_an_index_keeps_its_rows() -> None:
    index = Index()
    first = index.rows(np.array([7, 3, 7]))
    assert first.tolist() == [1, 0, 1]
    assert index.rows(np.array([3, 1, 7])).tolist() == [0, 2, 1]
    assert index.find(np.array([[1, 2], [3, 9]])).tolist() == [[2, -1], [0, -1]]
    assert (index.get(7), index.get(2), len(index)) == (1, None, 3)
