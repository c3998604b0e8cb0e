"""The same packets seen by a tracer of others' making, which hooks the functions this one hooks: pwru."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from netlat_tui.bpf.tracer import Tracer
from tests.live.conftest import Actor, Capture, Net, cannot, net, rights
from tests.live.test_truth_bpftrace import COUNT, check_same, followed
from tests.live.truth import need, times, weigh

__all__ = ["net", "rights"]

Begin = Callable[[str], Capture]
FUNCTIONS = "ip_rcv_core", "__udp_enqueue_schedule_skb"


def pwru(net: Net, port: int) -> Actor:
    """Attached to both functions; each line it prints has the clock's time of one."""
    found = shutil.which("pwru")
    if not found:
        cannot("pwru is not to be had")
    asked = ["--filter-func", f"^({'|'.join(FUNCTIONS)})$", "--timestamp", "current", "--output-tuple"]
    command = f"mount -t tracefs none /sys/kernel/tracing 2>/dev/null; exec {found} {' '.join(map(repr, asked))} "
    process = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", f"{command} 'udp and dst port {port}'"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    actor = net.keep(Actor(process))
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Listening for events" in line:
            return actor
    pytest.fail("pwru did not listen: " + "".join(said[-5:]))


def intervals(text: str) -> list[int]:
    """ns from the first function to the second of each packet, in their order."""
    found, begun = [], {}
    for line in text.splitlines():
        skb, function = re.match(r"0x[0-9a-f]+", line), next((name for name in FUNCTIONS if name in line), "")
        when = re.search(r"\b\d{9,}\b", line)
        if not skb or not function or not when:
            continue
        if function == FUNCTIONS[0]:
            begun[skb[0]] = int(when[0])
        elif skb[0] in begun:
            found.append(int(when[0]) - begun.pop(skb[0]))
    return found


def test_pwru_sees_the_same(net: Net, tracer: Tracer, capture: Begin) -> None:
    need(tracer, "rx.ip", "rx.socket", "rx.return")
    sender, receiver = net.pair()
    weigh(net, receiver, "-", (16, 100))  # there is something to be measured
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0)
    port = reader.expect("ready")
    others = pwru(net, port)
    paths = followed(net, capture, sender, receiver, port)
    others.process.terminate()
    theirs = intervals(others.process.communicate()[0])
    in_order = sorted(paths.values(), key=lambda path: path.t0_ns)
    check_same([times(path)["socket"] - times(path)["ip"] for path in in_order], theirs)
