"""Delays put in on purpose, with cards that interrupt; and those of tests/live on other kernels, in each tier."""

from __future__ import annotations

from statistics import median

import pytest

from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.paths import Path
from netlat_tui.model.points import IrqClass
from netlat_tui.model.ticks import PathFlag
from tests.guest.conftest import Card, Wire
from tests.live.conftest import Net, net, rights
from tests.live.test_traffic import check_path
from tests.live.test_truth import (
    test_a_cpu_that_is_kept_from_its_packets,
    test_a_rate_put_upon_the_device_queue,
    test_a_reader_that_is_stopped,
    test_a_reader_that_sleeps,
    test_a_real_time_task_on_the_readers_cpu,
)
from tests.live.truth import (
    COUNT,
    GAP,
    HELD,
    MS,
    PACE,
    Begin,
    beside_a_burden,
    between,
    by_length,
    check_undelayed,
    cpus,
    ends,
    is_rt,
    log,
    near,
    need,
    paths_of,
    release,
    stage_of,
    steer,
    times,
    weigh,
    whole,
)

__all__ = [
    "net",
    "rights",
    "test_a_cpu_that_is_kept_from_its_packets",
    "test_a_rate_put_upon_the_device_queue",
    "test_a_reader_that_is_stopped",
    "test_a_reader_that_sleeps",
    "test_a_real_time_task_on_the_readers_cpu",
]

LATE_NS = 800 * MS


def test_a_delay_put_upon_the_device_queue(net: Net, tracer: Tracer, capture: Begin) -> None:
    need(tracer, "tx.qdisc_in", "tx.qdisc_out")
    sender, receiver = net.pair()
    net.start(sender, "ping", receiver.ip4, 77, 1, 8, 0).finish()
    sender.run("tc", "qdisc", "replace", "dev", "veth0", "root", "netem", "delay", f"{LATE_NS // MS}ms")
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0)
    port = reader.expect("ready")
    seen = capture(f"tx and netns {sender.inode} and udp and dst port {port}")
    writer = net.start(sender, "udp-log-send", receiver.ip4, port, COUNT, 100, GAP)
    sent, read = by_length(log(writer, "sent")), by_length(log(reader, "read"))
    seen.until_ended(COUNT)
    others, waits, lags = [], [], []
    for length, (sending, was_sent) in sent.items():
        path = paths_of(seen, port)[length]
        check_path(path)
        at, was_read = times(path), read[length][-1]
        assert sending <= at["qdisc_in"] <= was_sent
        # netem looks at the clock before the tracepoint tells that it has the packet. It may be late itself:
        # then so is the reader.
        assert at["qdisc_in"] + LATE_NS - MS <= at["qdisc_out"] <= was_read
        waits.append(at["qdisc_out"] - at["qdisc_in"])
        lags.append(was_read - at["qdisc_out"])
        others.append(stage_of(path, "qdisc_in→qdisc_out", waits[-1]))
    assert near(int(median(waits)), LATE_NS, LATE_NS), sorted(waits)
    assert near(int(median(lags)), 0, LATE_NS), sorted(lags)
    check_undelayed(others)


@pytest.mark.parametrize(("receiving", "way", "waits_in"), [("e1000e", "out", "softirq"), ("virtio_net", "in", "link")])
def test_a_cpu_that_is_kept_from_a_cards_packets(
    wire: Wire, net: Net, tracer: Tracer, capture: Begin, receiving: str, way: str, waits_in: str
) -> None:
    """Sending others' packets it holds its softirqs back, and with them what its card interrupted for. Receiving
    others' it keeps those waiting that the interrupted CPU hands to it (RPS)."""
    if is_rt():
        pytest.skip("a CPU's softirqs are not kept from the threads of its interrupts here")
    need(tracer, "rx.socket", "rx.return")
    sender, receiver = wire.other(receiving), wire.cards[receiving]
    irq = receiver.tie(1 if way == "out" else 0)
    # An interrupt moves to another CPU when it comes the next time.
    net.start(sender, "ping", receiver.ip4, 77, 1, 8, 0).finish()
    if way == "in":
        steer(receiver, receiver.device, 1)
    try:
        paths, sent, busy, _ = beside_a_burden(net, capture, sender, receiver, way)
    finally:
        steer(receiver, receiver.device, None)
    others, waits = [], []
    for length, path in paths.items():
        sending, was_sent = sent[length]
        check_path(path)
        at, on = times(path), cpus(path)
        assert on["link"] == path.softirq_cpu == 1
        assert path.irq_class is not IrqClass.LOCAL
        if way == "in":
            assert (path.irq_class, path.irq) == (IrqClass.RPS, irq)
            assert on["gro"] == 0
        elif path.irq_class is IrqClass.IRQ:
            assert path.irq == irq
        before = "raise" if way == "out" else "gro"
        meanwhile = [each for each in busy if each[0] + MS * PACE < sending and was_sent < each[1]]
        if meanwhile and before in at:
            ((began, done, free),) = meanwhile
            reached = at[waits_in]
            # Left to ksoftirqd it waits for that thread's turn as well, of which who made it wait knows nothing.
            last = max(free, reached) if PathFlag.KSOFTIRQD in path.flags else free
            assert between(reached, done, last, done - began), (reached - done, reached - free)
            others.append(stage_of(path, f"{before}→{waits_in}", reached - at[before]))
        elif not any(began < was_sent and sending < free for began, _, free in busy):
            waits.append(at["link"] - path.t0_ns)
    check_undelayed(waits)
    assert len(others) >= 3


