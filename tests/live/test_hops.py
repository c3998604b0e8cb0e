"""Packets that pass several devices of one namespace: bridges and tunnels."""

from __future__ import annotations

from collections.abc import Callable

from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, Outcome
from tests.live.conftest import Capture, Host, Net, join
from tests.live.test_traffic import check_path

Begin = Callable[[str], Capture]
COUNT = 50


def of(paths: list[Path], direction: Direction, host: Host) -> list[Path]:
    return [path for path in paths if path.direction is direction and path.netns == host.inode]


def bridged(net: Net) -> tuple[Host, Host, Host]:
    """(left, middle, right): the bridge in the middle has an address of its own."""
    left, middle, right = net.host("10.77.0.1"), net.host("10.77.0.3"), net.host("10.77.0.2")
    middle.run("ip", "link", "add", "br0", "type", "bridge")
    for host, port in ((left, "port1"), (right, "port2")):
        join(host, middle, "veth0", port)
        host.run("ip", "address", "add", f"{host.ip4}/24", "dev", "veth0")
        middle.run("ip", "link", "set", port, "master", "br0")
    middle.run("ip", "address", "add", f"{middle.ip4}/24", "dev", "br0")
    middle.run("ip", "link", "set", "br0", "up")
    return left, middle, right


def test_what_a_bridge_hands_up_is_one_path_with_a_hop(net: Net, capture: Begin) -> None:
    left, middle, _ = bridged(net)
    reader = net.start(middle, "udp-read", middle.ip4, COUNT, 64, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and netns {middle.inode} and udp and dst port {port}")
    net.start(left, "udp-send", middle.ip4, port, COUNT, 64, 0.001)
    assert reader.finish() == COUNT
    seen.until_ended(COUNT)
    assert seen.counters["seen"] == seen.counters["complete"] == len(seen.paths) == COUNT
    for path in seen.paths:
        check_path(path)
        assert path.hops == 1
        assert path.pid == reader.process.pid


def test_what_is_bridged_on_is_forwarded_and_sent(net: Net, capture: Begin) -> None:
    left, middle, right = bridged(net)
    reader = net.start(right, "udp-read", right.ip4, COUNT, 64, 0)
    port = reader.expect("ready")
    net.start(left, "ping", right.ip4, 7, 1, 8, 0).finish()  # the bridge learns where it is
    seen = capture(f"netns {middle.inode} and udp and dst port {port}")
    net.start(left, "udp-send", right.ip4, port, COUNT, 64, 0.001)
    assert reader.finish() == COUNT
    seen.until_ended(2 * COUNT)
    received, sent = (of(seen.paths, direction, middle) for direction in (Direction.RX, Direction.TX))
    assert {path.outcome for path in received} == {Outcome.FORWARDED}
    assert {path.outcome for path in sent} == {Outcome.COMPLETE}
    assert {path.peer for path in received} == {path.id for path in sent}
    assert len(received) == len(sent) == COUNT
    assert seen.difference == 0


def test_a_tunnels_packet_is_one_path_with_a_hop_on_each_side(net: Net, capture: Begin) -> None:
    left, right = net.pair()
    for host, other, address in ((left, right, "10.81.0.1"), (right, left, "10.81.0.2")):
        inside = ("type", "vxlan", "id", "5", "dstport", "4789", "local", host.ip4, "remote", other.ip4)
        host.run("ip", "link", "add", "vxlan0", *inside)
        host.run("ip", "address", "add", f"{address}/24", "dev", "vxlan0")
        host.run("ip", "link", "set", "vxlan0", "up")
    reader = net.start(right, "udp-read", "10.81.0.2", COUNT, 64, 0)
    port = reader.expect("ready")
    net.start(left, "ping", "10.81.0.2", 7, 1, 8, 0).finish()
    seen = capture(f"(netns {left.inode} or netns {right.inode}) and udp")
    writer = net.start(left, "udp-send", "10.81.0.2", port, COUNT, 64, 0.001)
    assert reader.finish() == COUNT
    seen.until_ended(2 * COUNT)
    told = f"{seen.counters}"
    # IPv6 says a word or two on the tunnel when it comes up: that is nobody's.
    ours = [path for path in seen.paths if path.pid is not None]
    sent, received = of(ours, Direction.TX, left), of(ours, Direction.RX, right)
    assert len(sent) == len(received) == COUNT, told
    assert {path.outcome for path in ours} == {Outcome.COMPLETE}, told
    assert seen.difference == 0, told
    for path in sent:
        check_path(path)
        assert path.hops == 1
        assert (path.pid, path.dport) == (writer.process.pid, port), "its headers are those of the inner packet"
    for path in received:
        check_path(path)
        assert path.hops == 1
        assert (path.pid, path.dport) == (reader.process.pid, 4789), "its headers are those of the outer packet"
