"""What the stack does with packets over network cards besides handing them to a reader, in each tier of hooks."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, IrqClass, Outcome
from netlat_tui.model.ticks import PathFlag
from tests.guest.checks import check
from tests.guest.conftest import SENT_BY, Card, Wire
from tests.live.conftest import Capture, Host, join

Begin = Callable[[str], Capture]
COUNT = 20
LARGE = 30_000
HEADERS = 52
"""Bytes of IPv4 and TCP with time stamps."""
either_way = pytest.mark.parametrize("receiving", list(SENT_BY))
by_e1000e = pytest.mark.parametrize("receiving", ["e1000e"])


def payload(paths: list[Path]) -> int:
    return sum(path.length - HEADERS for path in paths)


def send_large(wire: Wire, ends: tuple[Card, Card], capture: Begin) -> Capture:
    sender, receiver = ends
    reader = wire.start(receiver, "tcp-read", receiver.ip4, COUNT, LARGE, 0)
    port = reader.expect("ready")
    seen = capture(f"tcp and dst port {port}")
    wire.start(sender, "tcp-send", receiver.ip4, port, COUNT, LARGE, 0.01)
    assert reader.finish() == COUNT
    return seen


@pytest.fixture
def cut_up(ends: tuple[Card, Card], cutter: str) -> Iterator[None]:
    """Segments are cut up by the card, or by the kernel because the card is told not to, or cannot."""
    sender, _ = ends
    able = sender.driver == "e1000e"
    if able:
        sender.run("ethtool", "-K", sender.device, "tso", "on" if cutter == "card" else "off", "gso", "on")
    yield
    if able:
        sender.run("ethtool", "-K", sender.device, "tso", "on")


@pytest.mark.parametrize(
    ("receiving", "cutter"), [("virtio_net", "card"), ("virtio_net", "kernel"), ("e1000e", "kernel")]
)
def test_segments_are_cut_up_and_merged(
    wire: Wire, ends: tuple[Card, Card], cut_up: None, cutter: str, capture: Begin, shown: set[str], hooked: set[str]
) -> None:
    seen = send_large(wire, ends, capture)
    returns = {"rx.return", "rx.socket"} <= hooked
    seen.until(lambda c: c.counters["complete"] > 0 and (c.in_flight == 0 or not returns), "packets seen and ended")
    received, sent = check(seen, shown)
    kinds = Counter((path.direction.label, path.outcome.label) for path in received + sent)
    told = f"{kinds}; {seen.counters}; {seen.stages}"
    # With PREEMPT_RT another task may send between an skb that is cut up and its first segment.
    missed = seen.counters["expired"] if "PREEMPT_RT" in platform.version() else 0
    assert payload([path for path in sent if path.length > 60]) >= COUNT * LARGE - missed * 65536, told
    large = [path for path in sent if path.segs > 1]
    assert large, told
    cut = sum(path.segs - 1 for path in large)
    assert seen.counters["segments"] >= cut if missed else seen.counters["segments"] == cut, told
    assert {PathFlag.SEGMENTED in path.flags for path in large} == {cutter == "kernel"}, told
    assert {path.outcome for path in large} == {Outcome.COMPLETE}, told
    if returns:
        carried = [path for path in received if path.outcome in (Outcome.COMPLETE, Outcome.MERGED)]
        # By TCP, for want of room: these have no paths.
        collapsed = seen.counters["merged"] - sum(path.merged for path in received)
        read = payload([path for path in carried if path.length > 60])
        if not kinds["rx", "dropped"]:  # what is dropped is sent again, in other pieces
            assert read < COUNT * LARGE if collapsed else read == COUNT * LARGE, (read, collapsed, told)
        # The virtual card hands over as one what the other card was given as one.
        assert cutter == "card" or any(path.merged and path.segs > 1 for path in received), told


@pytest.fixture
def beyond(wire: Wire) -> Iterator[Host]:
    """A namespace behind the virtio_net card's, which routes between the two."""
    router, sender = wire.cards["virtio_net"], wire.cards["e1000e"]
    host = wire.host("10.80.0.2")
    join(router, host, "veth1", "veth0")
    router.run("ip", "address", "add", "10.80.0.1/24", "dev", "veth1")
    host.run("ip", "address", "add", "10.80.0.2/24", "dev", "veth0")
    host.run("ip", "route", "add", "default", "via", "10.80.0.1")
    sender.run("ip", "route", "add", "10.80.0.0/24", "via", router.ip4)
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    wire.start(sender, "ping", host.ip4, 2, 1, 8, 0).finish()
    yield host
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    sender.run("ip", "route", "delete", "10.80.0.0/24")
    router.run("ip", "link", "delete", "veth1")


