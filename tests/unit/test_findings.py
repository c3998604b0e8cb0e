"""Each finding, from ticks that have its cause, and from such as nearly have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.export import values
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.findings import Finding, Severity, Unit, findings
from netlat_tui.model.findings.limits import DROPS_SHARE, LONG_WAIT_NS, SQUEEZED_LEAST, WAIT_NS
from netlat_tui.model.points import Direction, point
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import DROP_ROW, IfaceSetup, IrqInfo, PathFlag, Tick
from tests.synth import LOCATION, ORIGIN, booked, hostile, make_ticks

Change = Callable[[Tick], Tick]
REASONS = {**ORIGIN.reasons, 7: "SOCKET_RCVBUFF", 8: "CPU_BACKLOG"}


def late(end: str, ns: int, direction: Direction = Direction.RX, without: str = "") -> Change:
    """All packets reach a point and what comes after it so much later, and do not pass another."""

    def change(tick: Tick) -> Tick:
        rows = tick.paths.copy()
        mine = rows["direction"] == direction
        rows["t_ns"][mine, point(end, direction).index :] += np.uint64(ns)
        if without:
            rows["mask"][mine] &= np.uint32(~(1 << point(without, direction).index) & 0xFFFF_FFFF)
        cells, sums = booked(rows)
        return replace(tick, paths=rows, cells=cells, sums=sums)

    return change


def waits(by_cpu: dict[int, int]) -> Change:
    def change(tick: Tick) -> Tick:
        cells, sums = booked(tick.paths, by_cpu)
        return replace(tick, cells=cells, sums=sums)

    return change


def of_cpu(cpu: int, **fields: int) -> Change:
    def change(tick: Tick) -> Tick:
        rows = tick.cpus.copy()
        for name, value in fields.items():
            rows[name][cpu] = value
        return replace(tick, cpus=rows)

    return change


def dropped(reason: int, count: int) -> Change:
    def change(tick: Tick) -> Tick:
        rows = np.zeros(1, dtype=DROP_ROW)
        rows["location"], rows["reason"], rows["point"], rows["count"] = LOCATION, reason, point("link").index, count
        return replace(tick, drops=rows, counters=tick.counters | {"dropped": count})

    return change


def ran(comm: bytes, pid: int) -> Change:
    """The scheduler said who had the reader's CPU until then."""

    def change(tick: Tick) -> Tick:
        rows = tick.paths.copy()
        rows["prev_comm"], rows["prev_pid"] = comm, pid
        return replace(tick, paths=rows)

    return change


def counted(**counters: int) -> Change:
    return lambda tick: replace(tick, counters=tick.counters | counters)


def with_(**fields: Any) -> Change:
    return lambda tick: replace(tick, **fields)


def snapshot(*changes: Change, drops: int = 0, sent: int = 20, ticks: int = 5, paths: int = 40) -> Snapshot:
    history = History(replace(ORIGIN, reasons=REASONS))
    for tick in make_ticks(ticks, paths=paths, drops=drops, sent=sent):
        changed = tick
        rows = changed.paths.copy()
        rows["flags"] = 0
        changed = replace(changed, paths=rows)
        for change in changes:
            changed = change(changed)
        history.add(changed)
    return history.snapshot(None, EVERYTHING, None)


def found(*changes: Change, **made: int) -> dict[str, Finding]:
    return {one.kind: one for one in findings(snapshot(*changes, **made))}


def test_nothing_stands_out_of_what_is_usual() -> None:
    assert findings(snapshot()) == ()


