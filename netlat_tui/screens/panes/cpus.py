"""CPUs: who takes and who sends the packets, and how late the softirq comes."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.noise import Change
from netlat_tui.model.snapshot import CpuRow, Snapshot
from netlat_tui.model.text import percent, quantity
from netlat_tui.screens.panes.base import Pane, change_column, changed, latency, nothing_seen, warned
from netlat_tui.screens.panes.scope import changes_by_scope
from netlat_tui.widgets.bands import Band, load_band
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs

COLUMNS: tuple[Column, ...] = (
    Column("cpu", "CPU", 5, right=False, help="the CPU whose softirq took the packets, or that sent them"),
    Column(
        "rx", "rx/s", 5, drop=4, help="packets per second that its softirq took; normally even where RSS spreads them"
    ),
    Column(
        "tx",
        "tx/s",
        5,
        drop=3,
        help="packets per second put into a device's queue on it; normally where the senders run",
    ),
    Column(
        "softirq", "NET_RX", 6, banded=True, help="part of its time spent receiving (NET_RX); normally below a quarter"
    ),
    Column("ksoftirqd", "ksoftd", 6, drop=6, help="NET_RX runs put off to the ksoftirqd thread; normally none"),
    Column(
        "squeezed",
        "squeez",
        6,
        drop=5,
        help="runs that ended with packets left over, out of budget or time; normally 0",
    ),
    Column("drops", "drops", 5, drop=1, help="packets dropped because this CPU's backlog was full; normally none"),
    Column("p99", "wait", 6, banded=True, help="p99 of raise to softirq: how late it began to run; normally some µs"),
    change_column("the wait", 7),
    Column(
        "trend",
        "wait",
        10,
        60,
        drop=2,
        gap=2,
        help="p99 of raise to softirq tick by tick; one scale, from zero; normally flat",
    ),
)


def rows(snapshot: Snapshot, glyphs: Glyphs) -> Sequence[Row]:
    changes = changes_by_scope(snapshot, snapshot.cpus, "softirq_wait")
    return [_row(row, glyphs, change) for row, change in zip(snapshot.cpus, changes, strict=True)]


def _row(row: CpuRow, glyphs: Glyphs, change: Change | None) -> Row:
    received = row.packet_rate - row.sent_rate
    cells = (
        Cell(f"cpu{row.cpu}", sort=row.cpu),
        Cell(quantity(received, row.estimated), sort=received),
        Cell(quantity(row.sent_rate, row.estimated), sort=row.sent_rate),
        Cell(percent(row.softirq_share), band=load_band(row.softirq_share), sort=row.softirq_share),
        warned(quantity(row.ksoftirqd), row.ksoftirqd, Band.WARM),
        warned(quantity(row.squeezed), row.squeezed, Band.WARM),
        warned(quantity(row.backlog_dropped), row.backlog_dropped, Band.HOT),
        latency(row.softirq_wait.p99_ns, glyphs),
        changed(change, glyphs),
        Cell(trend=row.trend.p99_ns),
    )
    return Row(row.cpu, cells, row)


def term(row: Row) -> str:
    return f"cpu {row.item.cpu}" if isinstance(row.item, CpuRow) else ""


PANE = Pane(
    "cpus",
    "CPUs",
    "Which CPUs take and send the packets, and how late their softirq comes.",
    COLUMNS,
    rows,
    nothing_seen,
    term,
)