def test_a_routed_packet_is_two_halves_that_name_each_other(
    wire: Wire, beyond: Host, capture: Begin, shown: set[str]
) -> None:
    router, sender = wire.cards["virtio_net"], wire.cards["e1000e"]
    reader = wire.start(beyond, "udp-read", beyond.ip4, COUNT, 32, 0)
    port = reader.expect("ready")
    seen = capture(f"netns {router.inode} and udp and dst port {port}")
    wire.start(sender, "udp-send", beyond.ip4, port, COUNT, 32, 0.005)
    assert reader.finish() == COUNT
    seen.until_ended(2 * COUNT)
    received, sent = check(seen, shown)
    assert seen.counters["forwarded"] == seen.counters["complete"] == COUNT, seen.counters
    on = {path.id: path for path in sent}
    assert len(received) == len(on) == COUNT
    for path in received:
        assert path.outcome is Outcome.FORWARDED
        assert on[path.peer or ""].peer == path.id


def reason_is(tracer: Tracer, paths: list[Path], reason: str) -> bool:
    """Kernels before 5.17 give none, and later ones not for everything."""
    return not tracer.reasons or reason not in tracer.reasons.values() or {path.reason for path in paths} == {reason}


@either_way
def test_a_datagram_without_a_socket_is_dropped(
    wire: Wire, ends: tuple[Card, Card], tracer: Tracer, capture: Begin, shown: set[str]
) -> None:
    sender, receiver = ends
    seen = capture("rx and udp and dst port 9")
    wire.start(sender, "udp-send", receiver.ip4, 9, 1, 32, 0).finish()
    seen.until_ended(1)
    received, _ = check(seen, shown)
    assert [path.outcome for path in received] == [Outcome.DROPPED]
    assert reason_is(tracer, received, "NO_SOCKET")


