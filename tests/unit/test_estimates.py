"""Ticks of which a part was counted, and what is made of them."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.model.derive import History
from netlat_tui.model.estimates import of_packets, scaled
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.points import GAUGE, N_STAGES
from tests import synth


def test_a_tick_of_all_packets_is_left_alone() -> None:
    tick = synth.make_tick(0)
    assert scaled(tick) is tick


@given(st.integers(2, 256))
def test_counts_of_packets_are_scaled_and_those_of_runs_are_not(every: int) -> None:
    tick = synth.make_tick(0)
    made = scaled(dataclasses.replace(tick, every=every))
    for name in ("cells", "sums"):
        before, after = getattr(tick, name), getattr(made, name)
        packets = np.array([of_packets(int(dist)) for dist in before["dist"]])
        assert (after["count"][packets] == before["count"][packets].astype(np.uint64) * every).all()
        assert (after["count"][~packets] == before["count"][~packets]).all()
    assert (made.cpus["packets"] == tick.cpus["packets"] * every).all()
    assert (made.cpus["softirqs"] == tick.cpus["softirqs"]).all()
    assert (made.sums["max_ns"] == tick.sums["max_ns"]).all()
    assert made.counters["seen"] == tick.counters["seen"] * every
    assert made.in_flight == tick.in_flight


def test_which_distributions_count_packets() -> None:
    assert of_packets(0) and of_packets(N_STAGES - 1) and of_packets(GAUGE["total"]) and of_packets(GAUGE["to_link"])
    assert not of_packets(GAUGE["softirq_wait"])


def test_the_books_are_of_what_was_followed_and_rates_of_what_passed() -> None:
    ticks = [dataclasses.replace(tick, every=8) for tick in synth.make_ticks(5)]
    history, whole = History(synth.ORIGIN), History(synth.ORIGIN)
    for tick in ticks:
        history.add(tick)
        whole.add(dataclasses.replace(tick, every=1))
    estimated, counted = (one.snapshot(None, EVERYTHING, None) for one in (history, whole))
    assert estimated.accounting == counted.accounting
    assert estimated.packet_rate == counted.packet_rate * 8
    assert (estimated.every, counted.every) == (8, 1)
    for row, other in zip(estimated.stages, counted.stages, strict=True):
        assert row.values.estimated and not other.values.estimated
        assert row.values.count == other.values.count * 8
        assert (row.values.p50_ns, row.values.p99_ns, row.share) == (
            other.values.p50_ns,
            other.values.p99_ns,
            other.share,
        )


def test_a_window_with_a_tick_that_was_counted_in_part_is_an_estimate() -> None:
    history = History(synth.ORIGIN)
    for number, tick in enumerate(synth.make_ticks(4)):
        history.add(dataclasses.replace(tick, every=4 if number == 0 else 1))
    assert history.snapshot(None, EVERYTHING, None).every == 4
    assert history.snapshot(1, EVERYTHING, None).every == 1


def test_a_count_too_large_for_its_column_stops_at_the_end() -> None:
    tick = synth.make_tick(0)
    cells = tick.cells.copy()
    cells["count"] = 1 << 31
    made = scaled(dataclasses.replace(tick, cells=cells, every=256))
    packets = np.array([of_packets(int(dist)) for dist in cells["dist"]])
    assert (made.cells["count"][packets] == np.iinfo(np.uint32).max).all()
