"""The test behind the marks of a comparison: how seldom it is wrong, and what it finds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.model import noise
from netlat_tui.model.histogram import EDGES, N_BUCKETS, quantiles
from netlat_tui.model.noise import Blocks, Change, Verdict, apart, quantile_change, rate_change

P50, P99 = 0.5, 0.99


def window(
    rng: np.random.Generator, ticks: int = 10, packets: int = 1200, median: float = 20_000, sigma: float = 0.6,
    stalls: float = 0.0, every: int = 1,
) -> Blocks:  # fmt: skip
    """Ticks of log-normal durations; a part ``stalls`` of the ticks has a third of its packets fifty times slower."""
    lines = []
    for _ in range(ticks):
        took = median * np.exp(sigma * rng.normal(size=rng.poisson(packets)))
        if rng.random() < stalls:
            took[: len(took) // 3] *= 50
        lines.append(np.histogram(took, bins=EDGES)[0] * every)
    return Blocks(np.array(lines, dtype=np.uint64), np.ones(ticks), every)


def atoms(values: list[int], packets: int = 2000) -> Blocks:
    """Ticks in which every packet took the same time."""
    counts = np.zeros((len(values), N_BUCKETS), dtype=np.uint64)
    counts[np.arange(len(values)), EDGES.searchsorted(values, side="right") - 1] = packets
    return Blocks(counts, np.ones(len(values)))


@pytest.mark.parametrize(
    "steady",
    [{}, {"sigma": 0.2}, {"sigma": 2.0}, {"stalls": 0.2}, {"ticks": 24, "packets": 300}, {"packets": 1200, "every": 8}],
    ids=str,
)
def test_two_halves_of_one_thing_are_not_told_apart(steady: dict[str, float]) -> None:
    """Less than one mark in a hundred pairs: it is meant to be fewer than one in a thousand."""
    rng = np.random.default_rng(7)
    pairs, marked = 150, 0
    for _ in range(pairs):
        one, other = (window(rng, **steady) for _ in range(2))  # type: ignore[arg-type]
        marked += any(quantile_change(one, other, fraction).marked for fraction in (P50, P99))
    assert marked / pairs < 0.01


def test_other_numbers_of_packets_are_no_other_latency() -> None:
    rng = np.random.default_rng(8)
    pairs = [(window(rng, sigma=1.0), window(rng, packets=12_000, sigma=1.0)) for _ in range(100)]
    marked = sum(quantile_change(*pair, fraction).marked for pair in pairs for fraction in (P50, P99))
    assert marked / len(pairs) < 0.01


@pytest.mark.parametrize(("ticks", "packets"), [(10, 4000), (24, 1200), (60, 1200)])
def test_a_fifth_more_is_found(ticks: int, packets: int) -> None:
    rng = np.random.default_rng(9)
    for _ in range(20):
        before, after = window(rng, ticks, packets), window(rng, ticks, packets, median=24_000)
        for fraction in (P50, P99):
            grown, back = quantile_change(before, after, fraction), quantile_change(after, before, fraction)
            assert (grown.verdict, back.verdict) == (Verdict.UP, Verdict.DOWN)
            assert grown.share == pytest.approx(0.2, abs=0.1)


def test_stalls_that_come_now_and_then_are_noise_and_those_that_stay_are_not() -> None:
    rng = np.random.default_rng(10)
    calm, stalled = window(rng), window(rng, stalls=1.0)
    lines = calm.counts.copy()
    lines[4] = stalled.counts[4]
    once = quantile_change(calm, Blocks(lines, calm.seconds), P99)
    assert once.share is not None
    assert once.share > 1
    assert once.verdict is Verdict.SAME
    assert quantile_change(calm, stalled, P99).verdict is Verdict.UP


def test_too_few_ticks_or_packets_say_nothing() -> None:
    rng = np.random.default_rng(11)
    few = noise.LEAST_BLOCKS - 1
    for before, after, told in (
        (window(rng, few), window(rng, median=80_000), (False, False)),
        (window(rng), window(rng, few, median=80_000), (False, False)),
        (window(rng, packets=300), window(rng, packets=300, median=80_000), (True, False)),
        (window(rng, packets=2), window(rng, packets=2, median=80_000), (False, False)),
        (window(rng, packets=300, every=8), window(rng, packets=300, every=8, median=80_000), (True, False)),
        (window(rng), window(rng, median=80_000), (True, True)),
    ):
        changes = [quantile_change(before, after, fraction) for fraction in (P50, P99)]
        assert tuple(change.marked for change in changes) == told
        assert all(change.verdict in (Verdict.UP, Verdict.UNTOLD) for change in changes)


def test_what_a_bucket_cannot_resolve_is_no_change() -> None:
    edge = 4096  # from 3840 to 4096, and on to 4608
    below, above, beyond = (atoms([value] * 12) for value in (edge - 1, edge + 1, edge + 600))
    assert quantile_change(below, above, P99).verdict is Verdict.SAME
    assert quantile_change(below, beyond, P99).verdict is Verdict.UP


def test_nothing_counted_is_no_change() -> None:
    empty = Blocks(np.zeros((10, N_BUCKETS), dtype=np.uint64), np.ones(10))
    change = quantile_change(empty, window(np.random.default_rng(1)), P50)
    assert (change.before, change.share, change.verdict) == (None, None, Verdict.UNTOLD)


@pytest.mark.parametrize(("m", "n"), [(7, 7), (7, 9), (4, 8), (3, 3), (1, 5)])
def test_the_limit_is_that_of_all_orders(m: int, n: int) -> None:
    """By counting every order there is, for sizes where one can."""
    scores = [sum(place - number for number, place in enumerate(chosen)) for chosen in _orders(m, n)]
    limit = noise._limit(m, n)
    part = [sum(score <= bound for score in scores) / len(scores) for bound in (limit, limit + 1)]
    assert part[0] <= noise.CHANCE / 2 < part[1]
    assert (limit >= 0) == (m >= noise.LEAST_BLOCKS)


def _orders(m: int, n: int) -> itertools.combinations[int]:
    return itertools.combinations(range(m + n), m)  # type: ignore[return-value]


values = st.lists(st.floats(1, 1e9), min_size=noise.LEAST_BLOCKS, max_size=30)


@given(values, values)
def test_the_other_way_round_it_says_the_opposite(before: list[float], after: list[float]) -> None:
    opposite = {Verdict.UP: Verdict.DOWN, Verdict.DOWN: Verdict.UP}
    verdict = apart(np.array(before), np.array(after))
    assert apart(np.array(after), np.array(before)) is opposite.get(verdict, verdict)
    if min(after) > max(before):
        assert verdict is Verdict.UP


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=200), st.sampled_from([P50, P99]))
def test_a_quantile_is_within_its_bucket(found: list[int], fraction: float) -> None:
    counts = np.histogram(found, bins=EDGES)[0].astype(np.uint64)
    (fine,) = noise.quantiles(counts[None, :], fraction)
    (coarse,) = quantiles(counts, (fraction,))
    assert coarse is not None
    bucket = EDGES.searchsorted(coarse, side="right") - 1
    assert EDGES[bucket] <= fine <= EDGES[bucket + 1]


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=40), st.integers(1, 3000))
def test_joined_blocks_lose_no_sample(samples: list[int], least: int) -> None:
    counts = np.zeros((len(samples), N_BUCKETS), dtype=np.uint64)
    counts[:, 50] = samples
    joined = noise._joined(counts, least)
    assert (joined.sum(axis=1) >= least).all()
    assert joined.sum() in (counts.sum(), 0)
    assert len(joined) or counts.sum() < least


def test_rates() -> None:
    rng = np.random.default_rng(12)
    steady = [rate_change(rng.poisson(100, 60), rng.poisson(100, 60)) for _ in range(200)]
    assert not any(change.marked for change in steady)
    assert rate_change([100] * 10, [130] * 10).verdict is Verdict.UP
    assert rate_change([100] * 10, [110] * 10).verdict is Verdict.SAME
    assert rate_change([0] * 10, [3] * 10) == Change(0.0, 3.0, Verdict.UP)
    assert rate_change([0] * 10, [0] * 9 + [3]).verdict is Verdict.SAME
    assert rate_change([0] * 6, [3] * 10).verdict is Verdict.UNTOLD
    assert rate_change([], [3.0]) is noise.NOTHING