def held_back(
    wire: Wire, net: Net, capture: Begin, receiver: Card, priority: int, burdened: bool
) -> tuple[list[Path], int, int]:
    """A real-time task has CPU 1: the paths of what came in its second half, and from when to when it was.

    ``burdened``: before that half a softirq there has so much to do that the kernel leaves the rest to a thread.
    """
    sender = wire.other(receiver.driver)
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0, cpu=0)
    port = reader.expect("ready")
    here, there = net.pair()
    net.start(there, "ping", here.ip4, 77, 1, 8, 0).finish()
    steer(here, "veth0", 1)
    weigh(net, here, "veth0")
    burden = net.start(there, "udp-log-send", here.ip4, 9, 1, 1400, 0, 1, cpu=0)
    burden.expect("ready")
    hog = net.start(receiver, "hog", "-", priority, HELD, burden.process.pid if burdened else 0, cpu=1)
    hog.expect("ready")
    seen = capture(f"rx and udp and dst port {port}")
    writer = net.start(sender, "udp-log-send", receiver.ip4, port, COUNT, 100, GAP, 0, hog.process.pid, cpu=0)
    sent = by_length(log(writer, "sent"))  # first: it gave the other the signal
    ((began, ended),) = log(hog, "held")
    paths = whole(seen, port, sent, "link")
    middle = (began + ended) // 2
    waited = [path for length, path in paths.items() if middle < sent[length][0] and sent[length][1] < ended]
    assert len(waited) >= 3
    for path in waited:
        check_path(path)
    check_undelayed([path.total_ns for length, path in paths.items() if sent[length][1] < began])
    return waited, began, ended


def check_held(paths: list[Path], before: str, after: str, began: int, ended: int) -> list[Path]:
    """Those that came while the task ran went on when it had done, and waited in one stage: these paths."""
    # An emulated card that its machine gives no time hands some over when the task is gone.
    held = [path for path in paths if times(path)[before] < ended]
    assert len(held) >= 3, [times(path)[before] - ended for path in paths]
    for path in held:
        at = times(path)
        assert began < at[before]
        assert at[after] >= ended, (at[after] - ended, cpus(path))
        assert ends(at[after], ended, ended - began), at[after] - ended
        stage_of(path, f"{before}→{after}", at[after] - at[before])
    return held


def test_a_real_time_task_holds_the_softirq_back(wire: Wire, net: Net, tracer: Tracer, capture: Begin) -> None:
    """A softirq that had too much to do goes on in a thread, which a real-time task keeps from its CPU; up to 6.4 all
    others wait for that thread as well, whatever interrupts."""
    if is_rt() or release() >= (6, 5):
        pytest.skip("softirqs wait for nobody on this kernel")
    need(tracer, "rx.link")
    receiver = wire.cards["e1000e"]
    irq = receiver.tie(1)
    waited, began, ended = held_back(wire, net, capture, receiver, 50, burdened=True)
    held = check_held(waited, "raise", "softirq", began, ended)
    # The card's NAPI may be among what was left over: then it did not interrupt again.
    assert {(path.irq_class, path.irq) for path in held} <= {(IrqClass.IRQ, irq), (IrqClass.REPOLL, None)}
    assert all(PathFlag.KSOFTIRQD in path.flags for path in held)


def test_a_real_time_task_holds_the_interrupts_thread_back(
    wire: Wire, net: Net, tracer: Tracer, capture: Begin
) -> None:
    """With PREEMPT_RT the thread of an interrupt raises the softirq and runs it: a task before it holds up both."""
    if not is_rt():
        pytest.skip("interrupts have no threads on this kernel")
    need(tracer, "rx.link")
    receiver = wire.cards["e1000e"]
    irq = receiver.tie(1)
    waited, began, ended = held_back(wire, net, capture, receiver, 60, burdened=False)
    held = check_held(waited, "irq", "raise", began, ended)
    assert {(path.irq_class, path.irq) for path in held} == {(IrqClass.IRQ, irq)}


def test_a_real_time_task_holds_the_backlogs_thread_back(wire: Wire, net: Net, tracer: Tracer, capture: Begin) -> None:
    """With PREEMPT_RT a thread takes what RPS has put on a CPU's backlog, after any real-time task."""
    if not is_rt():
        pytest.skip("the backlog has no thread on this kernel")
    need(tracer, "rx.gro", "rx.link")
    receiver = wire.cards["e1000e"]
    irq = receiver.tie(0)
    steer(receiver, receiver.device, 1)
    try:
        waited, began, ended = held_back(wire, net, capture, receiver, 10, burdened=False)
    finally:
        steer(receiver, receiver.device, None)
    held = check_held(waited, "gro", "link", began, ended)
    assert {(path.irq_class, path.irq) for path in held} == {(IrqClass.RPS, irq)}
