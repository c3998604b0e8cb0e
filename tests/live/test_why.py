"""What stands out, told of traffic that has a cause and of traffic that has not, on the running kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.conftest import FOREVER, Net
from tests.live.truth import starved
from tests.live.why import COUNT, GAP, Told, figure, sending, tier, told

__all__ = ["tier", "told"]

pytestmark = pytest.mark.usefixtures("tracer")

MANY = 20_000
"""Large datagrams that keep a CPU busy for a second or two."""

OF_TRAFFIC = {"reader-comes-late", "drops", "socket-buffer-full", "qdisc-wait", "retransmissions", "backlog-full"}
"""What this machine's own load cannot cause."""


@contextmanager
def setting(name: str, value: int) -> Iterator[None]:
    """A setting of the whole machine (net.core), for a moment."""
    file = Path("/proc/sys/net/core", name)
    before = file.read_text(encoding="ascii")
    file.write_text(str(value), encoding="ascii")
    try:
        yield
    finally:
        file.write_text(before, encoding="ascii")


def test_nothing_of_the_traffic_stands_out_where_nothing_is_wrong(net: Net, told: Told) -> None:
    sender, receiver = net.pair()
    port = net.start(receiver, "udp-read", receiver.ip4, COUNT, 64, 0).expect("ready")
    assert not told(receiver, sending(net, sender, receiver.ip4, port)).keys() & OF_TRAFFIC


def test_a_reader_that_sleeps_is_named(net: Net, told: Told) -> None:
    host = net.host()
    reader = net.start(host, "udp-read", host.ip4, COUNT, 64, 0.02)
    late = told(host, sending(net, host, host.ip4, reader.expect("ready")))["reader-comes-late"]
    assert late["severity"] == "hot"
    assert late["subject"].endswith(f"/{reader.process.pid}")
    assert late["cost_ns"] > 10_000_000


def test_a_socket_that_nobody_reads_is_full_and_its_port_is_told_once(net: Net, told: Told) -> None:
    host = net.host()
    port = net.start(host, "udp-hold", host.ip4, 0, 64, 0).expect("ready")
    found = told(host, sending(net, host, host.ip4, port))
    assert found["socket-buffer-full"]["subject"] == f"udp port {port}"
    assert figure(found["socket-buffer-full"], "dropped") > COUNT // 2
    assert "drops" not in found


def test_a_port_where_nobody_listens(net: Net, told: Told) -> None:
    sender, receiver = net.pair()
    found = told(receiver, sending(net, sender, receiver.ip4, 9))
    assert found["drops"]["subject"].startswith("NO_SOCKET at ")
    assert figure(found["drops"], "dropped") == COUNT
    assert found["drops"]["severity"] == "hot"


@pytest.mark.parametrize(("rate", "wrong"), [("40kbit", True), ("1gbit", False)])
def test_a_shaped_queue_is_told_with_its_interface(rate: str, wrong: bool, net: Net, told: Told) -> None:
    sender, receiver = net.pair()
    shaped = ("tbf", "rate", rate, "burst", "1600", "limit", "30000")
    sender.run("tc", "qdisc", "replace", "dev", "veth0", "root", *shaped)
    port = net.start(receiver, "udp-read", receiver.ip4, COUNT, 64, 0).expect("ready")
    found = told(sender, sending(net, sender, receiver.ip4, port))
    assert ("qdisc-wait" in found) is wrong
    if wrong:
        assert found["qdisc-wait"]["subject"] == "veth0"
        assert figure(found["qdisc-wait"], "qdisc_in→qdisc_out p99") >= 10_000_000


def test_a_queue_that_is_full_drops(net: Net, told: Told) -> None:
    sender, receiver = net.pair()
    small = ("tbf", "rate", "40kbit", "burst", "1600", "limit", "1600")
    sender.run("tc", "qdisc", "replace", "dev", "veth0", "root", *small)
    port = net.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0).expect("ready")
    found = told(sender, sending(net, sender, receiver.ip4, port))
    assert found["drops"]["subject"].startswith("QDISC_DROP at ")


def test_segments_that_were_lost_are_sent_again(net: Net, told: Told) -> None:
    """What the queue has no room for TCP sends again; over a queue with room it does not."""
    for limit, wrong in (("2000", True), ("1mb", False)):
        sender, receiver = net.pair()
        shaped = ("tbf", "rate", "2mbit", "burst", "1600", "limit", limit)
        sender.run("ethtool", "-K", "veth0", "tso", "off", "gso", "off")
        sender.run("tc", "qdisc", "replace", "dev", "veth0", "root", *shaped)
        reader = net.start(receiver, "tcp-read", receiver.ip4, 100, 2000, 0)
        port = reader.expect("ready")
        found = told(
            sender,
            lambda sender=sender, receiver=receiver, port=port: net.start(  # type: ignore[misc]
                sender, "tcp-send", receiver.ip4, port, 100, 2000, 0.001
            ),
        )
        assert ("retransmissions" in found) is wrong, (limit, found.keys())
        if wrong:
            assert found["retransmissions"]["subject"] == receiver.ip4


