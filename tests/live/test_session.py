"""Someone with a slow server and a terminal: three investigations, live, by keys alone, each in under ten of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.live.conftest import Actor, Host, Net, cannot
from tests.live.session import Session
from tests.live.truth import starved

pytestmark = pytest.mark.usefixtures("tracer")

MOST_KEYS = 9
SIZES = [(80, 24), (200, 50)]
ENDLESS = 10_000
Open = Callable[..., Session]


@pytest.fixture(params=SIZES, ids=[f"{columns}x{lines}" for columns, lines in SIZES])
def view(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the live view of a namespace; at the end few enough keys were pressed."""
    opened: list[Session] = []

    def begin(host: Host) -> Session:
        session = Session(request.param, "--budget", "none", f"netns {host.inode}")
        opened.append(session)
        screen = session.until(lambda text: "LIVE" in text or "REPLAY" in text, "the first figures")
        if "REPLAY" in screen:
            cannot(f"this kernel cannot be traced: {screen}")
        return session

    yield begin
    for session in opened:
        session.close()
        assert len(session.pressed) <= MOST_KEYS, session.pressed


def found(session: Session, *patterns: str) -> str:
    """Wait until all of these are on the screen."""
    return session.until(lambda screen: all(re.search(one, screen) for one in patterns), " and ".join(patterns))


def slow_reader(net: Net) -> tuple[Host, Actor]:
    """A datagram every 25 ms, and a reader that comes for each 20 ms after it was there."""
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-read", receiver.ip4, ENDLESS, 100, 0.02)
    net.start(sender, "udp-send", receiver.ip4, reader.expect("ready"), ENDLESS, 100, 0.025)
    return receiver, reader


def test_the_slow_reader(net: Net, view: Open) -> None:
    """Why names it; its slowest packet shows where it waited."""
    host, reader = slow_reader(net)
    session = view(host)
    session.press("w")
    found(session, rf"reader comes late +▲.*/{reader.process.pid}", r"→(copy|return) p99 \d\d\.\dms")
    session.press("4", "Enter")
    found(session, rf"process \S+ \(pid {reader.process.pid}\)", r"total \d\d\.\dms")


def shaped_queue(net: Net) -> Host:
    """A bucket of tokens lets out 16 kB/s of what comes at 22 kB/s."""
    sender, receiver = net.pair()
    shaped = ("tbf", "rate", "128kbit", "burst", "1600", "limit", "9kb")
    sender.run("tc", "qdisc", "replace", "dev", "veth0", "root", *shaped)
    reader = net.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0)
    net.start(sender, "udp-send", receiver.ip4, reader.expect("ready"), ENDLESS, 400, 0.02)
    return sender


def test_the_shaped_queue(net: Net, view: Open) -> None:
    """Why names the interface; Enter shows how long the queue's packets took."""
    session = view(shaped_queue(net))
    session.press("w")
    found(session, r"qdisc wait +▲.*veth0", r"qdisc_in→qdisc_out p99 \d+ms")
    for _ in range(5):  # the line of the drops is worse, or is not, by how many there were
        if re.search(r"▌qdisc wait", session.screen):
            break
        session.press("Down")
    session.press("Enter")
    found(session, r"Why › qdisc_in→qdisc_out", r"p99 \d+ms")


def starved_softirq(net: Net) -> Host:
    sender, receiver, port = starved(net)
    net.start(sender, "udp-send", receiver.ip4, port, ENDLESS, 100, 0.005, cpu=0)
    return receiver


def test_the_starved_softirq(net: Net, view: Open) -> None:
    """Why names the CPU; Enter shows what the wait does to its packets."""
    session = view(starved_softirq(net))
    session.press("w")
    found(session, r"softirq starved +▲.*cpu1", r"raise→softirq p99 \d\d\.\dms")
    for _ in range(5):
        if re.search(r"▌softirq starved", session.screen):
            break
        session.press("Down")
    session.press("Enter")
    found(session, r"Why › cpu1", r"raise→softirq .*\dms")
