"""Packets of known number and kind over two network cards, in each tier of hooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, Outcome
from tests.guest.checks import check, check_interrupts, check_sent, points
from tests.guest.conftest import SENT_BY, Card, Wire
from tests.live.conftest import Capture

Begin = Callable[[str], Capture]
COUNT = 40
FINE = ("tell the same", "tells the same", "functions are not hooked in this tier", "fexit is not to be had here")
TCP_SEND = {"inet_sendmsg", "tcp_sendmsg_locked"}
GONE = ("cannot be found", "No such file or directory")
either_way = pytest.mark.parametrize("receiving", list(SENT_BY))
both_versions = pytest.mark.parametrize("version", [4, 6])


def test_no_program_is_refused(tracer: Tracer) -> None:
    """Why a hook is missing: the kernel has no such event, another tells the same; never that the verifier says no."""
    refused = {event: reason for event, reason in tracer.failures.items() if not reason.endswith(FINE)}
    refused = {
        event: reason for event, reason in refused.items() if not reason.startswith(("this kernel", "it needs "))
    }
    if refused.get("__napi_poll", "").endswith(GONE):  # a function that the compiler has changed: napi_poll stands in
        del refused["__napi_poll"]
    assert not refused


@both_versions
@either_way
def test_udp(
    wire: Wire, ends: tuple[Card, Card], capture: Begin, shown: set[str], hooked: set[str], version: int
) -> None:
    sender, receiver = ends
    reader = wire.start(receiver, "udp-read", receiver.address(version), COUNT, 64, 0)
    port = reader.expect("ready")
    seen = capture(f"udp and dst port {port}")
    writer = wire.start(sender, "udp-send", receiver.address(version), port, COUNT, 64, 0.005)
    assert reader.finish() == COUNT
    returns = "rx.return" in hooked
    seen.until(
        lambda c: c.counters["seen"] >= 2 * COUNT and (c.in_flight == 0 or not returns), "packets seen and ended"
    )
    received, sent = check(seen, shown)
    assert (seen.counters["seen"], seen.counters["sent"]) == (2 * COUNT, COUNT)
    if returns:
        assert seen.counters["complete"] == 2 * COUNT
        assert len(received) == COUNT
        for path in received:
            assert path.outcome is Outcome.COMPLETE
            assert (path.dst, path.dport, path.pid) == (receiver.address(version), port, reader.process.pid)
            assert path.length == 64 + 8 + (20 if version == 4 else 40)
        wanted = {"rx.irq", "rx.poll", "rx.driver", "rx.gro", "rx.link", "rx.ip", "rx.local", "rx.socket", "rx.return"}
        lacking = Counter(point for path in received for point in wanted & hooked - {"rx.irq"} - points(path))
        assert not lacking
        check_interrupts(received, receiver)
    assert len(sent) == COUNT
    check_sent(sent, hooked, writer.process.pid)


@both_versions
@either_way
def test_tcp(
    wire: Wire,
    ends: tuple[Card, Card],
    tracer: Tracer,
    capture: Begin,
    shown: set[str],
    hooked: set[str],
    version: int,
) -> None:
    sender, receiver = ends
    reader = wire.start(receiver, "tcp-read", receiver.address(version), COUNT, 100, 0)
    port = reader.expect("ready")
    seen = capture(f"tcp and dst port {port}")
    writer = wire.start(sender, "tcp-send", receiver.address(version), port, COUNT, 100, 0.005)
    assert reader.finish() == COUNT
    returns = {"rx.return", "rx.socket"} <= hooked
    seen.until(
        lambda c: c.counters["seen"] >= 2 * COUNT and (c.in_flight == 0 or not returns), "packets seen and ended"
    )
    received, sent = check(seen, shown)
    kinds = Counter((path.direction.label, path.outcome.label, path.length, path.merged) for path in received + sent)
    told = f"{dict(kinds)}; {seen.counters}"
    received, sent = ([path for path in paths if path.length > 120] for paths in (received, sent))
    if returns:
        # Two messages may share a segment, so bytes are counted.
        carried = [path for path in received if path.outcome in (Outcome.COMPLETE, Outcome.MERGED)]
        assert sum(path.length - (52 if version == 4 else 72) for path in carried) == COUNT * 100, told
        assert all(path.pid == reader.process.pid for path in carried if path.outcome is Outcome.COMPLETE)
        check_interrupts(received, receiver)
    assert sent, told
    written = any(hook.point == "send" and TCP_SEND & set(hook.hook.split(", ")) for hook in tracer.hooks)
    check_sent(sent, hooked if written else hooked - {"tx.send"}, writer.process.pid if written else None)


@both_versions
@either_way
def test_icmp(
    wire: Wire, ends: tuple[Card, Card], capture: Begin, shown: set[str], hooked: set[str], version: int
) -> None:
    sender, receiver = ends
    seen = capture(f"icmp and (netns {sender.inode} or netns {receiver.inode})")
    pinger = wire.start(sender, "ping", receiver.address(version), 77, COUNT, 56, 0)
    assert pinger.finish() == COUNT
    returns = {"rx.return", "rx.socket"} <= hooked
    length = 56 + 8 + (20 if version == 4 else 40)

    def echoes(direction: Direction) -> list[Path]:
        """Not the neighbours' messages."""
        return [path for path in seen.paths if path.direction is direction and path.length == length]

    seen.until(lambda c: len(echoes(Direction.TX)) >= 2 * COUNT, "echoes sent")
    seen.until(lambda c: not returns or c.in_flight == 0, "packets ended")
    check(seen, shown)
    received, sent = echoes(Direction.RX), echoes(Direction.TX)
    kinds = Counter((path.netns == sender.inode, path.outcome.label) for path in received + sent)
    told = f"{dict(kinds)}; {seen.counters}"
    assert len(sent) == 2 * COUNT, told
    requests = [path for path in received if path.netns == receiver.inode]
    replies = [path for path in received if path.netns == sender.inode and path.outcome is Outcome.COMPLETE]
    if returns:
        assert len(replies) == COUNT, told
        assert all(path.pid == pinger.process.pid for path in replies)
        check_interrupts(replies, sender)
    check_interrupts(requests, receiver)
    check_sent([path for path in sent if path.netns == sender.inode], hooked - {"tx.tx_transport"}, pinger.process.pid)


