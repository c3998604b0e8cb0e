"""Snapshots: what is counted over which window, and what stays when the rest is let go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING, parse
from netlat_tui.model.paths import totals_ns
from netlat_tui.model.points import DELAYS, GAUGE, N_STAGES, TOTAL, Direction, stage_id
from netlat_tui.model.retained import Retained
from netlat_tui.model.snapshot import Accounting, CpuRow, Snapshot
from netlat_tui.model.ticks import CELL, SUM, Scope, SelfCost, Tick
from tests.synth import ORIGIN, SECOND, make_tick, make_ticks


def history_of(ticks: list[Tick], **options: int) -> History:
    history = History(ORIGIN, **options)
    for tick in ticks:
        history.add(tick)
    return history


def view(history: History, window_ns: int | None = None) -> Snapshot:
    return history.snapshot(window_ns, EVERYTHING, None)


def counts(snapshot: Snapshot) -> dict[str, int]:
    return {row.stage.name: row.values.count for row in snapshot.stages}


def counted_in(ticks: list[Tick]) -> dict[int, int]:
    """Samples by stage, straight from the raw sums of the CPUs."""
    found: dict[int, int] = {}
    for tick in ticks:
        for row in tick.sums[(tick.sums["scope"] == Scope.CPU) & (tick.sums["dist"] < N_STAGES)]:
            found[int(row["dist"])] = found.get(int(row["dist"]), 0) + int(row["count"])
    return found


# --- Windows ---


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(1, 10))
def test_a_window_counts_its_ticks_and_no_others(seconds: int, total: int) -> None:
    ticks = [make_tick(seq, paths=2 + seq) for seq in range(total)]
    shown = view(history_of(ticks), seconds * SECOND)
    inside = ticks[-seconds:]
    assert shown.ticks == len(inside)
    assert shown.window_ns == len(inside) * SECOND
    assert {row.stage.id: row.values.count for row in shown.stages} == counted_in(inside)
    assert sum(row.packets for row in shown.cpus) == sum(tick.counters["seen"] for tick in inside)
    assert shown.packet_rate == pytest.approx(sum(tick.counters["seen"] for tick in inside) / len(inside))
    assert shown.paths_in_window == sum(len(tick.paths) for tick in inside)


def test_a_tick_half_of_which_is_older_is_not_in_the_window() -> None:
    history = history_of(make_ticks(5))
    assert view(history, 3 * SECOND).ticks == 3
    assert view(history, 3 * SECOND + SECOND // 2).ticks == 3
    assert view(history, 3 * SECOND + SECOND // 2 + 1).ticks == 4


def test_a_window_shorter_than_a_tick_is_the_newest_tick() -> None:
    ticks = make_ticks(3)
    shown = view(history_of(ticks), 1)
    assert (shown.ticks, shown.window_ns) == (1, SECOND)
    assert {row.stage.id: row.values.count for row in shown.stages} == counted_in(ticks[-1:])


def test_the_whole_run_counts_also_what_was_let_go() -> None:
    ticks = make_ticks(20)
    history = history_of(ticks, keep_ns=5 * SECOND)
    everything, longest = view(history), view(history, 1000 * SECOND)
    assert everything.ticks == 20
    assert {row.stage.id: row.values.count for row in everything.stages} == counted_in(ticks)
    assert longest.ticks == 5
    assert {row.stage.id: row.values.count for row in longest.stages} == counted_in(ticks[-5:])


def test_nothing_yet_is_a_snapshot_too() -> None:
    shown = view(History(ORIGIN))
    assert (shown.stages, shown.ticks, shown.packet_rate, shown.total.count) == ((), 0, 0.0, 0)
    assert [row.cpu for row in shown.cpus] == [0, 1]  # the CPUs that are watched, with nothing on them
    assert len(shown.latest) == len(shown.slowest) == 0


# --- Figures that agree ---


def test_a_stage_is_the_sum_of_its_cpus_and_of_its_interrupts() -> None:
    shown = view(history_of(make_ticks(4)))
    for name, count in counts(shown).items():
        by_cpu = [row.values for cpu in shown.cpus for row in cpu.stages if row.stage.name == name]
        by_irq = [row.values for irq in shown.irqs for row in irq.stages if row.stage.name == name]
        assert sum(values.count for values in by_cpu) == count
        assert sum(values.count for values in by_irq) == count


@pytest.mark.parametrize("direction", [None, *Direction])
def test_who_took_a_stage_s_packets_is_told_as_their_rows_tell_it(direction: Direction | None) -> None:
    history = history_of(make_ticks(4, sent=3))
    shown = history.snapshot(None, EVERYTHING, direction)
    by_id: dict[int, list[object]] = {}
    for scope in (*shown.cpus, *shown.irqs):
        rows = [(row.stage.id, row) for row in scope.stages]
        if isinstance(scope, CpuRow):
            rows += [(row.delay.gauge, row) for row in scope.delays]  # type: ignore[misc]
            rows += [(TOTAL[row.direction], row) for row in scope.totals if row.values.count]  # type: ignore[misc]
        for dist, row in rows:
            by_id.setdefault(dist, []).append((scope, row.rate, row.values, row.trend))
    assert by_id
    for dist in {*range(N_STAGES), *TOTAL.values(), *(delay.gauge for delay in DELAYS)}:
        told = [(one.scope, one.rate, one.values, one.trend) for one in shown.taken(dist)]
        assert told == by_id.get(dist, []), dist


def test_shares_of_a_direction_add_up_to_all_of_its_time() -> None:
    ticks = make_ticks(3)
    sent = np.array([(Scope.CPU, 0, stage_id(Direction.TX, 0, 1), 9, 4)], dtype=CELL)
    sums = np.array([(Scope.CPU, 0, stage_id(Direction.TX, 0, 1), 4, 64, 16, 16)], dtype=SUM)
    ticks[0] = replace(
        ticks[0], cells=np.concatenate([ticks[0].cells, sent]), sums=np.concatenate([ticks[0].sums, sums])
    )
    shown = view(history_of(ticks))
    for direction in Direction:
        assert sum(row.share for row in shown.stages if row.direction is direction) == pytest.approx(1)
    (row,) = (row for row in shown.stages if row.direction is Direction.TX)
    assert (row.values.count, row.values.min_ns, row.values.p99_ns, row.values.max_ns) == (4, 16, 16, 16)


def test_the_total_is_that_of_the_paths_that_were_read() -> None:
    ticks = make_ticks(5)
    rows = np.concatenate([tick.paths for tick in ticks])
    totals = totals_ns(rows[rows["outcome"] == 1])
    shown = view(history_of(ticks)).total
    assert (shown.count, shown.sum_ns) == (len(totals), totals.sum())
    assert (shown.min_ns, shown.max_ns) == (totals.min(), totals.max())


def test_an_extreme_that_was_lost_is_brought_back_to_what_was_counted() -> None:
    """The kernel side may lose a minimum or maximum in a race, never a count."""
    cell = np.array([(Scope.CPU, 0, 0, 20, 3)], dtype=CELL)
    sums = np.array([(Scope.CPU, 0, 0, 3, 137, 2**63, 0)], dtype=SUM)
    (row,) = view(history_of([replace(make_tick(0), cells=cell, sums=sums)])).stages
    assert row.values.min_ns is not None
    assert row.values.max_ns is not None
    assert 44 <= row.values.min_ns <= row.values.max_ns <= 47  # what bucket 20 holds
    assert row.values.p99_ns is not None
    assert 44 <= row.values.p99_ns <= 47
    assert row.trend.p99_ns[0] is not None
    assert 44 <= row.trend.p99_ns[0] <= 47


def test_the_cost_is_that_of_the_ticks_it_was_measured_in() -> None:
    ticks = [replace(tick, self_cost=SelfCost(None, None, SECOND // 10, 1 << 20)) for tick in make_ticks(4)]
    ticks[2] = replace(ticks[2], self_cost=SelfCost(21 * 700, 21 * 10, SECOND // 10, 1 << 20))
    shown = view(history_of(ticks)).self_view
    assert shown.kernel_ns_per_packet == 700
    assert shown.kernel_cpu_share == pytest.approx(21 * 700 / (2 * SECOND))  # of two CPUs, for one second
    assert shown.user_cpu_share == pytest.approx(0.1)
    assert view(history_of(ticks[:2])).self_view.kernel_ns_per_packet is None


# --- The books ---


def test_the_books_are_the_sum_of_all_ticks_whatever_the_window() -> None:
    ticks = make_ticks(6)
    history = history_of(ticks, keep_ns=2 * SECOND)
    for window in (None, SECOND):
        books = view(history, window).accounting
        assert (books.seen, books.complete, books.dropped, books.difference) == (6 * 21, 6 * 20, 6, 0)


def test_a_packet_that_is_nowhere_leaves_the_books_open() -> None:
    assert Accounting(seen=10, complete=5, dropped=2, in_flight=2).difference == 1


@pytest.mark.parametrize("end", ["complete", "merged", "dropped", "forwarded", "consumed", "evicted", "expired"])
def test_every_end_closes_the_books(end: str) -> None:
    tick = replace(make_tick(0), counters={"seen": 7, end: 4}, in_flight=3)
    assert view(history_of([tick])).accounting.difference == 0


def test_reset_forgets_what_was_counted_and_keeps_names_and_closed_books() -> None:
    history = history_of([*make_ticks(2), replace(make_tick(2), counters={"seen": 9, "complete": 4}, in_flight=5)])
    history.reset()
    now = view(history)
    assert (now.stages, now.ticks, now.paths_in_window, now.total.count) == ((), 0, 0, 0)
    assert (now.accounting.complete, now.accounting.difference) == (0, 0)
    assert [row.info.name for row in now.irqs] == ["virtio0-input.0"]
    assert {info.name for info in now.ifaces} == {"lo", "eth0"}
    history.add(replace(make_tick(3), counters={"seen": 1, "complete": 6}, in_flight=0))  # with the five under way
    books = view(history).accounting
    assert (books.complete, books.in_flight, books.difference) == (6, 0, 0)


# --- Trends ---


def test_trends_have_a_value_per_tick_and_a_limit() -> None:
    ticks = [make_tick(seq, paths=seq, drops=0) for seq in range(6)]
    shown = view(history_of(ticks, trend_length=4))
    (row,) = (row for row in shown.stages if row.stage.name == "link→transport")
    assert row.trend.rate == (2, 3, 4, 5)
    assert None not in row.trend.p99_ns
    assert [sum(values) for values in zip(*(cpu.trend.rate for cpu in shown.cpus), strict=True)] == [2, 3, 4, 5]


def test_a_tick_without_samples_is_a_gap_and_no_zero() -> None:
    shown = view(history_of([make_tick(0), make_tick(1, paths=0, drops=0), make_tick(2)]))
    (row,) = (row for row in shown.stages if row.stage.name == "link→transport")
    assert row.trend.rate[1] == 0
    assert [value is None for value in row.trend.p99_ns] == [False, True, False]


# --- Filters, paths ---


def test_a_filter_selects_paths_and_leaves_counts_alone() -> None:
    history = history_of(make_ticks(3))
    chosen = history.snapshot(None, parse("dropped"), None)
    assert counts(chosen) == counts(view(history))
    assert len(chosen.latest) == 3
    assert chosen.paths_in_window == 63


def test_paths_come_newest_first_and_slowest_first() -> None:
    shown = view(history_of(make_ticks(5), shown_paths=10))
    ends = shown.latest["t0_ns"].astype(np.int64) + totals_ns(shown.latest)
    assert len(ends) == len(shown.slowest) == 10
    assert list(ends) == sorted(ends, reverse=True)
    assert list(totals_ns(shown.slowest)) == sorted(totals_ns(shown.slowest), reverse=True)


def test_the_slowest_path_of_the_run_stays_when_recent_ones_push_it_out() -> None:
    slow = make_tick(0, paths=1, drops=0).paths.copy()
    slow["t_ns"][0] *= 1000
    first = replace(make_tick(0, paths=1, drops=0), paths=slow)
    history = history_of([first, *[make_tick(seq) for seq in range(1, 10)]], max_paths=30)
    everything = view(history)
    assert everything.slowest["id"][0] == slow["id"][0]
    assert slow["id"][0] not in view(history, 5 * SECOND).slowest["id"]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 50), st.integers(1, 12), st.integers(1, 30))
def test_of_recent_paths_no_more_are_held_than_allowed(most: int, ticks: int, paths: int) -> None:
    kept = Retained(most, keep_ns=4 * SECOND)
    for tick in make_ticks(ticks, paths=paths, drops=0):
        kept.add(tick.mono_ns, tick.paths)
    newest = make_tick(ticks - 1, paths=paths, drops=0)
    held = sum(len(batch.rows) for batch in kept._batches)
    assert 0 < held <= most
    assert all(batch.mono_ns > newest.mono_ns - 4 * SECOND for batch in kept._batches)
    everything = kept.since(None)
    assert len(np.unique(everything["id"])) == len(everything)


def test_paths_are_found_by_their_ids_wherever_they_are_kept() -> None:
    kept = Retained(most=120, keep_ns=100 * SECOND)
    batches = [make_tick(seq, paths=30, drops=0).paths.copy() for seq in range(12)]
    batches[3]["id"] += np.uint64(1 << 16)  # the same low bits as others
    for seq, rows in enumerate(batches):
        kept.add((1000 + seq) * SECOND, rows)
    everything = kept.since(None)
    everything = everything[np.argsort(everything["id"])]
    rng = np.random.default_rng(2)
    for ids in (everything["id"], rng.choice(everything["id"], 40), everything["id"][:1], everything["id"][:0]):
        strange = np.array([0, 1 << 40, int(everything["id"][0]) + (1 << 20)], dtype=np.uint64)
        found = kept.of_ids(np.concatenate([ids, strange]))
        assert found["id"].tolist() == np.unique(ids).tolist()
        assert found.tobytes() == everything[np.isin(everything["id"], ids)].tobytes()
    assert len(Retained(10, SECOND).of_ids(everything["id"])) == 0


def test_of_the_slowest_a_thousand_are_kept() -> None:
    kept = Retained(most=10, keep_ns=SECOND)
    batches = [make_tick(seq, paths=150, drops=0) for seq in range(10)]
    for tick in batches:
        kept.add(tick.mono_ns, tick.paths)
    totals = np.sort(totals_ns(np.concatenate([tick.paths for tick in batches])))
    slowest = kept.since(None)
    assert len(slowest) <= 1000 + 10
    assert np.array_equal(np.sort(totals_ns(slowest))[-1000:], totals[-1000:])


def everything(shown: Snapshot) -> list[object]:
    """Every figure of the CPUs and interrupts, of which many are made when they are asked for."""
    cpus = [(row, row.stages, row.delays, row.totals) for row in shown.cpus]
    return [*cpus, *((row, row.stages) for row in shown.irqs)]


@pytest.mark.parametrize("window_ns", [None, 0, 3 * SECOND])
def test_what_was_handed_out_does_not_change(window_ns: int | None) -> None:
    """Neither what was looked at, nor what is looked at only when the history has gone on."""
    ticks = make_ticks(12, sent=3)
    history = history_of(ticks[:6], trend_length=3)
    before, unseen = view(history, window_ns), view(history, window_ns)
    then, ids = counts(before), before.latest["id"].tolist()
    buckets, rows = before.total.buckets.copy(), everything(before)
    for number, tick in enumerate(ticks[6:]):
        strange = tick.sums.copy()
        strange["key"] += 40 + number  # CPUs that nobody has seen before
        history.add(replace(tick, sums=np.concatenate([tick.sums, strange])))
        view(history, window_ns)
    history.reset()
    assert counts(before) == then
    assert before.latest["id"].tolist() == ids
    assert np.array_equal(before.total.buckets, buckets)
    assert everything(unseen) == rows
    assert sum(len(row.stages) for row in unseen.cpus) > 0
    with pytest.raises(ValueError, match="read-only"):
        before.latest["id"] = 0


def test_what_is_kept_of_ticks_is_not_kept_twice() -> None:
    """Paths and cells are held by those who look after them; the ticks of a window need them no more."""
    history = history_of(make_ticks(3))
    assert all(len(held.tick.paths) == len(held.tick.cells) == len(held.tick.sums) == 0 for held in history._ticks)


def test_gauges_are_no_stages() -> None:
    ticks = make_ticks(2)
    assert (ticks[0].sums["dist"] == GAUGE["softirq_wait"]).any()
    shown = view(history_of(ticks))
    assert {row.stage.id for row in shown.stages} == set(counted_in(ticks))
    assert sum(cpu.softirq_wait.count for cpu in shown.cpus) == sum(cpu.softirq_run.count for cpu in shown.cpus) == 42