def test_a_reader_kept_from_its_cpu_and_who_has_it(net: Net, told: Told) -> None:
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0, cpu=1)
    port = reader.expect("ready")
    hog = net.start(receiver, "hog", "-", 50, 0.5, cpu=1)
    hog.expect("ready")
    found = told(
        receiver,
        lambda: net.start(sender, "udp-log-send", receiver.ip4, port, COUNT, 100, GAP, 0, hog.process.pid, cpu=0),
    )
    assert found["reader-scheduled-late"]["subject"].endswith(f"/{reader.process.pid}")
    assert found["noisy-neighbour"]["subject"].endswith(f"/{hog.process.pid}")
    assert figure(found["noisy-neighbour"], "CPU") == "cpu1"


def test_a_softirq_that_is_starved(net: Net, told: Told) -> None:
    sender, receiver, port = starved(net)
    found = told(receiver, sending(net, sender, receiver.ip4, port, cpu=0))
    assert found["softirq-starved"]["subject"] == "cpu1"
    assert found["softirq-starved"]["severity"] == "hot"
    assert figure(found["softirq-starved"], "raise→softirq p99") >= 10_000_000


@pytest.mark.parametrize(("budget", "wrong"), [(1, True), (300, False)])
def test_a_softirq_without_a_budget_is_squeezed(budget: int, wrong: bool, net: Net, told: Told) -> None:
    sender, receiver = net.pair()
    port = net.start(receiver, "udp-read", receiver.ip4, COUNT, 64, 0).expect("ready")
    with setting("netdev_budget", budget):
        found = told(receiver, sending(net, sender, receiver.ip4, port, cpu=0))
    assert ("softirq-squeezed" in found) is wrong
    if wrong:
        assert found["softirq-squeezed"]["subject"] == "cpu0"
        assert figure(found["softirq-squeezed"], "squeezed") >= COUNT / 2


@pytest.mark.parametrize("cpus", [(1,), (0, 1)])
def test_one_cpu_takes_all_that_comes_in(cpus: tuple[int, ...], net: Net, told: Told) -> None:
    """Over veth the CPU receives that sends; of fragments it has more to do with receiving."""
    sender, receiver = net.pair()
    port = net.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0, cpu=0).expect("ready")
    found = told(
        receiver,
        lambda: [net.start(sender, "udp-flood", receiver.ip4, port, MANY, 20_000, 0, cpu=cpu) for cpu in cpus][-1],
    )
    assert ("one-cpu" in found) is (len(cpus) == 1)
    if "one-cpu" in found:
        assert found["one-cpu"]["subject"] == "cpu1"
        assert figure(found["one-cpu"], "of all received") > 0.9


@pytest.mark.parametrize(("room", "wrong"), [(3, True), (1000, False)])
def test_a_backlog_that_is_full(room: int, wrong: bool, net: Net, told: Told) -> None:
    """What is cut up by the sender's kernel comes all at once to the backlog of its CPU."""
    sender, receiver = net.pair()
    sender.run("ethtool", "-K", "veth0", "tso", "off", "gso", "on")
    port = net.start(receiver, "tcp-read", receiver.ip4, COUNT, 20_000, 0).expect("ready")
    with setting("netdev_max_backlog", room):
        found = told(receiver, lambda: net.start(sender, "tcp-send", receiver.ip4, port, COUNT, 20_000, 0))
    assert ("backlog-full" in found) is wrong
    if wrong:
        assert figure(found["backlog-full"], "dropped") > 0
        assert figure(found["backlog-full"], "of these, of the filter") > 0


def test_what_the_tracer_estimates_is_told_last(net: Net) -> None:
    """A budget that a flood cannot be measured within."""
    host = net.host()
    port = net.start(host, "udp-drain", host.ip4, 0, 0, 0).expect("ready")
    net.start(host, "udp-flood", host.ip4, port, FOREVER, 64, 0)
    command = [sys.executable, "-m", "netlat_tui", "report", "--budget", "0.5", "--duration", "6", "--format", "json"]
    done = subprocess.run([*command, f"netns {host.inode}"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["findings"]
    assert found[-1]["subject"] == "tracer"
    assert "tracer-estimates" in {finding["kind"] for finding in found}