@by_e1000e
def test_what_a_sockets_buffer_has_no_room_for_is_dropped(
    wire: Wire, ends: tuple[Card, Card], tracer: Tracer, capture: Begin, shown: set[str]
) -> None:
    sender, receiver = ends
    reader = wire.start(receiver, "udp-hold", receiver.ip4, COUNT, 1000, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and udp and dst port {port}")
    wire.start(sender, "udp-send", receiver.ip4, port, COUNT, 1000, 0.002).finish()
    seen.until(lambda c: c.counters["seen"] >= COUNT, "datagrams seen")
    reader.end()
    received, _ = check(seen, shown)
    dropped = [path for path in received if path.outcome is Outcome.DROPPED]
    assert seen.counters["dropped"] == len(dropped), seen.counters
    assert 0 < len(dropped) < COUNT, seen.counters
    assert reason_is(tracer, dropped, "SOCKET_RCVBUFF")


@pytest.fixture
def narrow(ends: tuple[Card, Card]) -> Iterator[None]:
    """A queueing discipline with room for a few packets only."""
    sender, _ = ends
    inside = ("dev", sender.device, "root")
    sender.run("tc", "qdisc", "replace", *inside, "tbf", "rate", "100kbit", "burst", "1600", "limit", "3200")
    yield
    sender.run("tc", "qdisc", "delete", *inside)


@by_e1000e
def test_what_a_queueing_discipline_has_no_room_for_is_dropped(
    wire: Wire, ends: tuple[Card, Card], narrow: None, tracer: Tracer, capture: Begin, shown: set[str]
) -> None:
    sender, receiver = ends
    port = wire.start(receiver, "udp-hold", receiver.ip4, COUNT, 1000, 0).expect("ready")
    seen = capture(f"tx and udp and dst port {port}")
    wire.start(sender, "udp-send", receiver.ip4, port, COUNT, 1000, 0).finish()
    seen.until_ended(COUNT)
    _, sent = check(seen, shown)
    dropped = [path for path in sent if path.outcome is Outcome.DROPPED]
    assert len(dropped) == seen.counters["dropped"] > 0, seen.counters
    assert reason_is(tracer, dropped, "QDISC_DROP")
    assert {path.points[-1].point.key for path in dropped} == {"drop"}


@either_way
def test_the_ports_of_a_large_datagram_are_read(
    wire: Wire, ends: tuple[Card, Card], capture: Begin, shown: set[str], hooked: set[str]
) -> None:
    """virtio_net leaves the headers of what is larger than 128 bytes in a page."""
    sender, receiver = ends
    reader = wire.start(receiver, "udp-read", receiver.ip4, COUNT, 1200, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and udp and dst port {port}")
    wire.start(sender, "udp-send", receiver.ip4, port, COUNT, 1200, 0.005)
    assert reader.finish() == COUNT
    returns = {"rx.return", "rx.socket"} <= hooked
    seen.until(lambda c: c.counters["seen"] >= COUNT and (c.in_flight == 0 or not returns), "datagrams ended")
    received, _ = check(seen, shown)
    assert seen.counters["seen"] == COUNT
    if returns:
        assert [(path.length, path.outcome) for path in received] == [(1228, Outcome.COMPLETE)] * COUNT


@pytest.mark.parametrize(("receiving", "version"), [("virtio_net", 4), ("e1000e", 6)])
def test_a_datagram_put_together_of_fragments(
    wire: Wire, ends: tuple[Card, Card], capture: Begin, shown: set[str], hooked: set[str], version: int
) -> None:
    sender, receiver = ends
    size, parts = 8000, 6
    reader = wire.start(receiver, "udp-read", receiver.address(version), COUNT, size, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and netns {receiver.inode} and udp")
    wire.start(sender, "udp-send", receiver.address(version), port, COUNT, size, 0.01)
    assert reader.finish() == COUNT
    if not {"rx.return", "rx.socket"} <= hooked:
        seen.until(lambda c: c.counters["seen"] >= COUNT * parts, "fragments seen")
        return
    seen.until_ended(COUNT * parts)
    received, _ = check(seen, shown)
    assert seen.counters["seen"] == COUNT * parts, seen.counters
    assert (seen.counters["complete"], seen.counters["merged"]) == (COUNT, COUNT * (parts - 1)), seen.counters
    read = [path for path in received if path.outcome is Outcome.COMPLETE]
    assert [path.pid for path in read] == [reader.process.pid] * COUNT
    assert all(path.direction is Direction.RX and path.dport == port for path in read)
    assert {path.length for path in read} == {size + 8 + (20 if version == 4 else 40)}


@pytest.fixture
def vlan(ends: tuple[Card, Card]) -> Iterator[tuple[str, str]]:
    """Addresses of the two cards on a VLAN over them."""
    addresses = ("10.82.0.1", "10.82.0.2")
    for card, address in zip(ends, addresses, strict=True):
        card.run("ip", "link", "add", "link", card.device, "name", "vlan5", "type", "vlan", "id", "5")
        card.run("ip", "address", "add", f"{address}/24", "dev", "vlan5")
        card.run("ip", "link", "set", "vlan5", "up")
    yield addresses
    for card in ends:
        card.run("ip", "link", "delete", "vlan5")


@either_way
def test_a_vlan_is_read_through(
    wire: Wire, ends: tuple[Card, Card], vlan: tuple[str, str], capture: Begin, shown: set[str], hooked: set[str]
) -> None:
    sender, receiver = ends
    reader = wire.start(receiver, "udp-read", vlan[1], COUNT, 64, 0)
    port = reader.expect("ready")
    wire.start(sender, "ping", vlan[1], 3, 1, 8, 0).finish()
    seen = capture(f"udp and dst port {port}")
    writer = wire.start(sender, "udp-send", vlan[1], port, COUNT, 64, 0.005)
    assert reader.finish() == COUNT
    returns = {"rx.return", "rx.socket"} <= hooked
    seen.until(lambda c: c.counters["seen"] >= 2 * COUNT and (c.in_flight == 0 or not returns), "packets ended")
    received, sent = check(seen, shown)
    assert seen.counters["seen"] == 2 * COUNT, seen.counters
    assert [(path.pid, path.outcome) for path in sent] == [(writer.process.pid, Outcome.COMPLETE)] * COUNT
    if returns:
        assert [(path.pid, path.outcome) for path in received] == [(reader.process.pid, Outcome.COMPLETE)] * COUNT


@by_e1000e
def test_what_a_reader_fetched_itself_came_by_no_softirq(
    wire: Wire, ends: tuple[Card, Card], capture: Begin, shown: set[str], hooked: set[str]
) -> None:
    sender, receiver = ends
    reader = wire.start(receiver, "udp-poll", receiver.ip4, COUNT, 64, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and udp and dst port {port}")
    wire.start(sender, "udp-send", receiver.ip4, port, COUNT, 64, 0.01)
    assert reader.finish() == COUNT
    if not {"rx.return", "rx.socket"} <= hooked:
        return
    seen.until_ended(COUNT)
    received, _ = check(seen, shown)
    fetched = [path for path in received if path.irq_class is IrqClass.BUSY_POLL]
    assert fetched, Counter(path.irq_class for path in received)
    for path in fetched:
        assert not {"irq", "raise", "softirq"} & {passage.point.key for passage in path.points}
