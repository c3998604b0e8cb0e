"""Delays put in on purpose: found in the stage they were put into, of the packets they were put upon, as long as they
were.

How long that was the senders, readers and hogs say themselves. A packet is told from its neighbours by its length.
"""

from __future__ import annotations

import time

import pytest

from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.gaps import gaps_of, words
from netlat_tui.model.points import IrqClass
from netlat_tui.model.ticks import PathFlag, SoftirqVector
from tests.live.conftest import Net
from tests.live.test_traffic import check_path
from tests.live.truth import (
    COUNT,
    EMULATED,
    GAP,
    HELD,
    MS,
    PACE,
    TCP_HEAD,
    UDP_HEAD,
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
    stage_of,
    steer,
    times,
    whole,
)

PAUSE = 0.02 * PACE
TBF = ("tc", "qdisc", "replace", "dev", "veth0", "root", "tbf", "limit", "1mb")


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_a_reader_that_sleeps(net: Net, tracer: Tracer, capture: Begin, kind: str) -> None:
    """Of datagrams that come at once each waits for those before it; segments come one by one, to be told apart."""
    need(tracer, "rx.socket", "rx.return")
    sender, receiver = net.pair()
    slow = net.start(receiver, f"{kind}-log-read", receiver.ip4, 20, PAUSE)
    quick = net.start(receiver, f"{kind}-log-read", receiver.ip4, 20, 0)
    slow_port, quick_port = slow.expect("ready"), quick.expect("ready")
    seen = capture(f"rx and netns {receiver.inode} and {kind} and dst port {slow_port},{quick_port}")
    gap = 0 if kind == "udp" else PAUSE * 2
    to_slow = net.start(sender, f"{kind}-log-send", receiver.ip4, slow_port, 20, 100, gap)
    to_quick = net.start(sender, f"{kind}-log-send", receiver.ip4, quick_port, 20, 100, PAUSE)
    done = {
        port: (by_length(log(writer, "sent")), by_length(log(reader, "read")))
        for port, writer, reader in ((slow_port, to_slow, slow), (quick_port, to_quick, quick))
    }
    head = UDP_HEAD if kind == "udp" else TCP_HEAD
    # A sender that comes late may put two segments together: of these nothing can be said.
    seen.until(
        lambda c: c.in_flight == 0 and all(len(paths_of(c, port, head)) >= 17 for port in done), "most of them ended"
    )
    for port, (sent, read) in done.items():
        waits = []
        for length, (sending, was_sent) in sent.items():
            if length not in read:
                continue
            _, calling, was_read = read[length]
            path = paths_of(seen, port, head)[length]
            check_path(path)
            at = times(path)
            assert sending <= at["socket"] <= was_read
            assert max(calling, at["socket"]) <= at["return"] <= was_read
            waits.append(at["return"] - at["socket"])
            # Where nothing was put in, an emulated machine's own delays are as long as what is allowed for.
            if port == slow_port or not EMULATED:
                assert between(waits[-1], was_read - was_sent, was_read - sending, was_read - was_sent), path
        assert len(waits) >= 17
        if port == quick_port:
            check_undelayed(waits)
        else:
            assert min(waits) > PAUSE * 1e9 - MS
            # The last of twenty waits for all; an emulated machine takes its time to send them.
            assert kind == "tcp" or max(waits) > (19 if EMULATED else 20) * PAUSE * 1e9 - MS


