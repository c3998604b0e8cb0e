"""Flows: which paths belong together, and figures that the way of sampling does not bend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.model import connections
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING, parse
from netlat_tui.model.flows import MOST, FlowRow, Flows
from netlat_tui.model.points import STAGES, Direction, Outcome, point
from netlat_tui.model.ticks import PATH, IfaceInfo, PathCause, PathFlag, Rows, Tick
from netlat_tui.model.weighted import ENOUGH, grouped, stages_of
from tests.synth import NETNS, ORIGIN, SECOND, make_tick

LOCAL, REMOTE = (10, 0, 0, 1), (10, 0, 0, 2)


def received(count: int = 1, took_ns: int = 50_000, **fields: object) -> Rows:
    """TCP segments from 10.0.0.2:40000 to 10.0.0.1:443, seen at ``link``, ``socket`` and ``return``."""
    rows = np.zeros(count, dtype=PATH)
    way = [point(key).index for key in ("link", "socket", "return")]
    rows["mask"] = sum(1 << index for index in way)
    rows["t_ns"][:, way[1]], rows["t_ns"][:, way[2]] = took_ns // 10, took_ns
    rows["id"] = np.arange(count) + np.random.default_rng(count + took_ns).integers(1, 1 << 60)
    rows["saddr"][:, :4], rows["daddr"][:, :4] = REMOTE, LOCAL
    rows["sport"], rows["dport"], rows["proto"], rows["family"] = 40_000, 443, 6, 4
    rows["ifindex"], rows["netns"], rows["pid"], rows["comm"] = 2, NETNS, 1234, b"nginx"
    rows["outcome"], rows["cause"], rows["every"] = Outcome.COMPLETE, PathCause.ALL, 1
    for name, value in fields.items():
        rows[name] = value
    return rows


def sent(count: int = 1, took_ns: int = 20_000, **fields: object) -> Rows:
    """The answers."""
    rows = received(count, took_ns)
    rows["direction"], rows["t_ns"], rows["id"] = Direction.TX, 0, rows["id"] + np.uint64(1 << 61)
    way = [point(key, Direction.TX).index for key in ("send", "xmit")]
    rows["mask"] = sum(1 << index for index in way)
    rows["t_ns"][:, way[1]] = took_ns
    rows["saddr"], rows["daddr"] = rows["daddr"].copy(), rows["saddr"].copy()
    rows["sport"], rows["dport"] = 443, 40_000
    for name, value in fields.items():
        rows[name] = value
    return rows


def tick_of(rows: Rows, seq: int = 1, **fields: object) -> Tick:
    return replace(make_tick(seq), paths=rows, counters={}, **fields)  # type: ignore[arg-type]


def flows(*ticks: Tick, window_ns: int | None = 10 * SECOND, flt: str = "", way: Direction | None = None) -> Flows:
    history = History(ORIGIN)
    for tick in ticks:
        history.add(tick)
    return history.snapshot(window_ns, parse(flt) if flt else EVERYTHING, way).flows


def flows_of(*rows: Rows) -> tuple[FlowRow, ...]:
    return flows(tick_of(np.concatenate(rows))).rows


def test_both_directions_are_one_flow_with_its_process() -> None:
    (flow,) = flows_of(received(30), sent(40))
    assert (flow.local, flow.lport, flow.remote, flow.rport) == ("10.0.0.1", 443, "10.0.0.2", 40_000)
    assert (flow.proto, flow.iface, flow.comm, flow.pid, flow.processes) == ("tcp", "eth0", "nginx", 1234, 1)
    assert (flow.received.rate, flow.sent.rate) == (30, 40)
    assert (flow.received.records, flow.sent.records) == (30, 40)
    assert (flow.received.p50_ns, flow.sent.p99_ns) == (50_000, 20_000)
    assert flow.worst is not None and flow.worst.name == "socket→return"
    assert flow.worst_ns == 45_000
    assert not flow.estimated


def test_both_ends_on_one_host_are_two_flows() -> None:
    to_server = sent(sport=40_000, dport=443, saddr=(*REMOTE, *[0] * 12), daddr=(*LOCAL, *[0] * 12))
    client, server = sorted(flows_of(to_server, received()), key=lambda flow: flow.lport or 0, reverse=True)
    assert (client.lport, client.sent.rate, client.received.rate) == (40_000, 1, 0)
    assert (server.lport, server.sent.rate, server.received.rate) == (443, 0, 1)


@pytest.mark.parametrize("field", ["netns", "ifindex", "sport", "proto"])
def test_what_tells_flows_apart(field: str) -> None:
    assert len(flows_of(received(), received(**{field: 17}))) == 2


def test_what_has_no_ports_has_none() -> None:
    found = flows_of(
        received(2, proto=1, sport=7, dport=8),
        received(proto=1, sport=9),
        received(proto=17, sport=0, dport=0, flags=PathFlag.FRAGMENT),
        received(family=0, saddr=3, sport=5),
        received(family=0, saddr=4, proto=9),
    )
    assert [(flow.proto, flow.local, flow.lport, flow.received.records) for flow in found] == [
        ("icmp", "10.0.0.1", None, 3),
        ("not IP", "?", None, 2),
        ("udp frag", "10.0.0.1", None, 1),
    ]


@pytest.mark.parametrize("slow_ones", [100, 300])
def test_the_slow_ones_do_not_bend_the_figures(slow_ones: int) -> None:
    """10,000 fast packets, one in 64 of them sent up, and the slow ones, sent up each: with 300 of them the p99 is
    theirs, so leaving them out would be as wrong as taking them for as many as the others."""
    rng = np.random.default_rng(7)
    fast = rng.integers(20_000, 40_000, 10_000)
    slow = rng.integers(5_000_000, 6_000_000, slow_ones)
    truth = np.sort(np.concatenate([fast, slow]))
    chosen = fast[::64]
    records = received(len(chosen), cause=PathCause.SAMPLE, every=64), received(slow_ones, cause=PathCause.SLOW)
    for rows, took in zip(records, (chosen, slow), strict=True):
        rows["t_ns"][:, point("return").index] = took
    (flow,) = flows_of(*records)
    figures = flow.received
    assert flow.estimated
    assert figures.records == 157 + slow_ones
    assert figures.rate == pytest.approx(10_000 + slow_ones, rel=0.01)
    assert figures.p50_ns == pytest.approx(np.quantile(truth, 0.5), rel=0.1)
    assert figures.p99_ns == pytest.approx(truth[int(len(truth) * 0.99) - 1], rel=0.1)
    assert figures.max_ns == truth[-1]


def test_a_record_sent_for_its_other_half_counts_for_nothing() -> None:
    (flow,) = flows_of(
        received(50, cause=PathCause.SAMPLE, every=10), received(50, 9_000_000, cause=PathCause.FOLLOW, every=1)
    )
    assert flow.received.rate == 500
    assert flow.received.p99_ns == 50_000
    assert flow.received.max_ns == 9_000_000


def test_too_few_records_tell_no_quantile() -> None:
    (few,) = flows_of(received(ENOUGH - 1))
    assert (few.received.p50_ns, few.received.p99_ns, few.worst) == (None, None, None)
    assert few.received.max_ns == 50_000
    (enough,) = flows_of(received(ENOUGH))
    assert enough.received.p99_ns == 50_000
    (skewed,) = flows_of(
        received(3, cause=PathCause.SAMPLE, every=1000), received(100, 9_000_000, cause=PathCause.SLOW)
    )
    assert skewed.received.p99_ns is None  # three records speak for 3,000 packets


def test_records_that_were_held_back_are_counted_for() -> None:
    found = flows(replace(tick_of(received(100)), counters={"paths_held_back": 60, "ring_lost": 40}))
    assert found.held_back == 0.5
    assert found.rows[0].received.rate == 200
    assert found.rows[0].estimated


def test_an_older_recording_tells_by_its_counters() -> None:
    rows = np.concatenate([received(20, cause=PathCause.SAMPLE, every=0), received(5, cause=PathCause.SLOW, every=0)])
    found = flows(replace(tick_of(rows), counters={"complete": 180, "consumed": 25}))
    assert found.unknown
    assert found.rows[0].received.rate == 205
    assert found.rows[0].estimated


def test_rates_are_over_the_time_that_was_measured() -> None:
    ticks = [tick_of(received(30), 1), tick_of(received(0), 2), replace(tick_of(received(0), 3), rest=True)]
    (flow,) = flows(*ticks).rows
    assert flow.received.rate == 15
    assert flow.trend == (30, 0)


def test_old_paths_that_are_kept_for_being_slow_do_not_count() -> None:
    history = History(ORIGIN, max_paths=100)
    for seq in (1, 2, 3):
        history.add(tick_of(received(80), seq))
    found = history.snapshot(None, EVERYTHING, None).flows
    assert found.covered_ns == SECOND
    assert found.rows[0].received.rate == 80


def test_filter_and_direction_choose() -> None:
    ticks = tick_of(np.concatenate([received(3), sent(2), received(4, dport=80)]))
    assert [flow.lport for flow in flows(ticks, flt="port 80").rows] == [80]
    assert [flow.rate for flow in flows(ticks, way=Direction.TX).rows] == [2]


def test_retransmissions_and_drops_and_what_is_forwarded() -> None:
    lost = received(3, outcome=Outcome.DROPPED, cause=PathCause.DROP)
    (flow,) = flows_of(sent(6, flags=PathFlag.RETRANSMIT, every=4, cause=PathCause.SAMPLE), lost)
    assert (flow.retransmits, flow.drops) == (24, 3)
    (flow,) = flows_of(received(2, outcome=Outcome.FORWARDED, pid=0))
    assert flow.forwarded


def test_the_process_of_most_records_is_named_and_names_are_printable() -> None:
    (flow,) = flows_of(received(2, pid=7, comm=b"\x1b]0;x\x07"), received(1, pid=9, comm=b"b"), received(5, pid=0))
    assert (flow.comm, flow.pid, flow.processes) == ("?]0;x?", 7, 2)
    rows = replace(tick_of(received()), iface_info=(IfaceInfo(2, NETNS, "\x1b[2J"),))
    assert flows(rows).rows[0].iface == "?[2J"


def test_flows_of_equal_rates_have_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever numbers this process tells connections apart by."""
    orders = set()
    for seed in range(4):
        numbers = np.random.default_rng(seed).integers(1, 1 << 63, len(connections._MIX), dtype=np.uint64)
        monkeypatch.setattr(connections, "_MIX", numbers * np.uint64(2) + np.uint64(1))
        orders.add(tuple(row.name for row in flows(tick_of(received(9, sport=range(40_001, 40_010)))).rows))
    assert len(orders) == 1
    assert len(orders.pop()) == 9


