"""Flows of traffic whose ends are known."""

from __future__ import annotations

from collections.abc import Callable

from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.connections import keys_of
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.flows import Flows
from netlat_tui.model.rows import joined
from netlat_tui.model.ticks import COUNTER_NAMES, Origin, PathCause, Rows, Tick
from tests.live.conftest import Capture, Net

COUNT = 60
SECOND = 1_000_000_000
ORIGIN = Origin("", "", "", "", 0, (0,), "", (), {})

Begin = Callable[[str], Capture]


def flows_of(rows: Rows) -> Flows:
    """As of one second."""
    history = History(ORIGIN)
    history.add(Tick(1, SECOND, SECOND, SECOND, dict.fromkeys(COUNTER_NAMES, 0), paths=rows))
    return history.snapshot(None, EVERYTHING, None).flows


def test_questions_and_answers_are_one_flow_of_the_process_that_asks(net: Net, capture: Begin) -> None:
    asker, answerer = net.pair()
    echo = net.start(answerer, "udp-echo", answerer.ip4, COUNT, 64, 0)
    port = echo.expect("ready")
    seen = capture(f"netns {asker.inode} and udp")
    ask = net.start(asker, "udp-ask", answerer.ip4, port, COUNT, 64, 0.001)
    assert ask.finish() == COUNT
    seen.until_ended(2 * COUNT)
    found = flows_of(joined(seen.rows))
    (flow,) = found.rows
    assert (flow.proto, flow.local, flow.remote, flow.rport) == ("udp", asker.ip4, answerer.ip4, port)
    assert flow.netns == asker.inode
    assert (flow.pid, flow.processes) == (ask.process.pid, 1)
    assert flow.comm.startswith("python")
    assert (flow.sent.records, flow.received.records) == (COUNT, COUNT)
    assert (flow.sent.rate, flow.received.rate) == (COUNT, COUNT)
    assert None not in (flow.sent.p99_ns, flow.received.p99_ns, flow.worst)
    assert not flow.estimated


def test_a_sample_stands_for_all(net: Net, capture: Begin, tracer: Tracer) -> None:
    """One in eight, and of what comes up again the other half: both directions are told right from it."""
    count, every = 800, 8
    host = net.host()
    echo = net.start(host, "udp-echo", host.ip4, count, 64, 0)
    port = echo.expect("ready")
    seen = capture(f"netns {host.inode} and udp")
    tracer.set_sampling(slow_ns=(1 << 62, 1 << 62), every=every, per_second=1_000_000)
    ask = net.start(host, "udp-ask", host.ip4, port, count, 64, 0)
    assert ask.finish() == count
    seen.until_ended(4 * count)
    rows = joined(seen.rows)
    causes = set(rows["cause"].tolist())
    assert causes == {PathCause.SAMPLE, PathCause.FOLLOW}
    assert set(rows["every"][rows["cause"] == PathCause.SAMPLE].tolist()) == {every}
    assert len(set(keys_of(rows)["lport"].tolist())) == 2
    found = flows_of(rows).rows
    for way in [way for flow in found for way in (flow.sent, flow.received)]:
        # Five standard deviations of a sample of one in eight.
        assert abs(way.rate - count) < 5 * (count * (every - 1)) ** 0.5