@pytest.fixture
def queue(ends: tuple[Card, Card]) -> Iterator[None]:
    """A queueing discipline that is never bypassed."""
    sender, _ = ends
    inside = ("dev", sender.device, "root")
    sender.run("tc", "qdisc", "replace", *inside, "tbf", "rate", "1gbit", "burst", "64kb", "latency", "1s")
    yield
    sender.run("tc", "qdisc", "delete", *inside)


@either_way
def test_a_queueing_discipline(
    wire: Wire, ends: tuple[Card, Card], queue: None, capture: Begin, shown: set[str], hooked: set[str]
) -> None:
    sender, receiver = ends
    reader = wire.start(receiver, "udp-read", receiver.ip4, COUNT, 64, 0)
    port = reader.expect("ready")
    seen = capture(f"tx and udp and dst port {port}")
    wire.start(sender, "udp-send", receiver.ip4, port, COUNT, 64, 0.005)
    assert reader.finish() == COUNT
    seen.until_ended(COUNT)
    _, sent = check(seen, shown)
    assert len(sent) == COUNT
    assert all({"tx.qdisc_in", "tx.qdisc_out"} & hooked <= points(path) for path in sent)


def test_every_point_with_a_hook_was_shown(shown: set[str], hooked: set[str]) -> None:
    """Last of a tier."""
    if not shown:
        pytest.skip("no packets were sent")
    assert hooked - shown == set()