def test_the_rest_is_added_up() -> None:
    rows = np.concatenate([received(2 + MOST + 10), received(3, dport=9)])
    rows["sport"][: 2 + MOST + 10] = np.arange(2 + MOST + 10)
    found = flows(tick_of(rows))
    assert found.count == MOST + 13
    assert len(found.rows) == MOST + 1
    assert found.rows[0].received.records == 3
    others = found.rows[-1]
    assert (others.others, others.received.rate, others.received.p99_ns) == (13, 13, None)
    assert sum(flow.records for flow in found.rows) == found.records == len(rows)


def test_a_flow_tells_its_stages_and_paths() -> None:
    (flow, _) = flows_of(received(30), sent(30), received(1, 8_000_000), received(1, dport=1))
    stages = {figures.stage.name: figures for figures in flow.paths.stages}
    assert list(stages) == ["link→socket", "socket→return", "send→xmit"]
    assert (stages["link→socket"].records, stages["link→socket"].p50_ns) == (31, 5_000)
    assert stages["socket→return"].max_ns == 7_200_000
    assert len(flow.paths.latest) == 50
    assert flow.paths.slowest[0]["t_ns"].max() == 8_000_000


def test_nothing_is_no_flow() -> None:
    assert flows(tick_of(received(0))).rows == ()
    assert flows(tick_of(received(3)), flt="port 1").rows == ()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1 << 40), st.integers(0, 70)), max_size=200))
