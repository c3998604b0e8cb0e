"""Packets on their way down, and how they meet their other half."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path as File

import pytest

from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, Outcome
from netlat_tui.model.ticks import PathFlag
from tests.live.conftest import Actor, Capture, Net
from tests.live.test_traffic import check_path, sides

Begin = Callable[[str], Capture]
COUNT = 200
TBF = ("tc", "qdisc", "replace", "dev")


def points(path: Path) -> dict[str, int]:
    """When a path passed each point, by key."""
    return {passage.point.key: passage.t_ns for passage in path.points}


def halves(paths: list[Path]) -> tuple[dict[str, Path], dict[str, Path]]:
    """(sent, received) by id."""
    sent, received = (
        {path.id: path for path in paths if path.direction is way} for way in (Direction.TX, Direction.RX)
    )
    return sent, received


def sockets_of(actor: Actor) -> set[int]:
    """Inode numbers of a process's sockets, as /proc says."""
    links = [str(entry.readlink()) for entry in File(f"/proc/{actor.process.pid}/fd").iterdir()]
    return {int(link[8:-1]) for link in links if link.startswith("socket:[")}


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("device", ["lo", "veth"])
def test_a_datagram_goes_down_and_comes_up_again(net: Net, capture: Begin, device: str, version: int) -> None:
    sender, receiver = sides(net, device)
    reader = net.start(receiver, "udp-read", receiver.address(version), COUNT, 64, 0)
    port = reader.expect("ready")
    # One that waits for its neighbour's address is sent by a softirq: its call is not known here.
    net.start(sender, "ping", receiver.address(version), 77, 1, 56, 0).finish()
    seen = capture(f"(netns {sender.inode} or netns {receiver.inode}) and udp and dst port {port}")
    sending = net.start(sender, "udp-send", receiver.address(version), port, COUNT, 64, 0)
    reader.finish()
    seen.until_ended(2 * COUNT)
    assert seen.counters["seen"] == seen.counters["complete"] == 2 * COUNT
    assert seen.counters["sent"] == COUNT
    assert seen.difference == 0
    sent, received = halves(seen.paths)
    assert len(sent) == len(received) == COUNT
    for path in sent.values():
        check_path(path)
        assert path.outcome is Outcome.COMPLETE
        assert path.pid == sending.process.pid
        assert path.comm.startswith("python")
        assert [p.point.key for p in path.points] == ["send", "device", "xmit"]
        assert PathFlag.BYPASS in path.flags  # lo and veth have no queueing discipline
        other = received[path.peer]
        assert other.peer == path.id
        assert (other.sport, other.dport, other.length) == (path.sport, path.dport, path.length)
        # It is received when the driver has it, not before.
        assert other.t0_ns >= path.t0_ns + path.total_ns


@pytest.mark.parametrize("version", [4, 6])
def test_messages_of_tcp_name_the_call_that_wrote_them(net: Net, capture: Begin, version: int) -> None:
    sender, receiver = net.pair()
    reader = net.start(receiver, "tcp-read", receiver.address(version), COUNT, 100, 0)
    port = reader.expect("ready")
    seen = capture(f"tx and netns {sender.inode} and tcp and dst port {port}")
    sending = net.start(sender, "tcp-send", receiver.address(version), port, COUNT, 100, 0.001)
    assert reader.finish() == COUNT
    seen.until(lambda c: c.counters["seen"] >= COUNT and c.difference == 0 and c.in_flight == 0, "books that balance")
    for path in seen.paths:
        check_path(path)
    head = 52 if version == 4 else 72
    data = [path for path in seen.paths if path.length > head + 50]
    first = {path.seq: path for path in data if PathFlag.RETRANSMIT not in path.flags}
    assert len(first) == COUNT
    assert all("send" in points(path) for path in data)
    assert {path.pid for path in data} == {sending.process.pid}
    assert len({path.socket for path in data}) == 1
    # What carries nothing was written by no call.
    assert not any("send" in points(path) for path in seen.paths if path.length <= head)


def test_a_path_names_the_socket_as_proc_does(net: Net, capture: Begin) -> None:
    host = net.host()
    echo = net.start(host, "udp-echo", host.ip4, 20, 32, 0)
    port = echo.expect("ready")
    own = sockets_of(echo)
    seen = capture(f"netns {host.inode} and udp and port {port}")
    net.start(host, "udp-ask", host.ip4, port, 20, 32, 0).finish()
    seen.until_ended(80)
    echoes = [path for path in seen.paths if path.pid == echo.process.pid]
    assert {path.socket for path in echoes} <= own
    assert Counter(path.direction for path in echoes) == {Direction.RX: 20, Direction.TX: 20}


