"""Someone with a slow server and a terminal: three investigations, live, by keys alone, each in under ten of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.live.conftest import Actor, Host, Net, cannot
from tests.live.session import Session
from tests.live.truth import steer, weigh

MOST_KEYS = 9
SIZES = [(80, 24), (200, 50)]
ENDLESS = 10_000
Open = Callable[..., Session]


@pytest.fixture(params=SIZES, ids=[f"{columns}x{lines}" for columns, lines in SIZES])
def view(request: pytest.FixtureRequest, rights: None) -> Iterator[Open]:
    """Opens the live view of a namespace."""
    opened: list[Session] = []

    def begin(host: Host, *words: str) -> Session:
        session = Session(request.param, "--budget", "none", f"netns {host.inode}", *words)
        opened.append(session)
        screen = session.until(lambda text: "LIVE" in text or "REPLAY" in text, "the first figures")
        if "REPLAY" in screen:
            cannot(f"this kernel cannot be traced: {screen}")
        return session

    yield begin
    for session in opened:
        session.close()
        assert len(session.pressed) <= MOST_KEYS, session.pressed


def found(session: Session, *words: str) -> str:
    """These words are on the screen, whatever else is."""
    return session.until(lambda screen: all(re.search(word, screen) for word in words), " and ".join(words))


def slow_reader(net: Net) -> tuple[Host, Actor]:
    """A datagram every 10 ms, and a reader that comes for each 20 ms after it was there: they queue."""
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-read", receiver.ip4, ENDLESS, 0, 0.02)
    net.start(sender, "udp-send", receiver.ip4, reader.expect("ready"), ENDLESS, 100, 0.01)
    return receiver, reader


def test_the_slow_reader(net: Net, view: Open) -> None:
    host, reader = slow_reader(net)
    session = view(host)
    session.press("4")
    session.shows("complete")
    session.press("Enter")
    found(session, rf"process +\S+/{reader.process.pid}", r"socket→(copy|return) +\S+ms", r"100 ?B|128 B")


def shaped_queue(net: Net) -> Host:
    """A bucket of tokens lets out 16 kB/s of what comes at 20 kB/s."""
    sender, receiver = net.pair()
    sender.run(
        "tc", "qdisc", "replace", "dev", "veth0", "root", "tbf", "rate", "128kbit", "burst", "1600", "limit", "9kb"
    )
    reader = net.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0)
    net.start(sender, "udp-send", receiver.ip4, reader.expect("ready"), ENDLESS, 400, 0.02)
    return sender


def test_the_shaped_queue(net: Net, view: Open) -> None:
    host = shaped_queue(net)
    session = view(host)
    session.press("4")
    session.shows("complete")
    session.press("Enter")
    found(session, r"qdisc_in→qdisc_out +\S+ms", r"tx +veth0")


def starved_softirq(net: Net) -> Host:
    """What comes in is CPU 1's to take (RPS), which sends others' packets at 20 ms each with its softirqs held back."""
    sender, receiver = net.pair()
    here, there = net.pair()
    net.start(sender, "ping", receiver.ip4, 77, 1, 8, 0).finish()
    net.start(here, "ping", there.ip4, 77, 1, 8, 0).finish()
    steer(receiver, "veth0", 1)
    weigh(net, here, "veth0")
    sink = net.start(there, "udp-drain", there.ip4, 0, 0, 0, cpu=0)
    net.start(here, "udp-send", there.ip4, sink.expect("ready"), ENDLESS, 1400, 0.05, cpu=1)
    reader = net.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0, cpu=0)
    net.start(sender, "udp-send", receiver.ip4, reader.expect("ready"), ENDLESS, 100, 0.005, cpu=0)
    return receiver


def test_the_starved_softirq(net: Net, view: Open) -> None:
    host = starved_softirq(net)
    session = view(host)
    session.press("2")
    found(session, r"(?m)^\W*1 ")
    session.press("Down", "Enter")
    found(session, r"cpu ?1", r"raise→softirq +.*ms")