def test_quantiles_are_those_of_the_packets_written_out(samples: list[tuple[int, int, int]]) -> None:
    group, ns, weights = (np.array([one[at] for one in samples], dtype=np.int64) for at in range(3))
    found = grouped(group, 4, ns, weights)
    for number in range(4):
        mine = group == number
        packets = np.sort(np.repeat(ns[mine], weights[mine]))
        assert found.packets[number] == len(packets)
        assert found.max_ns[number] == (ns[mine].max() if mine.any() else -1)
        for fraction, value in ((0.5, found.p50_ns[number]), (0.99, found.p99_ns[number])):
            if value >= 0:
                exact = packets[max(1, int(np.ceil(fraction * len(packets) - 1e-6))) - 1]
                assert value == pytest.approx(exact, rel=0.01, abs=1)


@given(st.integers(0, (1 << 16) - 1), st.integers(0, 1))
def test_stages_are_those_of_a_decoded_path(mask: int, direction: int) -> None:
    from netlat_tui.model.paths import decode

    rows = received()
    rows["mask"], rows["direction"] = mask, direction
    rows["t_ns"][0] = np.arange(16) ** 2 * 1000
    path = decode(rows[0], 0, {}, {})
    _, stage, took, totals = stages_of(rows)
    assert [(STAGES[at].id, ns) for at, ns in zip(stage.tolist(), took.tolist(), strict=True)] == [
        (one.stage.id, one.duration_ns) for one in path.stages
    ]
    assert totals[0] == path.total_ns


def test_of_two_halves_in_an_older_recording_the_later_counts_for_nothing() -> None:
    out, back = (make(20, cause=PathCause.SAMPLE, every=0) for make in (sent, received))
    back["peer"], out["peer"], back["t0_ns"] = out["id"], back["id"], 1000
    lone = received(20, cause=PathCause.SAMPLE, every=0, dport=80, t0_ns=5)
    found = flows(replace(tick_of(np.concatenate([out, back, lone])), counters={"complete": 4000}))
    assert sorted((flow.sent.rate, flow.received.rate) for flow in found.rows) == [(0, 2000), (2000, 0)]
