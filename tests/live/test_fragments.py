"""Datagrams too large for one packet: fragments, and what is put together of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, Outcome
from netlat_tui.model.ticks import PathFlag
from tests.live.conftest import Capture, Net
from tests.live.test_traffic import check_path

Begin = Callable[[str], Capture]
COUNT = 20
PARTS = {3000: 3, 8000: 6, 40_000: 28}
"""Fragments of a datagram with so many bytes, on a device with an MTU of 1500."""


def whole(paths: list[Path]) -> list[Path]:
    return [path for path in paths if path.outcome is Outcome.COMPLETE]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("size", list(PARTS))
def test_the_first_fragments_path_is_the_datagrams(net: Net, capture: Begin, version: int, size: int) -> None:
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-read", receiver.address(version), COUNT, size, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and netns {receiver.inode} and udp")
    net.start(sender, "udp-send", receiver.address(version), port, COUNT, size, 0.001)
    assert reader.finish() == COUNT
    seen.until_ended(COUNT * PARTS[size])
    told = f"{seen.counters}"
    assert seen.counters["seen"] == COUNT * PARTS[size], told
    assert (seen.counters["complete"], seen.counters["merged"]) == (COUNT, COUNT * (PARTS[size] - 1)), told
    assert seen.difference == 0
    read = whole(seen.paths)
    assert len(read) == COUNT
    for path in read:
        check_path(path)
        assert PathFlag.FRAGMENT in path.flags
        assert (path.dport, path.pid) == (port, reader.process.pid)
        assert path.length == size + 8 + (20 if version == 4 else 40)


def test_a_filter_on_the_port_follows_the_datagram(net: Net, capture: Begin) -> None:
    """Later fragments have no ports: nothing is known of them."""
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-read", receiver.ip4, COUNT, 8000, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and netns {receiver.inode} and udp and dst port {port}")
    net.start(sender, "udp-send", receiver.ip4, port, COUNT, 8000, 0.001)
    assert reader.finish() == COUNT
    seen.until_ended(COUNT)
    assert seen.counters["seen"] == seen.counters["complete"] == len(whole(seen.paths)) == COUNT, seen.counters
    assert seen.difference == 0


def test_a_datagram_that_was_never_whole_is_no_reading(net: Net, capture: Begin) -> None:
    """The last fragment is lost: what came is dropped when its time is up."""
    sender, receiver = net.pair()
    receiver.run("sysctl", "-qw", "net.ipv4.ipfrag_time=1")
    sender.run("tc", "qdisc", "add", "dev", "veth0", "root", "tbf", "rate", "1mbit", "burst", "3100", "limit", "3100")
    reader = net.start(receiver, "udp-read", receiver.ip4, 1, 32, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and netns {receiver.inode} and udp and host {sender.ip4}")
    net.start(sender, "udp-send", receiver.ip4, port, 1, 20_000, 0).finish()
    seen.until(lambda c: c.counters["dropped"] > 0 and c.in_flight == 0, "the fragments that came dropped")
    assert seen.counters["complete"] == 0
    assert seen.counters["dropped"] == seen.counters["seen"], seen.counters
    assert {path.reason for path in seen.paths} <= {"FRAG_REASM_TIMEOUT", "NOT_SPECIFIED"}
    assert all(path.direction is Direction.RX for path in seen.paths)
