"""Heat: what each tick counted of a distribution, how ticks share a column, and which paths a cell has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING, parse
from netlat_tui.model.heat import Heat, Span, join
from netlat_tui.model.histogram import EDGES, N_BUCKETS, bucket_of
from netlat_tui.model.paths import totals_ns
from netlat_tui.model.points import DELAYS, TOTAL, Direction, Outcome, stage_id
from netlat_tui.model.snapshot import Distribution, Snapshot
from netlat_tui.model.ticks import Rows, Tick
from netlat_tui.model.took import took_ns
from tests.synth import ORIGIN, SECOND, delays_of, make_tick, make_ticks


def history_of(ticks: list[Tick], **options: int) -> History:
    history = History(ORIGIN, **options)
    for tick in ticks:
        history.add(tick)
    return history


def distributions(shown: Snapshot) -> dict[int, Distribution]:
    """Everything a snapshot has of packets, by its id."""
    found = {row.stage.id: row.values for row in shown.stages}
    found |= {row.delay.gauge: row.values for row in shown.delays}
    return found | {TOTAL[row.direction]: row.values for row in shown.totals}


def made(counts: list[int], first: int = 0, window: int | None = None, resting: tuple[int, ...] = ()) -> Heat:
    """Ticks of a second with so many packets each, all of one bucket."""
    lines = np.zeros((len(counts), N_BUCKETS), dtype=np.uint64)
    lines[:, 40] = counts
    until = (first + 1 + np.arange(len(counts), dtype=np.int64)) * SECOND
    measured = np.array([at not in resting for at in range(len(counts))], dtype=np.bool_)
    return Heat(first, until - SECOND, until, measured, lines, len(counts) if window is None else window)


# --- Ticks ---


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(0, 10), st.integers(0, 12))
def test_the_ticks_of_the_window_add_up_to_its_histogram(total: int, seconds: int, least: int) -> None:
    history = history_of([make_tick(seq, paths=2 + seq % 5, sent=seq % 3) for seq in range(total)])
    shown = history.snapshot(seconds * SECOND, EVERYTHING, None)
    everything = distributions(shown)
    assert everything
    for dist, values in everything.items():
        heat = shown.heat(dist, least)
        assert heat.window == shown.ticks
        assert len(heat.counts) == min(total, max(shown.ticks, least))
        assert heat.end == total
        assert np.array_equal(heat.counts[len(heat.counts) - heat.window :].sum(axis=0), values.buckets), dist


def test_each_tick_has_what_it_counted_alone() -> None:
    ticks = make_ticks(6, sent=4)
    shown = history_of(ticks).snapshot(None, EVERYTHING, None)
    for dist in (*TOTAL.values(), *(delay.gauge for delay in DELAYS)):
        heat = shown.heat(dist, 0)
        for line, tick in zip(heat.counts, ticks, strict=True):
            alone = distributions(history_of([tick]).snapshot(None, EVERYTHING, None))[dist]
            assert np.array_equal(line, alone.buckets)


def test_what_was_asked_for_before_does_not_matter() -> None:
    """The lines of the last distribution are kept: whatever was asked in between, they are those of these ticks."""
    history = history_of(make_ticks(3))
    rx, tx = TOTAL.values()
    for seq in range(3, 9):
        history.add(make_tick(seq, paths=3 + seq, sent=seq))
        shown = history.snapshot(4 * SECOND, EVERYTHING, None)
        for dist, least in ((rx, 0), (rx, 2), (tx, 9), (rx, 9), (tx, 0)):
            same_ticks = [make_tick(at, paths=3 + at, sent=at) for at in range(3, seq + 1)]
            fresh = history_of([*make_ticks(3), *same_ticks])
            told, same = shown.heat(dist, least), fresh.snapshot(4 * SECOND, EVERYTHING, None).heat(dist, least)
            assert np.array_equal(told.counts, same.counts)
            assert (told.first, told.window) == (same.first, same.window)


def test_a_snapshot_s_heat_stays_as_it_was() -> None:
    history = history_of(make_ticks(4))
    shown = history.snapshot(None, EVERYTHING, None)
    rx = TOTAL[Direction.RX]
    expected = distributions(shown)[rx].buckets.copy()
    for seq in range(4, 12):
        history.add(make_tick(seq, paths=50))
        history.snapshot(None, EVERYTHING, None).heat(rx, 3)
    history.reset()
    history.add(make_tick(12, paths=7))
    assert np.array_equal(shown.heat(rx, 0).counts.sum(axis=0), expected)
    after = history.snapshot(None, EVERYTHING, None).heat(rx, 100)
    assert (after.first, after.counts.sum()) == (0, 7)
    with pytest.raises(ValueError, match="read-only"):
        after.counts[0, 0] = 1


def test_it_goes_back_no_further_than_ticks_are_kept() -> None:
    shown = history_of(make_ticks(20), keep_ns=5 * SECOND).snapshot(None, EVERYTHING, None)
    heat = shown.heat(TOTAL[Direction.RX], 100)
    assert (heat.first, len(heat.counts), heat.window) == (15, 5, 5)


def test_a_rest_was_not_measured() -> None:
    nothing = make_tick(0, paths=0, drops=0)
    ticks = [make_tick(0), replace(make_tick(1), cells=nothing.cells, sums=nothing.sums, rest=True), make_tick(2)]
    shown = history_of(ticks).snapshot(None, EVERYTHING, None)
    heat = shown.heat(TOTAL[Direction.RX], 0)
    assert heat.measured.tolist() == [True, False, True]
    assert heat.counts.sum(axis=1).tolist() == [20, 0, 20]


def test_the_window_of_a_rest_is_not_wider_for_what_was_measured_last() -> None:
    nothing = make_tick(0, paths=0, drops=0)
    resting = [replace(make_tick(seq), cells=nothing.cells, sums=nothing.sums, rest=True) for seq in (1, 2, 3, 4)]
    shown = history_of([make_tick(0), *resting]).snapshot(2 * SECOND, EVERYTHING, None)
    assert shown.ticks == 3  # the two of the window, and the one that says something
    assert shown.heat(TOTAL[Direction.RX], 0).window == 2


def test_a_window_of_nothing_but_rests_has_each_once() -> None:
    shown = history_of([replace(tick, rest=True) for tick in make_ticks(4)]).snapshot(2 * SECOND, EVERYTHING, None)
    assert (shown.ticks, shown.window_ns) == (2, 2 * SECOND)
    heat = shown.heat(TOTAL[Direction.RX], 9)
    assert (heat.window, heat.measured.tolist()) == (2, [False] * 4)


def test_what_was_counted_in_part_is_an_estimate() -> None:
    shown = history_of([replace(make_tick(0), every=4), make_tick(1)]).snapshot(SECOND, EVERYTHING, None)
    rx = TOTAL[Direction.RX]
    assert shown.heat(rx, 2).counts.sum(axis=1).tolist() == [80, 20]
    assert shown.heat(rx, 2).estimated
    assert not shown.heat(rx, 1).estimated


# --- Columns ---


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=80),
    st.integers(1, 30),
    st.integers(0, 40),
    st.integers(1, 80),
    st.integers(0, 12),
)
def test_columns_hold_every_packet_of_the_window_once(
    counts: list[int], most: int, first: int, window: int, step: int
) -> None:
    window = min(window, len(counts))
    columns = join(made(counts, first, window), most, step)
    assert 1 <= len(columns) <= columns.before + len(columns) <= most
    shown = int(columns.ticks.sum())
    assert shown >= window
    assert int(columns.counts.sum()) == sum(counts[len(counts) - shown :])
    assert columns.first.tolist() == sorted(set(columns.first.tolist()))
    numbers = np.arange(first, first + len(counts))[-shown:]
    by_column = {
        int(start): counts[start - first : start - first + n]
        for start, n in zip(columns.first, columns.ticks, strict=True)
    }
    assert [sum(part) for part in by_column.values()] == columns.counts.sum(axis=1).tolist()
    for number in numbers.tolist():
        at = columns.find(number)
        assert columns.first[at] <= number < columns.first[at] + columns.ticks[at]
    assert columns.until_ns[-1] == (first + len(counts)) * SECOND
    assert (columns.until_ns - columns.since_ns == columns.ticks * SECOND).all()
    assert columns.in_window.sum() >= 1
    assert (columns.until_ns[~columns.in_window] <= (first + len(counts) - window) * SECOND).all()


def test_ticks_that_shared_a_column_share_it_a_tick_later() -> None:
    before, after = join(made([1] * 40, window=40), 10), join(made([1] * 40, first=1, window=40), 11)
    assert before.each == after.each == 4
    assert set(before.first[1:].tolist()) < set(after.first.tolist())


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 30), st.integers(0, 5))
def test_columns_stay_at_their_places_until_a_step_of_them_goes(most: int, step: int, window: int, kept: int) -> None:
    """As heat is asked for: the ticks of the window, and as many as there are columns, if so many are kept."""
    step = min(step, most)
    places: dict[int, int] = {}
    moved = 0
    for end in range(1, 3 * most + 1):
        first = max(0, end - max(min(window, end), most) - kept)
        columns = join(made([1] * (end - first), first, min(window, end)), most, step)
        found = {int(tick): columns.before + at for at, tick in enumerate(columns.first)}
        same = found.keys() & places.keys()
        shifts = {places[tick] - found[tick] for tick in same if columns.each == 1}
        assert shifts <= {0} or shifts == {step}
        moved += shifts == {step}
        places = found if columns.each == 1 else {}
    if step < most and window <= most - step + 1:
        assert moved == -(-2 * most // step)


def test_a_column_says_how_many_of_its_ticks_were_measured() -> None:
    columns = join(made([0, 5, 0, 7, 0, 0], resting=(0, 2, 4, 5)), 3)
    assert (columns.each, columns.ticks.tolist(), columns.measured.tolist()) == (2, [2, 2, 2], [1, 1, 0])


@pytest.mark.parametrize("most", [0, 5])
def test_nothing_is_no_column(most: int) -> None:
    assert len(join(made([]), most)) == 0


# --- Paths of a cell ---


def expected_in(ticks: list[Tick], span: Span) -> list[int]:
    """Ids of the paths of a span, one by one."""
    found = []
    for row in np.concatenate([tick.paths for tick in ticks]):
        points = [index for index in range(16) if row["mask"] >> index & 1]
        way = Direction(int(row["direction"]))
        samples: list[tuple[int, int]] = []
        if span.dist in TOTAL.values() and TOTAL[way] == span.dist and row["outcome"] == Outcome.COMPLETE:
            last = int(row["t_ns"][points[-1]])
            samples.append((last, last))
        elif way is Direction.RX and span.dist not in TOTAL.values():
            samples += [(ns, 0) for gauge, ns in delays_of(row) if gauge == span.dist]
        for took, ended in samples:
            at = int(row["t0_ns"]) + ended
            inside = span.since_ns < at <= span.until_ns if ended else True
            if inside and span.low_ns <= took and (span.high_ns is None or took < span.high_ns):
                found.append(int(row["id"]))
    return sorted(found)


def ids(rows: Rows) -> list[int]:
    return sorted(rows["id"].tolist())


def test_a_cell_has_the_paths_whose_packets_it_counted() -> None:
    """With a record of every packet, as many as were counted: each in the cell of its time and its duration."""
    ticks = make_ticks(4, paths=30, sent=5)
    shown = history_of(ticks).snapshot(None, EVERYTHING, None)
    for dist in (*TOTAL.values(), *(row.stage.id for row in shown.stages)):
        heat = shown.heat(dist, 0)
        since, until = int(heat.since_ns[0]), int(heat.until_ns[-1]) + SECOND
        for bucket in np.flatnonzero(heat.counts.sum(axis=0)).tolist():
            low, high = int(EDGES[bucket]), int(EDGES[bucket + 1])
            found = shown.paths_in(Span(dist, since, until, low, high))
            assert len(found) == int(heat.counts[:, bucket].sum()), (dist, bucket)


def test_its_paths_ended_in_its_time() -> None:
    ticks = make_ticks(5, paths=30)
    shown = history_of(ticks).snapshot(2 * SECOND, EVERYTHING, None)  # the cell may lie before the window
    rx = TOTAL[Direction.RX]
    whole = [Span(rx, tick.mono_ns - SECOND, tick.mono_ns, 0, None) for tick in ticks]
    for span in whole:
        assert ids(shown.paths_in(span)) == expected_in(ticks, span)
    assert sum(len(shown.paths_in(span)) for span in whole) == 5 * 30
    paths = shown.paths_in(Span(rx, ticks[1].mono_ns - SECOND, ticks[1].mono_ns, 40_000, 60_000))
    assert len(paths)
    ends = paths["t0_ns"].astype(np.int64) + totals_ns(paths)
    assert list(ends) == sorted(ends, reverse=True)
    assert ((totals_ns(paths) >= 40_000) & (totals_ns(paths) < 60_000)).all()


def test_a_delay_s_paths_are_those_that_had_it() -> None:
    ticks = make_ticks(2, paths=40)
    shown = history_of(ticks).snapshot(None, EVERYTHING, None)
    for delay in DELAYS:
        span = Span(delay.gauge, 0, 2**62, 4_000, 9_000)
        assert ids(shown.paths_in(span)) == expected_in(ticks, span), delay.name


def test_a_stage_on_the_way_up_is_of_the_time_it_ended_in() -> None:
    """The kernel side counts it then: a reader that comes much later does not move it."""
    tick = make_tick(0, paths=1, drops=0)
    paths = tick.paths.copy()
    last = max(index for index in range(16) if paths["mask"][0] >> index & 1)
    paths["t_ns"][0, last] += 10 * SECOND
    shown = history_of([replace(tick, paths=paths)]).snapshot(None, EVERYTHING, None)
    first = next(row.stage.id for row in shown.stages)
    assert len(shown.paths_in(Span(first, tick.mono_ns - SECOND, tick.mono_ns, 0, None))) == 1
    assert len(shown.paths_in(Span(TOTAL[Direction.RX], tick.mono_ns - SECOND, tick.mono_ns, 0, None))) == 0


def test_filter_and_direction_select_among_them() -> None:
    ticks = make_ticks(3, sent=6)
    history = history_of(ticks)
    span = Span(TOTAL[Direction.RX], 0, 2**62, 0, None)
    every = history.snapshot(None, EVERYTHING, None).paths_in(span)
    chosen = history.snapshot(None, parse("port 443"), None).paths_in(span)
    assert 0 < len(chosen) < len(every) == 60
    assert set(chosen["dport"].tolist()) == {443}
    assert len(history.snapshot(None, EVERYTHING, Direction.TX).paths_in(span)) == 0


def test_a_stage_is_of_paths_that_saw_nothing_between_its_points() -> None:
    rows = make_tick(0, paths=1, drops=0).paths
    points = [index for index in range(16) if rows["mask"][0] >> index & 1]
    near, far = (stage_id(Direction.RX, points[2], points[at]) for at in (3, 4))
    assert took_ns(rows, near)[0].tolist() == [True]
    assert took_ns(rows, far)[0].tolist() == [False]
    assert bucket_of(int(took_ns(rows, near)[1][0])) > 0
