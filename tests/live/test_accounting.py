"""Ten thousand of each, through the command line as a user calls it: every packet is accounted for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from netlat_tui.bpf.tracer import Tracer
from tests.live.conftest import Host, Net, wait_until_attached

COUNT = 10_000
ENDS = ("complete", "merged", "dropped", "forwarded", "consumed", "evicted", "expired", "in_flight")


@contextmanager
def reporting(words: str) -> Iterator[dict[str, Any]]:
    """Run ``report --format json`` while the body runs; its result is in the dictionary afterwards."""
    command = [sys.executable, "-m", "netlat_tui", "report", "--budget", "none"]
    command += ["--duration", "600", "--format", "json", words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    result: dict[str, Any] = {}
    try:
        wait_until_attached(process.pid)
        yield result
    finally:
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    result.update(json.loads(out))


def stage_counts(report: dict[str, Any]) -> dict[str, int]:
    return {row["stage"]: row["count"] for row in report["stages"]}


def segments_in(host: Host) -> int:
    """What the namespace's TCP has received (Tcp: InSegs)."""
    names, values = (line.split() for line in host.read("/proc/net/snmp").splitlines() if line.startswith("Tcp:"))
    return int(values[names.index("InSegs")])


def test_ten_thousand_datagrams(net: Net, tracer: Tracer) -> None:
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-read", receiver.ip4, COUNT, 64, 0)
    port = reader.expect("ready")
    with reporting(f"netns {receiver.inode} and udp and dst port {port}") as report:
        net.start(sender, "udp-send", receiver.ip4, port, COUNT, 64, 0)
        assert reader.finish() == COUNT
    books = report["accounting"]
    print(books)  # shown where one of these fails
    assert books["seen"] == COUNT
    assert books["seen"] == sum(books[name] for name in ENDS)
    assert books["complete"] == COUNT
    assert books["unmatched"] == books["rejected_deltas"] == books["ring_lost"] == 0
    counts = stage_counts(report)
    assert counts["link→socket"] == COUNT
    # Woken for it or not, each was read once.
    assert counts["socket→return"] + counts.get("wakeup→return", 0) == COUNT
    assert counts.get("socket→wakeup", 0) == counts.get("wakeup→return", 0)
    assert sum(cpu["packets"] for cpu in report["cpus"]) == COUNT


def test_ten_thousand_messages(net: Net, tracer: Tracer) -> None:
    sender, receiver = net.pair()
    reader = net.start(receiver, "tcp-read", receiver.ip4, COUNT, 100, 0)
    port = reader.expect("ready")
    with reporting(f"netns {receiver.inode} and tcp and dst port {port}") as report:
        before = segments_in(receiver)
        # A gap now and then lets the reader catch up: some messages arrive alone, many are put together.
        sending = net.start(sender, "tcp-send", receiver.ip4, port, COUNT, 100, 0.0001)
        assert reader.finish() == COUNT
        sending.finish()
    segments = segments_in(receiver) - before
    books = report["accounting"]
    print(books)  # shown where one of these fails
    # Each message is a segment of its own (TCP_NODELAY); SYN, ACK and FIN carry nothing.
    assert books["seen"] == sum(books[name] for name in ENDS)
    assert books["complete"] + books["merged"] == COUNT
    # TCP itself says how many more came: a busy machine has it send a segment twice now and then.
    assert books["seen"] == segments
    assert books["seen"] - COUNT == books["consumed"] + books["dropped"] + books["in_flight"]
    assert books["consumed"] >= 1
    assert books["unmatched"] == books["rejected_deltas"] == books["ring_lost"] == 0
    counts = stage_counts(report)
    into_socket = sum(count for stage, count in counts.items() if stage.endswith("→socket"))
    read = sum(count for stage, count in counts.items() if stage.endswith("→copy"))
    assert read == books["complete"]
    assert books["complete"] <= into_socket <= COUNT
    # Of a receive call that takes more than sixteen, those beyond end with copy.
    assert 0 < counts["copy→return"] <= books["complete"]
