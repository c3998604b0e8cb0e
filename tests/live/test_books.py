"""The accounting's equation, to the packet, where something is scarce, slow or in a hurry.

Seen = complete + merged + dropped + forwarded + consumed + evicted + expired + in flight.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from netlat_tui.bpf.program import Sizes
from netlat_tui.bpf.tracer import Tracer, possible_cpus
from netlat_tui.model.filter import parse
from tests.live.conftest import ENDS, FOREVER, Capture, Host, Net

COUNT = 20_000


def counting(text: str, **sizes: int) -> Tracer:
    """A tracer of its own that sends every path."""
    tracer = Tracer(Sizes(cpus=possible_cpus(), **sizes), parse(text).program)
    tracer.set_sampling(slow_ns=(0, 0), every=1, per_second=(1 << 32) - 1)
    return tracer


def ended(books: dict[str, int]) -> int:
    """Packets whose end was seen: each had a record to send."""
    return sum(books[name] for name in ENDS if name not in ("evicted", "expired"))


def records(books: dict[str, int]) -> int:
    return books["paths_sent"] + books["ring_lost"] + books["paths_held_back"]


def snmp(host: Host, name: str) -> int:
    """What the namespace's own UDP has counted."""
    names, values = (line.split() for line in host.read("/proc/net/snmp").splitlines() if line.startswith("Udp:"))
    return int(values[names.index(name)])


def detached(counted: Capture) -> None:
    """Hooks are out, and no program is at its end on another CPU: what is counted now is final."""
    counted.tracer.detach()
    counted.look()
    assert counted.difference == 0


@contextmanager
def flooded(net: Net) -> Iterator[tuple[Host, int]]:
    """(receiver, port) of a flood of datagrams that goes on."""
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-drain", receiver.ip4, 1, 64, 0)
    port = reader.expect("ready")
    sending = net.start(sender, "udp-flood", receiver.ip4, port, FOREVER, 64, 0)
    yield receiver, port
    assert sending.process.poll() is None, "the flood was over too soon"
    sending.end()


def test_a_ring_much_too_small(net: Net, tracer: Tracer) -> None:
    """Records are lost, and counted; packets are not."""
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-read", receiver.ip4, COUNT, 64, 0)
    port = reader.expect("ready")
    with closing(counting(f"rx and udp and dst port {port}", ring_pages=1)) as small:
        counted = Capture(small)
        net.start(sender, "udp-send", receiver.ip4, port, COUNT, 64, 0)
        assert reader.finish() == COUNT
        counted.until_ended(COUNT)
    books = counted.counters
    assert books["seen"] == books["complete"] == COUNT
    assert counted.difference == 0
    assert books["ring_lost"] > COUNT / 2
    assert books["paths_sent"] + books["ring_lost"] == COUNT
    assert len(counted.paths) == books["paths_sent"]


def test_a_table_much_too_small(net: Net, tracer: Tracer) -> None:
    """A socket's queue holds more packets than there are places: those given up are counted as that."""
    sender, receiver = net.pair()
    queued, places = 250, 64
    reader = net.start(receiver, "udp-drain", receiver.ip4, 1, 64, 0)
    port = reader.expect("ready")
    os.kill(reader.process.pid, signal.SIGSTOP)
    with closing(counting(f"rx and udp and dst port {port}", flights=places)) as small:
        counted = Capture(small)
        net.start(sender, "udp-send", receiver.ip4, port, queued, 64, 0.0001).finish()
        counted.until(lambda c: c.counters["seen"] >= queued, "all datagrams")
    os.kill(reader.process.pid, signal.SIGCONT)
    books = counted.counters
    assert books["seen"] == queued
    assert books["dropped"] == 0
    assert 0 < counted.in_flight <= places
    assert books["evicted"] == queued - counted.in_flight
    assert counted.difference == 0


def test_a_reader_that_was_stopped(net: Net, tracer: Tracer) -> None:
    """Its queue fills up: what does not fit is dropped, as the kernel itself counts, and the rest stays in flight."""
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-drain", receiver.ip4, 1, 64, 0)
    port = reader.expect("ready")
    before = snmp(receiver, "RcvbufErrors")
    with closing(counting(f"rx and udp and dst port {port}")) as own:
        counted = Capture(own)
        os.kill(reader.process.pid, signal.SIGSTOP)
        net.start(sender, "udp-send", receiver.ip4, port, COUNT, 64, 0).finish()
        counted.until(lambda c: c.counters["seen"] >= COUNT, "all datagrams")
        books = dict(counted.counters)
        assert books["seen"] == COUNT
        assert counted.difference == 0
        assert books["dropped"] == snmp(receiver, "RcvbufErrors") - before > 0
        assert counted.in_flight == COUNT - books["dropped"] > 0
        os.kill(reader.process.pid, signal.SIGCONT)
        counted.until(lambda c: c.in_flight == 0, "the reader took what was queued")
    assert counted.counters["complete"] == COUNT - books["dropped"]
    assert counted.counters["unmatched"] == 0
    assert counted.difference == 0


def test_a_filter_that_changes_every_50_ms(net: Net, tracer: Tracer) -> None:
    with flooded(net) as (receiver, port):
        filters = [f"udp and dst port {port}", "udp and dst port 1", f"rx and netns {receiver.inode}", "tx", "udp"]
        with closing(counting(filters[0])) as own:
            counted = Capture(own)
            for turn in range(60):
                own.set_program(parse(filters[turn % len(filters)]).program)
                time.sleep(0.05)  # the length of a turn, not a wait for something
                counted.look()
            detached(counted)
    books = counted.counters
    assert books["seen"] > 0 and books["filtered"] > 0
    assert records(books) == ended(books)


@pytest.mark.parametrize("pages", [1, 1024])
def test_hooks_that_come_and_go_in_the_middle_of_traffic(net: Net, tracer: Tracer, pages: int) -> None:
    with flooded(net) as (_, port):
        for _ in range(4):
            with closing(counting(f"udp and dst port {port}", ring_pages=pages)) as own:
                counted = Capture(own)
                counted.until(lambda c: c.counters["complete"] > 2000, "packets that end")
                detached(counted)
            assert records(counted.counters) == ended(counted.counters)


def test_hooks_that_rest_in_between(net: Net, tracer: Tracer) -> None:
    """As under a budget: what was under way when they were taken out has expired."""
    with flooded(net) as (_, port), closing(counting(f"udp and dst port {port}")) as own:
        counted = Capture(own)
        for _ in range(4):
            seen = counted.counters.get("complete", 0)
            counted.until(lambda c, seen=seen: c.counters["complete"] > seen + 2000, "packets that end")  # type: ignore[misc]
            own.rest(True)
            counted.look()
            assert counted.in_flight == 0
            assert counted.difference == 0
            own.rest(False)
        detached(counted)
