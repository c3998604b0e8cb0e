"""Kinds of drops: added up, named, and with the paths that were dropped so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.model import drops
from netlat_tui.model.derive import History, decode_rows
from netlat_tui.model.filter import EVERYTHING, parse
from netlat_tui.model.paths import HIDDEN
from netlat_tui.model.points import Direction, point
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.ticks import DROP_ROW, NO_POINT, Rows, Tick
from tests.synth import DROP_REASON, LOCATION, ORIGIN, SECOND, SYMBOL, make_tick, make_ticks


def view(
    ticks: list[Tick], window_ns: int | None = None, text: str = "", direction: Direction | None = None
) -> Snapshot:
    history = History(ORIGIN)
    for tick in ticks:
        history.add(tick)
    return history.snapshot(window_ns, parse(text) if text else EVERYTHING, direction)


def kinds(*rows: tuple[int, int, int, int, int]) -> Rows:
    """Rows of (location, reason, direction, point, count)."""
    return np.array([(loc, why, way, at, 0, count) for loc, why, way, at, count in rows], dtype=DROP_ROW)


KIND = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1), st.integers(0, 2), st.integers(0, 1 << 40))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(KIND, max_size=8), max_size=4))
def test_rows_of_a_kind_are_added_up(parts: list[list[tuple[int, int, int, int, int]]]) -> None:
    wanted: dict[tuple[int, ...], int] = {}
    for part in parts:
        for *kind, count in part:
            wanted[tuple(kind)] = wanted.get(tuple(kind), 0) + count
    found = drops.add_up(kinds(*part) for part in parts)
    assert len(found) == len(wanted)
    assert {tuple(row)[:4]: tuple(row)[5] for row in found.tolist()} == wanted


def test_a_kind_has_a_reason_a_place_and_how_far_it_came() -> None:
    (row,) = view(make_ticks(4, drops=3)).drops
    assert (row.reason, row.where, row.symbol) == (ORIGIN.reasons[DROP_REASON], SYMBOL, SYMBOL)
    assert (row.direction, row.point, row.reached) == (Direction.RX, point("link"), "link")
    assert (row.count, row.rate) == (12, 3.0)
    assert row.trend.rate == (3.0, 3.0, 3.0, 3.0)


def test_a_window_counts_its_ticks_and_the_whole_run_also_what_was_let_go() -> None:
    ticks = [make_tick(seq, drops=seq) for seq in range(6)]
    assert view(ticks, 2 * SECOND).drops[0].count == 4 + 5
    history = History(ORIGIN, keep_ns=2 * SECOND)
    for tick in ticks:
        history.add(tick)
    assert history.snapshot(None, EVERYTHING, None).drops[0].count == sum(range(6))
    assert history.snapshot(None, EVERYTHING, None).drops[0].trend.rate == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    history.reset()
    assert history.snapshot(None, EVERYTHING, None).drops == ()


def test_most_come_first_and_a_direction_leaves_the_other_out() -> None:
    here = kinds((1, 2, Direction.RX, 0, 5), (LOCATION, 9, Direction.TX, NO_POINT, 7))
    ticks = [replace(make_tick(0), drops=here, counters={"dropped": 20})]
    first, second = view(ticks).drops
    assert (first.reason, first.reached, first.count, first.point) == ("reason 9", "-", 7, None)
    assert (second.where, second.symbol) == ("0x1", "")
    assert view(ticks).drops_of_no_kind == 8
    (sent,) = view(ticks, direction=Direction.TX).drops
    assert sent == first
    assert view(ticks, direction=Direction.TX).drops_of_no_kind == 8


def test_where_the_kernel_hides_addresses_they_have_no_name() -> None:
    hidden = replace(make_tick(0), symbols=((LOCATION, HIDDEN),))
    (row,) = view([hidden]).drops
    assert (row.where, row.symbol) == (HIDDEN, "")
    (nowhere,) = view([replace(make_tick(0), drops=kinds((0, 3, 0, 0, 1)))]).drops
    assert nowhere.where == "not known"


@pytest.mark.parametrize("text", ["\x1b]0;x\x07", "a\nb", "\u202ecod.exe"])
def test_names_are_made_printable(text: str) -> None:
    (row,) = view([replace(make_tick(0), symbols=((LOCATION, text),))]).drops
    assert row.symbol.isprintable()


def test_the_paths_of_a_kind_are_its_own_newest_first() -> None:
    ticks = make_ticks(3, drops=2)
    paths = ticks[1].paths.copy()
    other = np.flatnonzero(paths["location"])[0]
    paths["location"][other] += 1
    ticks[1] = replace(ticks[1], paths=paths)
    snapshot = view(ticks)
    (row,) = snapshot.drops
    found = decode_rows(snapshot, row.paths)
    assert len(found) == 5
    times = [path.time_ns + path.total_ns for path in found]
    assert times == sorted(times, reverse=True)
    assert {(path.reason, path.location, path.symbol) for path in found} == {("NO_SOCKET", LOCATION, SYMBOL)}
    assert len(view(ticks, text="dst port 1").drops[0].paths) == 0  # they are those the filter selects


def test_a_path_names_its_other_half_and_the_snapshot_has_it() -> None:
    ticks = make_ticks(3, paths=5, sent=3)
    snapshot = view(ticks, 1, direction=Direction.TX)
    assert set(snapshot.latest["direction"]) == {Direction.TX}
    assert sorted(snapshot.peers["id"].tolist()) == sorted(snapshot.latest["peer"].tolist())
    assert set(snapshot.peers["direction"]) == {Direction.RX}
    assert len(view(make_ticks(2)).peers) == 0
    history = History(ORIGIN, shown_paths=1)
    for tick in ticks:
        history.add(tick)
    one = history.snapshot(None, EVERYTHING, Direction.TX)
    assert one.latest["id"] != one.slowest["id"]
    assert set(one.peers["id"].tolist()) == {*one.latest["peer"].tolist(), *one.slowest["peer"].tolist()}
