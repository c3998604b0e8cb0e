"""Readers: woken late, come late, or without room for what is sent to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from netlat_tui.model.findings.facts import Facts, listed, ranked
from netlat_tui.model.findings.finding import Figure, Finding, Severity, Unit, View
from netlat_tui.model.findings.limits import LEAST_SAMPLES, LONG_WAIT_NS, WAIT_NS, WAIT_SHARE
from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import StageRow
from netlat_tui.model.text import duration, percent, quantity


def _figures(row: StageRow) -> tuple[Figure, ...]:
    values = row.values
    return (
        Figure(f"{row.stage.name} p50", values.p50_ns, Unit.NS),
        Figure(f"{row.stage.name} p99", values.p99_ns, Unit.NS),
        Figure(f"{row.stage.name} max", values.max_ns, Unit.NS),
        Figure("packets", values.count, estimated=values.estimated),
        Figure(f"of {row.direction.label} time", row.share, Unit.SHARE),
    )


def is_long(row: StageRow) -> bool:
    """Whether a wait in this stage is worth a word: long, of enough packets, and a part of the whole."""
    p99 = row.values.p99_ns or 0
    return row.values.count >= LEAST_SAMPLES and p99 >= WAIT_NS and (row.share >= WAIT_SHARE or p99 >= LONG_WAIT_NS)


def severity(row: StageRow) -> Severity:
    return Severity.HOT if (row.values.p99_ns or 0) >= LONG_WAIT_NS else Severity.WARM


def _of_readers(
    facts: Facts, rows: Iterable[StageRow], kind: str, sentence: Callable[[StageRow, str], str], look: str
) -> Iterator[Finding]:
    """A finding for each of these stages that is long; ``sentence`` is given the readers of its slow paths."""
    for row in rows:
        if not is_long(row):
            continue
        slow = facts.slow_in(row)
        readers = facts.readers(slow)
        yield Finding(
            kind,
            severity(row),
            readers[0] if readers else row.stage.name,
            sentence(row, listed(readers)),
            (
                *_figures(row),
                Figure("such paths recorded", len(slow.rows)),
                Figure("of", listed(readers) or None, Unit.TEXT),
            ),
            View.STAGE,
            row.stage.id,
            (look,),
            row.values.sum_ns,
        )


def scheduled_late(facts: Facts) -> Iterator[Finding]:
    """The reader waited for the packet, was woken, and got no CPU."""

    def sentence(row: StageRow, readers: str) -> str:
        return (
            f"woken, {readers or 'readers'} had to wait {duration(row.values.p99_ns)} for a CPU "
            f"(p99 of {row.stage.name}, {percent(row.share)} of rx time)"
        )

    look = "What runs on that CPU, and at which priority: perf sched timehist, chrt -p PID, cpu.max of its cgroup"
    rows = facts.ending_at(Direction.RX, "socket", "wakeup")
    return _of_readers(facts, rows, "reader-scheduled-late", sentence, look)


def comes_late(facts: Facts) -> Iterator[Finding]:
    """Packets lay on the socket's queue: their reader was elsewhere, or was woken and did other things first."""

    def sentence(row: StageRow, readers: str) -> str:
        waited = row.stage.start.key == "wakeup"
        return (
            f"packets lie {duration(row.values.p99_ns)} on the socket's queue before {readers or 'the application'} "
            f"comes to read (p99 of {row.stage.name}, {percent(row.share)} of rx time): "
            + ("it had been woken for them" if waited else "it was not waiting for them")
        )

    look = "Not the network: what the reader does between its reads, strace -r -p PID or perf record -g -p PID"
    rows = [row for start in ("socket", "wakeup") for row in facts.ending_at(Direction.RX, start, "copy", "return")]
    return _of_readers(facts, rows, "reader-comes-late", sentence, look)


def buffer_full(facts: Facts) -> Iterator[Finding]:
    """Drops for want of room on a socket."""
    for drop in facts.snapshot.drops:
        if drop.reason not in ("SOCKET_RCVBUFF", "SOCKET_BACKLOG", "PROTO_MEM"):
            continue
        paths = facts.decoded(drop.paths)
        ports = ranked((f"{path.proto} port {path.dport}", 1) for path in paths if path.dport is not None)
        to = listed(ports)
        yield Finding(
            "socket-buffer-full",
            Severity.HOT,
            ports[0] if ports else drop.reason,
            f"{quantity(drop.count, drop.estimated)} packets found no room on a socket ({drop.reason}, "
            f"{quantity(drop.rate, drop.estimated)}/s)" + (f": to {to}" if to else ""),
            (
                Figure("dropped", drop.count, estimated=drop.estimated),
                Figure("per second", drop.rate, Unit.PER_SECOND, drop.estimated),
                Figure("by", drop.where, Unit.TEXT),
                Figure("to", to or None, Unit.TEXT),
            ),
            View.DROP,
            drop.key,
            ("Who reads there, and too slowly: ss -lunpm (skmem: rb and drops); net.core.rmem_max bounds SO_RCVBUF",),
        )
