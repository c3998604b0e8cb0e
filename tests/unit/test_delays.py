"""The delays of the way up, and whole paths of either direction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from netlat_tui.model.delays import NONE_CAME_BY, NOT_KEPT, missing
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.paths import totals_ns
from netlat_tui.model.points import DELAYS, POINTS, Delay, Direction
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.ticks import Hook, Origin, Rows, Tick
from tests.synth import ORIGIN, delays_of, make_ticks

TO_LINK, TO_NETWORK, TO_TRANSPORT, TO_APPLICATION, TO_READ = DELAYS


def view(ticks: list[Tick], direction: Direction | None = None, origin: Origin = ORIGIN) -> Snapshot:
    history = History(origin)
    for tick in ticks:
        history.add(tick)
    return history.snapshot(None, EVERYTHING, direction)


def hooks(*blind: str) -> tuple[Hook, ...]:
    """All points of the way up with a hook, but for these."""
    return tuple(
        Hook("rx", at.name, "", "none", "there is none") if at.key in blind else Hook("rx", at.name, at.key, "fentry")
        for at in POINTS[Direction.RX]
    )


def of_packets(rows: Rows) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in rows[rows["direction"] == Direction.RX]:
        for gauge, ns in delays_of(row):
            found.setdefault(gauge, []).append(ns)
    return found


def test_the_names_are_the_classic_ones() -> None:
    assert [delay.name for delay in DELAYS] == [
        "interface→data link", "data link→network", "network→transport", "transport→application", "application→read",
    ]  # fmt: skip


def test_delays_are_those_of_the_packets() -> None:
    ticks = make_ticks(3)
    shown = view(ticks)
    true = of_packets(np.concatenate([tick.paths for tick in ticks]))
    assert [row.delay for row in shown.delays] == list(DELAYS)
    for row in shown.delays:
        values = true.get(row.delay.gauge, [])
        assert row.values.count == len(values)
        assert row.rate == pytest.approx(len(values) / 3)
        if values:
            assert (row.values.min_ns, row.values.max_ns) == (min(values), max(values))
            assert (row.missing, len(row.trend.p99_ns)) == ("", 3)
            by_cpu = [delay.values.count for cpu in shown.cpus for delay in cpu.delays if delay.delay is row.delay]
            assert sum(by_cpu) == len(values)
    assert {row.delay for row in shown.delays if row.values.count} == {TO_LINK, TO_READ}


@pytest.mark.parametrize(
    ("delay", "blind", "words"),
    [
        (TO_NETWORK, ["ip"], "no hook for ip: there is none"),
        (TO_TRANSPORT, ["ip", "local"], "no hook for ip: there is none"),
        (TO_APPLICATION, ["local"], "no hook for local: there is none"),
        (TO_LINK, ["driver", "gro"], NONE_CAME_BY),
        (TO_LINK, ["driver", "gro", "link"], "no hook for driver or gro or link: there is none"),
        (TO_READ, [], NONE_CAME_BY),
    ],
)
def test_why_a_delay_is_missing(delay: Delay, blind: list[str], words: str) -> None:
    assert missing(delay, hooks(*blind)) == words


def test_of_what_nothing_is_known_nothing_is_said() -> None:
    assert missing(TO_NETWORK, ()) == NONE_CAME_BY
    assert missing(TO_NETWORK, (Hook("rx", "ip", "", "none", ""),)) == "no hook for ip"
    assert "\x1b" not in missing(TO_NETWORK, (Hook("rx", "ip", "", "none", "\x1b[31m"),))


def test_a_delay_is_missing_only_if_packets_were_seen() -> None:
    origin = replace(ORIGIN, hooks=hooks("ip"))
    words = {row.delay: row.missing for row in view(make_ticks(1), origin=origin).delays}
    assert words[TO_NETWORK] == "no hook for ip: there is none"
    assert words[TO_LINK] == ""
    assert {row.missing for row in view([], origin=origin).delays} == {""}
    assert {row.missing for row in view(make_ticks(1, paths=0, drops=0, sent=3), origin=origin).delays} == {""}


def test_a_recording_from_before_there_were_delays_says_so() -> None:
    ticks = [
        replace(tick, cells=tick.cells[~np.isin(tick.cells["dist"], [delay.gauge for delay in DELAYS])], sums=tick.sums)
        for tick in make_ticks(2)
    ]
    words = {row.delay: row.missing for row in view(ticks, origin=replace(ORIGIN, hooks=hooks("ip"))).delays}
    assert words[TO_LINK] == words[TO_READ] == NOT_KEPT != NONE_CAME_BY
    assert words[TO_NETWORK] == "no hook for ip: there is none"


def test_who_sends_has_no_delays_up() -> None:
    assert view(make_ticks(1, sent=3), Direction.TX).delays == ()
    assert len(view(make_ticks(1, sent=3), Direction.RX).delays) == len(DELAYS)


def test_totals_of_either_direction() -> None:
    ticks = make_ticks(2, paths=4, drops=0, sent=3)
    rows = np.concatenate([tick.paths for tick in ticks])
    both = view(ticks).totals
    assert [row.direction for row in both] == [Direction.RX, Direction.TX]
    for row in both:
        true = totals_ns(rows[rows["direction"] == row.direction])
        assert (row.values.count, row.values.min_ns, row.values.max_ns) == (len(true), true.min(), true.max())
    assert view(ticks).total == both[0].values
    assert view(ticks, Direction.TX).total == both[1].values
    assert [row.direction for row in view(make_ticks(2)).totals] == [Direction.RX]
    assert [row.direction for row in view([], Direction.TX).totals] == [Direction.TX]


def test_packets_of_a_cpu_are_both_ways() -> None:
    ticks = make_ticks(2, paths=4, drops=0, sent=3)
    shown = view(ticks)
    assert sum(row.packet_rate for row in shown.cpus) == shown.packet_rate == 7
    assert sum(row.sent_rate for row in shown.cpus) == 3
    assert view(ticks, Direction.TX).packet_rate == 3
    assert view(ticks, Direction.RX).packet_rate == 4
