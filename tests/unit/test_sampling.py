"""How many paths are sent up."""

from __future__ import annotations

import numpy as np
import pytest

from netlat_tui.model.histogram import bucket_of
from netlat_tui.model.points import TOTAL, Direction
from netlat_tui.model.ticks import CELL, Rows, Scope
from netlat_tui.sources.sampling import Sampling

SECOND = 1_000_000_000


def ended(counts: dict[int, int], way: Direction = Direction.RX) -> Rows:
    rows = [(Scope.CPU, 0, TOTAL[way], bucket_of(ns), count) for ns, count in counts.items()]
    return np.array(rows, dtype=CELL)


def test_while_there_are_few_all_are_sent() -> None:
    assert Sampling().thresholds(ended({50_000: 150}), SECOND)[:3] == (0, 0, 1)


def test_of_many_the_slowest_hundredth_and_a_sample() -> None:
    slow, sent, every, limit = Sampling().thresholds(ended({50_000: 99_500, 9_000_000: 500}), SECOND)
    assert 40_000 < slow < 9_000_000
    assert every == 500
    assert limit == 1000
    assert sent == 0
    slow, *_ = Sampling().thresholds(ended({50_000: 98_000, 9_000_000: 2000}), SECOND)
    assert slow == pytest.approx(9_000_000, rel=0.07)


def test_a_trace_gets_everything() -> None:
    assert Sampling(everything=True).thresholds(ended({50_000: 10**6}), SECOND)[:3] == (0, 0, 1)


def test_when_the_load_falls_it_widens_again() -> None:
    sampling = Sampling()
    assert sampling.thresholds(ended({50_000: 10**5}), SECOND)[2] > 1
    assert sampling.thresholds(ended({50_000: 10}), SECOND)[2] == 1


def test_what_is_slow_is_another_thing_on_the_way_down() -> None:
    cells = np.concatenate([ended({50_000: 50_000}), ended({2_000_000: 50_000}, Direction.TX)])
    received, sent, every, _ = Sampling().thresholds(cells, SECOND)
    assert received == pytest.approx(50_000, rel=0.07)
    assert sent == pytest.approx(2_000_000, rel=0.07)
    assert every == 500  # of both together
    received, sent, every, _ = Sampling().thresholds(ended({2_000_000: 10**5}, Direction.TX), SECOND)
    assert (received, every) == (0, 500)
    assert sent == pytest.approx(2_000_000, rel=0.07)
