"""What was done to packets on purpose, as those say who did it, and what the tracer found: by packet."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from statistics import median

import pytest

from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.paths import Path, Ran
from netlat_tui.model.points import POINTS
from tests.live.conftest import Actor, Capture, Host, Net, cannot

EMULATED = "NETLAT_TUI_GUEST" in os.environ
PACE = 8 if EMULATED else 1
"""An emulated machine is given more time for everything: a wake-up and a line of Python take it milliseconds."""
COUNT = 60
GAP = 0.005 * PACE
HELD = 0.1 * PACE
BURDEN = (32, 1900) if EMULATED else (48, 500)
"""Sockets, and how often each looks through a packet: 20 ms natively."""
MS = 1_000_000
UDP_HEAD, TCP_HEAD = 28, 52  # of IPv4; TCP with time stamps

Begin = Callable[[str], Capture]
Found = tuple[dict[int, Path], dict[int, tuple[int, ...]], list[tuple[int, int, int]], Ran]


def near(found: int, truth: int, delay: int = 0) -> bool:
    """Within 1 ms, or 5 % of the delay."""
    return abs(found - truth) <= max(MS, delay * 5 // 100)


def between(found: int, low: int, high: int, delay: int) -> bool:
    """As near, where the truth is known to lie between two times of the others' logs."""
    return near(max(low, min(found, high)), found, delay)


def ends(found: int, truth: int, delay: int) -> bool:
    """Within 1 ms; in an emulated machine, where a context switch takes as long, within 5 % of the delay."""
    return near(found, truth, delay if EMULATED else 0)


def hooked(tracer: Tracer) -> set[str]:
    """Keys of the points this kernel shows, as "rx.irq"."""
    # napi_poll fires at a poll's end: it tells the start of a softirq's second poll and later ones only.
    names = {(hook.direction, hook.point) for hook in tracer.hooks if hook.kind != "none" and hook.hook != "napi_poll"}
    return {
        f"{direction.label}.{point.key}"
        for direction, points in POINTS.items()
        for point in points
        if (direction.label, point.name) in names
    }


def need(tracer: Tracer, *points: str) -> None:
    lacking = set(points) - hooked(tracer)
    if lacking:
        (pytest.skip if EMULATED else cannot)(f"no hook here shows {', '.join(sorted(lacking))}")


def is_rt() -> bool:
    return "PREEMPT_RT" in os.uname().version


def release() -> tuple[int, ...]:
    """The running kernel's, as (6, 12)."""
    return tuple(map(int, os.uname().release.split(".")[:2]))


def now() -> int:
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def log(actor: Actor, word: str) -> list[tuple[int, ...]]:
    """What an actor that is at its end said about each of its messages."""
    assert actor.process.stdout is not None
    said = []
    for line in actor.process.stdout:
        first, *numbers = line.split()
        if first == word:
            said.append(tuple(map(int, numbers)))
        elif first == "done":
            return said
    assert actor.process.stderr is not None
    pytest.fail(f"{actor.process.args} ended without a log: {actor.process.stderr.read()}")