def test_what_the_queueing_discipline_has_no_room_for_is_dropped_there(net: Net, capture: Begin) -> None:
    sender, receiver = net.pair()
    sender.run(*TBF, "veth0", "root", "tbf", "rate", "80kbit", "burst", "1600", "limit", "3000")
    reader = net.start(receiver, "udp-read", receiver.ip4, COUNT, 500, 0)
    port = reader.expect("ready")
    seen = capture(f"tx and netns {sender.inode} and udp and dst port {port}")
    net.start(sender, "udp-send", receiver.ip4, port, 50, 500, 0).finish()
    seen.until(lambda c: c.counters["seen"] == 50 and c.in_flight == 0, "50 packets sent or dropped")
    outcomes = Counter(path.outcome for path in seen.paths)
    assert outcomes[Outcome.DROPPED] == seen.counters["dropped"] > 30
    assert outcomes[Outcome.COMPLETE] == 50 - outcomes[Outcome.DROPPED]
    for path in seen.paths:
        check_path(path)
        if path.outcome is Outcome.DROPPED:
            assert path.reason == "QDISC_DROP"
            assert path.points[-2].point.key == "device"


def test_a_segment_that_was_lost_is_marked_when_it_is_sent_again(net: Net, capture: Begin) -> None:
    sender, router, receiver, address = net.routed()
    # Lost on the way: what the sender's own queue drops has not been sent, and TCP knows.
    router.run(*TBF, "veth2", "root", "tbf", "rate", "400kbit", "burst", "1600", "limit", "1700")
    reader = net.start(receiver, "tcp-read", address, COUNT, 100, 0)
    port = reader.expect("ready")
    seen = capture(f"tx and netns {sender.inode} and tcp and dst port {port}")
    net.start(sender, "tcp-send", address, port, COUNT, 100, 0.001)
    assert reader.finish() == COUNT
    # Segments that wait are put together: how many there are is not known.
    seen.until(lambda c: c.counters["seen"] > 0 and c.in_flight == 0, "all of it sent")
    data = sorted((path for path in seen.paths if path.length > 52 + 12), key=lambda path: path.t0_ns + path.total_ns)
    assert any(PathFlag.RETRANSMIT in path.flags for path in data)
    before: set[int | None] = set()
    for path in data:
        if path.seq in before:
            assert PathFlag.RETRANSMIT in path.flags
        before.add(path.seq)
    # Marked is only what begins within what was sent before.
    highest = 0
    for path in data:
        assert path.seq is not None
        if PathFlag.RETRANSMIT not in path.flags:
            assert path.seq >= highest
            highest = path.seq


def test_a_large_segment_is_cut_up_by_the_kernel_where_the_device_cannot(net: Net, capture: Begin) -> None:
    sender, receiver = net.pair()
    sender.run("ethtool", "-K", "veth0", "tso", "off", "gso", "on")
    reader = net.start(receiver, "tcp-read", receiver.ip4, 40, 30_000, 0)
    port = reader.expect("ready")
    seen = capture(f"tx and netns {sender.inode} and tcp and dst port {port}")
    net.start(sender, "tcp-send", receiver.ip4, port, 40, 30_000, 0.002)
    assert reader.finish() == 40
    seen.until(lambda c: c.counters["seen"] >= 40 and c.in_flight == 0, "all of it sent")
    large = [path for path in seen.paths if path.segs > 1]
    assert large
    assert seen.counters["segments"] == sum(path.segs - 1 for path in seen.paths if path.segs)
    for path in large:
        check_path(path)
        assert PathFlag.SEGMENTED in path.flags
        assert path.outcome is Outcome.COMPLETE
        assert path.points[-1].point.key == "xmit"
    assert seen.difference == 0


def test_a_routed_packet_is_two_halves_that_name_each_other(net: Net, capture: Begin) -> None:
    sender, router, receiver, address = net.routed()
    reader = net.start(receiver, "udp-read", address, COUNT, 32, 0)
    port = reader.expect("ready")
    seen = capture(f"netns {router.inode} and udp and dst port {port}")
    net.start(sender, "udp-send", address, port, COUNT, 32, 0)
    reader.finish()
    seen.until_ended(2 * COUNT)
    assert seen.counters["forwarded"] == seen.counters["complete"] == COUNT
    sent, received = halves(seen.paths)
    for path in received.values():
        assert path.outcome is Outcome.FORWARDED
        on = sent[path.peer]
        assert on.peer == path.id
        assert on.pid is None
        assert on.t0_ns >= path.t0_ns + path.total_ns
    assert len(sent) == len(received) == COUNT
