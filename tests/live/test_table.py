"""Packets under way at the same time on several CPUs, in a table much too small for them."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from netlat_tui.bpf.program import Sizes
from netlat_tui.bpf.tracer import Tracer, possible_cpus
from netlat_tui.model.filter import parse
from tests.live.conftest import Capture, Net

COUNT = 20_000
TWINS = 400
CLOSED = 5


def test_a_packet_of_the_first_moment_is_filtered_too(net: Net, tracer: Tracer) -> None:
    sender, receiver = net.pair()
    many = 500 * COUNT  # more than are sent while the tracers come and go
    reader = net.start(receiver, "udp-read", receiver.ip4, many, 64, 0)
    port = reader.expect("ready")
    sending = net.start(sender, "udp-send", receiver.ip4, port, many, 64, 0)
    for _ in range(5):
        late = Tracer(program=parse("udp and dst port 1").program)
        try:
            counted = Capture(late)
            counted.until(lambda c: c.counters["filtered"] > 0, "packets that are turned away")
            assert counted.counters["seen"] == 0
        finally:
            late.close()
    assert sending.process.poll() is None
    sending.end()


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is nothing at the same time on one CPU")
def test_packets_that_meet_in_the_table_are_not_mistaken_for_each_other(net: Net, tracer: Tracer) -> None:
    actors = []
    ports = []
    for cpu in (0, 1):
        sender, receiver = net.pair()
        reader = net.start(receiver, "udp-read", receiver.ip4, COUNT, 64, 0, cpu=cpu)
        ports.append(reader.expect("ready"))
        actors.append((sender, receiver, reader, cpu))
    wanted = parse(f"netns {actors[0][1].inode} and udp and dst port {ports[0]}")
    small = Tracer(Sizes(cpus=possible_cpus(), flights=4), wanted.program)
    try:
        small.set_sampling(slow_ns=(0, 0), every=1, per_second=1_000_000)
        counted = Capture(small)
        for (sender, receiver, _, cpu), port in zip(actors, ports, strict=True):
            net.start(sender, "udp-send", receiver.ip4, port, COUNT, 64, 0, cpu=cpu)
        for _, _, reader, _ in actors:
            assert reader.finish() == COUNT
        counted.look()
        books = counted.counters
        # A packet for which there was no place is counted as unmatched; it may have been anybody's.
        assert COUNT - books["unmatched"] <= books["seen"] <= COUNT
        assert counted.difference == 0
        assert {path.dport for path in counted.paths} == {ports[0]}
        assert books["filtered"] + books["unmatched"] >= COUNT
    finally:
        small.close()


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is nothing at the same time on one CPU")
def test_two_datagrams_at_once_are_a_new_socket_s_first(net: Net, tracer: Tracer) -> None:
    """Which one a read was of is known by counting where the functions that queue them are not hooked: the count must
    begin with both. Two CPUs at once may still be in each other's way, once in so many times: what is lost sight of
    then stays in a table of its own.
    """
    host = net.host()
    own = Tracer(program=parse(f"rx and netns {host.inode} and udp").program)
    try:
        seen = Capture(own)
        net.start(host, "udp-twins", host.ip4, TWINS, 64, 0).finish()
        seen.until(lambda c: c.counters["seen"] >= 2 * TWINS, "both of each")
        assert seen.counters["complete"] >= 0.85 * 2 * TWINS, seen.counters
    finally:
        own.close()


def test_a_socket_is_not_the_one_that_was_closed_there(net: Net, capture: Callable[[str], Capture]) -> None:
    """The kernel gives a new socket the memory of a closed one, whose datagrams nobody has read."""
    host = net.host()
    for _ in range(CLOSED):
        closed = net.start(host, "udp-hold", host.ip4, 0, 0, 0)
        net.start(host, "udp-send", host.ip4, closed.expect("ready"), 5, 64, 0).finish()
        closed.end()
        seen = capture(f"rx and netns {host.inode} and udp")
        reader = net.start(host, "udp-read", host.ip4, CLOSED, 64, 0)
        net.start(host, "udp-send", host.ip4, reader.expect("ready"), CLOSED, 64, 0).finish()
        reader.finish()
        seen.until(lambda c: c.counters["seen"] == c.counters["complete"] == CLOSED, "each was read")
        assert seen.counters["unmatched"] == 0