def by_length(said: list[tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """Times by a message's length: no two are of one length."""
    times = {length: tuple(rest) for length, *rest in said}
    assert len(times) == len(said), "messages were put together: nothing can be said of them"
    return times


def paths_of(seen: Capture, port: int, head: int = UDP_HEAD) -> dict[int, Path]:
    """The paths to a port by the length of the message they carried."""
    return {path.length - head: path for path in seen.paths if path.dport == port and path.length > head}


def whole(seen: Capture, port: int, sent: dict[int, tuple[int, ...]], *points: str) -> dict[int, Path]:
    """The paths that show these points. On Linux 6.18 some softirq runs begun by an interrupt fire no tracepoint at
    all, for no tracer: a few packets may be without what happened in one."""
    enough = COUNT - COUNT // 6

    seen.until(lambda c: c.counters["seen"] >= enough and c.in_flight == 0, f"{enough} packets seen and ended")
    paths = {length: path for length, path in paths_of(seen, port).items() if set(points) <= set(times(path))}
    assert set(paths) <= set(sent)
    assert len(paths) >= enough, f"{len(paths)} of {len(sent)} have {points}"
    return paths


def times(path: Path) -> dict[str, int]:
    """When a path passed each of its points, by the system's clock."""
    return {passage.point.key: path.t0_ns + passage.t_ns for passage in path.points}


def cpus(path: Path) -> dict[str, int]:
    return {passage.point.key: passage.cpu for passage in path.points}


def stage_of(path: Path, wanted: str, wait: int, delay: int = 0) -> int:
    """A packet waited for so long: this stage says so. How long its other stages are.

    ``delay``: what was put in, of which it may have come late and waited for a part only.
    """
    stages = {stage.stage.name: stage.duration_ns for stage in path.stages}
    assert wanted in stages, stages
    assert near(stages[wanted], wait, max(wait, delay if EMULATED else 0)), (stages, wait)
    return sum(stages.values()) - stages[wanted]


def check_undelayed(waits: list[int]) -> None:
    """Packets, or stages, to which nothing was done: what they took is the machine's own doing, now and then."""
    assert len(waits) >= 3, "there were too few of them"
    assert median(waits) < (HELD * 1e8 if EMULATED else MS), sorted(waits)


def steer(host: Host, device: str, cpu: int | None) -> None:
    """Have another CPU take what a device receives (RPS), or none."""
    target = f"/sys/class/net/{device}/queues/rx-0/rps_cpus"
    mask = 0 if cpu is None else 1 << cpu
    host.run("unshare", "--mount", "sh", "-c", f"mount -t sysfs none /sys && echo {mask:x} >{target}")


def weigh(net: Net, host: Host, device: str, burden: tuple[int, int] = BURDEN) -> None:
    """Each packet over this device takes its CPU a while; of "-": each datagram between IP and UDP."""
    # Filters may be this large; a setting of the namespace's own from 6.7 on, the machine's before.
    setting = ("sysctl", "-qw", "net.core.optmem_max=1000000")
    subprocess.run([*host.inside, *setting], check=False, stderr=subprocess.DEVNULL)
    if EMULATED:
        subprocess.run(setting, check=True)
    net.start(host, "weigh", device, *burden).expect("ready")


def starved(net: Net) -> tuple[Host, Host, int]:
    """(sender, receiver, port). What the receiver gets is CPU 1's to take (RPS), which sends others' packets at 20 ms
    each, with its softirqs held back, for as long as the test goes on."""
    sender, receiver = net.pair()
    here, there = net.pair()
    for host, other in ((sender, receiver), (here, there)):
        net.start(host, "ping", other.ip4, 77, 1, 8, 0).finish()
    steer(receiver, "veth0", 1)
    weigh(net, here, "veth0")
    sink = net.start(there, "udp-drain", there.ip4, 0, 0, 0, cpu=0)
    net.start(here, "udp-send", there.ip4, sink.expect("ready"), 10_000, 1400, 0.03, cpu=1)
    reader = net.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0, cpu=0)
    return sender, receiver, reader.expect("ready")


def beside_a_burden(net: Net, capture: Begin, sender: Host, receiver: Host, way: str) -> Found:
    """Packets that CPU 1 is to take, which is made busy with others' now and then: sending them, with softirqs held
    back ("out"), or receiving them, in a softirq ("in"). Last comes from when it was, when the others were received at
    the latest, and when the CPU was free again at the latest; and who the CPU was busy with."""
    here, there = net.pair()
    net.start(here, "ping", there.ip4, 77, 1, 8, 0).finish()
    weigh(net, here, "veth0")
    burdened, sink = (here, there) if way == "out" else (there, here)
    drain = net.start(sink, "udp-log-read", sink.ip4, 3, 0, cpu=0)
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0, cpu=0)
    port, heavy_port = reader.expect("ready"), drain.expect("ready")
    burden = net.start(burdened, "udp-log-send", sink.ip4, heavy_port, 3, 1400, HELD / 2, 1, cpu=1)
    burden.expect("ready")
    busy_with = burden.thread
    seen = capture(f"rx and udp and dst port {port}")
    writer = net.start(sender, "udp-log-send", receiver.ip4, port, COUNT, 100, GAP, 0, burden.process.pid, cpu=0)
    done = by_length(log(drain, "read"))
    busy = [(began, min(done[length][-1], ended), ended) for length, began, ended in log(burden, "sent")]
    sent, read = by_length(log(writer, "sent")), by_length(log(reader, "read"))
    assert set(read) == set(sent)
    paths = whole(seen, port, sent, "link", "socket")
    return paths, sent, busy, busy_with