CAUSES: dict[str, tuple[list[Change], list[Change]]] = {
    "softirq-starved": (
        [waits({1: 12 * WAIT_NS}), of_cpu(1, softirqs=60, ksoftirqd=41, squeezed=3)],
        [waits({1: WAIT_NS * 9 // 10})],
    ),
    "softirq-squeezed": (
        [of_cpu(0, softirqs=500, squeezed=SQUEEZED_LEAST)],
        [of_cpu(0, softirqs=5000, squeezed=SQUEEZED_LEAST)],
    ),
    "one-cpu": (
        [of_cpu(0, packets=20_000, softirq_ns=700_000_000), of_cpu(1, packets=10)],
        [of_cpu(0, packets=20_000, softirq_ns=700_000_000), of_cpu(1, packets=9_000)],
    ),
    "irq-moderation": (
        [with_(iface_setup=(IfaceSetup(2, "eth0", "0", 250),))],
        [with_(iface_setup=(IfaceSetup(2, "eth0", "0", 3),))],
    ),
    "noisy-neighbour": (
        [ran(b"hog", 812), late("wakeup", 15 * WAIT_NS)],
        [ran(b"swapper/1", 0), late("wakeup", 15 * WAIT_NS)],
    ),
    "reader-scheduled-late": ([late("wakeup", 15 * WAIT_NS)], [late("wakeup", WAIT_NS // 2)]),
    "reader-comes-late": (
        [late("copy", 20 * WAIT_NS, without="wakeup")],
        [late("copy", WAIT_NS // 2, without="wakeup")],
    ),
    "socket-buffer-full": ([dropped(7, 12)], [dropped(3, 12)]),
    "qdisc-wait": ([late("qdisc_out", 30 * WAIT_NS, Direction.TX)], [late("xmit", 30 * WAIT_NS, Direction.TX)]),
    "retransmissions": ([counted(retransmitted=5)], [counted(retransmitted=0)]),
    "drops": ([dropped(3, 12)], [dropped(7, 12)]),
    "backlog-full": ([of_cpu(1, backlog_dropped=40)], [of_cpu(1, squeezed=1)]),
    "tracer-estimates": ([with_(every=8)], [with_(every=1)]),
    "tracer-lost": ([counted(evicted=3)], [counted(unmatched=3)]),
}


@pytest.mark.parametrize("kind", CAUSES)
def test_a_cause_is_found(kind: str) -> None:
    causes, _ = CAUSES[kind]
    assert kind in found(*causes)


@pytest.mark.parametrize("kind", CAUSES)
def test_what_is_nearly_the_cause_is_not(kind: str) -> None:
    _, others = CAUSES[kind]
    assert kind not in found(*others)


def test_the_sentence_has_its_figures_and_who_it_is() -> None:
    one = found(late("copy", 20 * WAIT_NS, without="wakeup"))["reader-comes-late"]
    assert one.subject == "nginx/1234"
    assert "nginx/1234" in one.sentence
    assert "socket→copy" in one.sentence
    p99 = next(figure for figure in one.figures if figure.name == "socket→copy p99")
    assert p99.unit is Unit.NS
    assert isinstance(p99.value, int)
    assert p99.value == pytest.approx(20 * WAIT_NS, rel=0.0625 + 0.1)
    assert one.cost_ns == pytest.approx(5 * 40 * 20 * WAIT_NS, rel=0.05)


def test_a_reader_that_was_woken_and_did_other_things_first() -> None:
    one = found(late("copy", 20 * WAIT_NS))["reader-comes-late"]
    assert "it had been woken for them" in one.sentence
    assert {figure.name for figure in one.figures} >= {"wakeup→copy p99"}


def test_a_neighbour_is_named_with_its_cpu_and_one_of_the_packets() -> None:
    one = found(ran(b"hog", 812), late("wakeup", 15 * WAIT_NS))["noisy-neighbour"]
    assert one.subject == "hog/812"
    assert one.path is not None
    assert one.path.id == one.at
    assert one.path.prev_task is not None
    assert {figure.name: figure.value for figure in one.figures}["CPU"] in ("cpu0", "cpu1")
    # The reader itself, as one of its threads, is no neighbour; a task whose turn it was once is none either.
    assert "noisy-neighbour" not in found(ran(b"nginx", 1234), late("wakeup", 15 * WAIT_NS))
    assert "noisy-neighbour" not in found(ran(b"hog", 812), late("wakeup", 15 * WAIT_NS), ticks=1, paths=4)


def test_a_late_softirq_is_told_with_what_the_others_do() -> None:
    one = found(waits({1: 12 * WAIT_NS}), of_cpu(1, softirqs=60, ksoftirqd=41, squeezed=3))["softirq-starved"]
    assert one.subject == "cpu1"
    assert one.severity is Severity.HOT
    figures = {figure.name: figure.value for figure in one.figures}
    assert (figures["in ksoftirqd"], figures["NET_RX runs"], figures["squeezed"]) == (5 * 41, 5 * 60, 5 * 3)
    assert figures["p99 of other CPUs"] == pytest.approx(4_000, rel=0.0625)
    assert "ksoftirqd/1" in one.look[0]


def test_no_cpu_is_blamed_for_what_all_do_alike_below_the_limit() -> None:
    both = found(waits({0: 2 * WAIT_NS, 1: 12 * WAIT_NS}))
    assert both["softirq-starved"].subject in ("cpu0", "cpu1")
    assert "softirq-starved" not in found(waits({0: WAIT_NS // 2, 1: WAIT_NS}))


def test_interrupts_tied_to_the_cpu_are_evidence_and_rps_only_where_it_is_known() -> None:
    busy = [of_cpu(0, packets=20_000, softirq_ns=700_000_000), of_cpu(1, packets=10)]
    tied = with_(irq_info=(IrqInfo(41, "virtio0-input.0", "eth0", "0"),))
    off, on = (with_(iface_setup=(IfaceSetup(2, "eth0", mask),)) for mask in ("0", "3"))
    names = {figure.name for figure in found(*busy, tied)["one-cpu"].figures}
    assert "interrupts tied to it" in names
    assert "RPS is off on" not in names
    assert "RPS is off on" in {figure.name for figure in found(*busy, tied, off)["one-cpu"].figures}
    assert "RPS is off on" not in {figure.name for figure in found(*busy, tied, on)["one-cpu"].figures}
    assert "interrupts tied to it" not in {figure.name for figure in found(*busy)["one-cpu"].figures}


def test_few_drops_are_a_note_many_hurt() -> None:
    assert found(dropped(3, 1))["drops"].severity is Severity.NOTE
    assert found(dropped(3, 10), paths=400)["drops"].severity is Severity.HOT
    assert found(dropped(3, 10), of_cpu(0, packets=round(20 / DROPS_SHARE)))["drops"].severity is Severity.WARM


def test_retransmissions_name_the_other_end_where_a_path_tells() -> None:
    def marked(tick: Tick) -> Tick:
        rows = tick.paths.copy()
        rows["flags"][rows["direction"] == Direction.TX] = PathFlag.RETRANSMIT
        return replace(tick, paths=rows)

    one = found(marked, counted(retransmitted=20))["retransmissions"]
    assert one.subject == "10.0.0.2"
    assert {figure.name: figure.value for figure in one.figures}["packets sent"] == 100


def test_the_worst_comes_first_and_the_tracers_own_last() -> None:
    changes = [
        late("copy", 20 * WAIT_NS, without="wakeup"),
        late("qdisc_out", 2 * WAIT_NS, Direction.TX),
        dropped(3, 1),
        with_(every=2),
        counted(evicted=1),
    ]
    kinds = [one.kind for one in findings(snapshot(*changes))]
    assert kinds == ["reader-comes-late", "qdisc-wait", "drops", "tracer-estimates", "tracer-lost"]


def test_a_long_wait_that_hurts_is_marked_so() -> None:
    assert found(late("qdisc_out", 2 * WAIT_NS, Direction.TX))["qdisc-wait"].severity is Severity.WARM
    assert found(late("qdisc_out", 2 * LONG_WAIT_NS, Direction.TX))["qdisc-wait"].severity is Severity.HOT


@settings(deadline=None, max_examples=30)
@given(st.text(max_size=15))
def test_names_of_others_are_printable(text: str) -> None:
    def named(tick: Tick) -> Tick:
        return hostile(tick, text)

    made = snapshot(named, late("copy", 20 * WAIT_NS, without="wakeup"), dropped(3, 12), ticks=2)
    for one in findings(made):
        words = [one.sentence, one.subject, *one.look, *(figure.words() for figure in one.figures)]
        assert all(printable(word) == word for word in words)
    assert values.findings(made)


def test_before_the_first_figures_there_is_nothing_to_say() -> None:
    assert findings(History(ORIGIN).snapshot(None, EVERYTHING, None)) == ()
