"""Histograms: no duration without a bucket, no quantile further off than promised."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.model.histogram import EDGES, N_BUCKETS, bounds, bucket_of, count, empty, quantiles

LIMIT = 1 << 37
durations = st.integers(0, 10) | st.integers(0, 10**6) | st.integers(0, LIMIT - 1)


def of(values: list[int]) -> np.ndarray:
    return np.bincount([bucket_of(value) for value in values], minlength=N_BUCKETS).astype(np.uint64)


@given(durations)
def test_a_duration_lies_within_its_bucket(value: int) -> None:
    bucket = bucket_of(value)
    assert EDGES[bucket] <= value < EDGES[bucket + 1]


@given(st.lists(durations, min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_quantile_is_within_its_error(values: list[int], fraction: float) -> None:
    true = sorted(values)[min(max(1, math.ceil(fraction * len(values))), len(values)) - 1]
    (found,) = quantiles(of(values), (fraction,), min(values), max(values))
    assert found is not None
    assert abs(found - true) <= max(true * 0.0625, 4)
    assert min(values) <= found <= max(values)


@given(st.lists(durations, max_size=50))
def test_everything_is_counted(values: list[int]) -> None:
    counts = of(values)
    assert count(counts) == len(values)
    limits = bounds(counts)
    if values:
        assert limits is not None
        assert limits[0] <= min(values)
        assert max(values) <= limits[1]
    else:
        assert limits is None


def test_nothing_has_no_quantiles() -> None:
    assert quantiles(empty(), (0.5, 0.99)) == (None, None)


def test_what_is_longer_than_any_bucket_goes_into_the_last() -> None:
    assert bucket_of(1 << 60) == N_BUCKETS - 1


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        bucket_of(-1)