def test_a_rate_put_upon_the_device_queue(net: Net, tracer: Tracer, capture: Begin) -> None:
    """A bucket of tokens: it is full when the first leaves, and each leaves when there are tokens for all up to it."""
    need(tracer, "tx.qdisc_in", "tx.qdisc_out")
    sender, receiver = net.pair()
    burst, rate = 1600, 53_000 // PACE  # bytes, and bytes a second: less than 20 ms for each natively
    sender.run(*TBF, "rate", f"{rate * 8}bit", "burst", str(burst))
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0)
    port = reader.expect("ready")
    net.start(sender, "ping", receiver.ip4, 77, 1, 8, 0).finish()
    time.sleep(0.1)  # the bucket is full again
    seen = capture(f"tx and netns {sender.inode} and udp and dst port {port}")
    writer = net.start(sender, "udp-log-send", receiver.ip4, port, COUNT, 900, 0)
    sent, read = by_length(log(writer, "sent")), by_length(log(reader, "read"))
    paths = whole(seen, port, sent, "qdisc_in", "qdisc_out", "xmit")
    tokens, until, late, others = burst * 1_000_000_000, 0, [], []
    for length, (sending, was_sent) in sent.items():
        joins = times(paths[length])["qdisc_in"] if length in paths else was_sent
        first = max(joins, until)
        tokens = min(burst * 1_000_000_000, tokens + (first - until) * rate) - (length + UDP_HEAD + 14) * 1_000_000_000
        until = first + max(0, -tokens // rate)
        tokens = max(0, tokens)
        if length not in paths:
            continue
        path = paths[length]
        check_path(path)
        at = times(path)
        assert PathFlag.BYPASS not in path.flags
        assert sending <= at["device"] <= at["qdisc_in"] <= was_sent
        # Not before there were tokens, and not after it was read at the other end.
        assert until - MS <= at["qdisc_out"] <= read[length][-1]
        wait = until - at["qdisc_in"]
        late.append(not near(at["qdisc_out"] - at["qdisc_in"], wait, wait))
        # The time is in the queue's stage and in no other.
        if wait > 10 * MS * PACE:
            others.append(stage_of(path, "qdisc_in→qdisc_out", at["qdisc_out"] - at["qdisc_in"]))
    assert max(times(path)["qdisc_out"] - times(path)["qdisc_in"] for path in paths.values()) > 500 * MS
    # A softirq lets them out: it may be late, for some; those after them do not wait any longer because of it.
    assert sum(late) <= COUNT // 2
    check_undelayed(others)


def test_a_real_time_task_on_the_readers_cpu(net: Net, tracer: Tracer, capture: Begin) -> None:
    """The reader was woken, and its CPU was another's: until that one had done, whose name it says."""
    need(tracer, "rx.socket", "rx.return")
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0, cpu=1)
    port = reader.expect("ready")
    hog = net.start(receiver, "hog", "-", 50, HELD, cpu=1)
    hog.expect("ready")
    thread = hog.thread
    seen = capture(f"rx and netns {receiver.inode} and udp and dst port {port}")
    writer = net.start(sender, "udp-log-send", receiver.ip4, port, COUNT, 100, GAP, 0, hog.process.pid, cpu=0)
    ((began, ended),) = log(hog, "held")
    sent, read = by_length(log(writer, "sent")), by_length(log(reader, "read"))
    seen.until_ended(COUNT)
    paths = paths_of(seen, port)
    assert set(paths) == set(sent)
    others, waits = [], []
    for length, (sending, was_sent) in sent.items():
        path, was_read = paths[length], read[length][-1]
        check_path(path)
        at = times(path)
        if began < sending and was_sent < ended:
            assert ended <= at["wakeup"] <= was_read
            assert ends(at["wakeup"], ended, ended - began), at["wakeup"] - ended
            others.append(stage_of(path, "socket→wakeup", ended - at["socket"], ended - began))
            assert cpus(path)["wakeup"] == 1
            assert [words(gap) for gap in gaps_of(path) if gap.stage.stage.end.key == "wakeup"] == [
                f"cpu1 ran {thread.name} until then"
            ]
        elif was_read < began or sending > ended:
            waits.append(at["return"] - at["socket"])
    assert len(others) >= HELD / GAP // 2
    check_undelayed(others)
    check_undelayed(waits)


def test_a_reader_that_is_stopped(net: Net, tracer: Tracer, capture: Begin) -> None:
    """Nobody waits, nobody is woken: what comes stays on the queue until the reader goes on."""
    need(tracer, "rx.socket", "rx.return")
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0)
    port = reader.expect("ready")
    stopper = net.start(receiver, "stop", "-", reader.process.pid, HELD)
    stopper.expect("ready")
    seen = capture(f"rx and netns {receiver.inode} and udp and dst port {port}")
    writer = net.start(sender, "udp-log-send", receiver.ip4, port, COUNT, 100, GAP, 0, stopper.process.pid)
    ((began, ended),) = log(stopper, "held")
    sent, read = by_length(log(writer, "sent")), by_length(log(reader, "read"))
    seen.until_ended(COUNT)
    paths = paths_of(seen, port)
    assert set(paths) == set(sent)
    left, others, waits = [], [], []
    for length, (sending, was_sent) in sent.items():
        path, was_read = paths[length], read[length][-1]
        check_path(path)
        at = times(path)
        if began < sending and was_sent < ended:
            assert "wakeup" not in at
            assert ended <= at["return"] <= was_read
            others.append(stage_of(path, "socket→return", at["return"] - at["socket"]))
            left.append(at["return"])
        elif was_read < began or sending > ended + HELD * 1e8:
            waits.append(at["return"] - at["socket"])
    assert len(left) >= HELD / GAP // 2
    assert ends(min(left), ended, ended - began), min(left) - ended
    check_undelayed(others)
    check_undelayed(waits)


@pytest.mark.parametrize(("way", "stage"), [("out", "raise→softirq"), ("in", "raise→link")])
def test_a_cpu_that_is_kept_from_its_packets(net: Net, tracer: Tracer, capture: Begin, way: str, stage: str) -> None:
    """RPS has CPU 1 take them, which is busy with others' from time to time: sending them, with softirqs held back, or
    receiving them, in the very softirq run that will find them on the backlog."""
    need(tracer, "rx.socket", "rx.return")
    if is_rt():
        pytest.skip("a thread takes what is on another CPU's backlog here: tests/guest has that")
    sender, receiver = net.pair()
    # Neighbours are known: what waits for one is sent by the CPU that gets its answer.
    net.start(sender, "ping", receiver.ip4, 77, 1, 8, 0).finish()
    steer(receiver, "veth0", 1)
    if way == "out":
        net.start(sender, "tick", "127.0.0.1", 0, 0, 0.002, cpu=1).expect("ready")
    paths, sent, heavy, busy_with = beside_a_burden(net, capture, sender, receiver, way)
    others, waits, late = [], [], []
    for length, path in paths.items():
        sending, was_sent = sent[length]
        check_path(path)
        at, on = times(path), cpus(path)
        assert path.irq_class is IrqClass.LOCAL
        assert (on["raise"], on["link"], path.softirq_cpu) == (0, 1, 1)
        busy = [each for each in heavy if each[0] + MS * PACE < sending and was_sent < each[1]]
        if busy:
            ((began, done, free),) = busy
            reached = at[stage.rpartition("→")[2]]
            assert between(reached, done, free, done - began if EMULATED else 0), (reached - done, reached - free)
            others.append(stage_of(path, stage, reached - at["raise"]))
            late.append(gaps_of(path)[:1])
        elif not any(began < was_sent and sending < free for began, _, free in heavy):
            waits.append(at["link"] - at["raise"])
    check_undelayed(others)
    check_undelayed(waits)
    # What is received in a run that goes on is not what a run waited for.
    gaps = [gap for found in late for gap in found if gap.stage.stage.end.key == "softirq"]
    assert len(gaps) == (len(late) if way == "out" else 0)
    assert {gap.task for gap in gaps if not gap.ksoftirqd} <= {busy_with}
    # The timer that expired while softirqs were held back is what comes first, but where that was too short for it.
    assert not gaps or any(SoftirqVector.TIMER in gap.softirqs for gap in gaps), gaps
