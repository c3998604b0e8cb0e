"""IRQs: the interrupts that brought packets."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.noise import Change
from netlat_tui.model.snapshot import IrqRow, Snapshot
from netlat_tui.model.text import percent, quantity
from netlat_tui.screens.panes.base import Pane, change_column, changed, latency, nothing_seen, plain_latency, warned
from netlat_tui.screens.panes.scope import changes_by_scope
from netlat_tui.widgets.bands import Band
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs

COLUMNS: tuple[Column, ...] = (
    Column("irq", "IRQ", 4, help="the kernel's number of the interrupt"),
    Column("name", "NAME", 12, 28, right=False, help="what /proc/interrupts calls it"),
    Column("iface", "IFACE", 6, 15, right=False, drop=5, help="the interface it belongs to"),
    Column(
        "cpus",
        "CPUS",
        4,
        12,
        right=False,
        drop=3,
        help="CPUs it may run on (affinity); normally another for each queue of a card",
    ),
    Column("rate", "/s", 5, drop=4, help="interrupts per second; normally fewer than packets, for one brings several"),
    Column(
        "handler", "handler", 7, drop=6, help="p99 of how long the hard interrupt's handler took; normally a few µs"
    ),
    Column(
        "p99",
        "to poll",
        7,
        banded=True,
        help="p99 from the interrupt to the first poll it caused; normally below 100 µs",
    ),
    change_column("to poll", 7),
    Column("ambiguous", "ambig", 5, drop=1, help="packets that may as well be another interrupt's; normally none"),
    Column(
        "trend",
        "to poll",
        10,
        60,
        drop=2,
        gap=2,
        help="p99 of interrupt to poll tick by tick; one scale, from zero; normally flat",
    ),
)


def rows(snapshot: Snapshot, glyphs: Glyphs) -> Sequence[Row]:
    """Every interrupt known, as soon as one of them brought something: idle ones tell of an imbalance."""
    if not any(row.count or row.packets for row in snapshot.irqs):
        return ()
    changes = changes_by_scope(snapshot, snapshot.irqs, "irq_to_poll")
    return [_row(row, glyphs, change) for row, change in zip(snapshot.irqs, changes, strict=True)]


def _row(row: IrqRow, glyphs: Glyphs, change: Change | None) -> Row:
    ambiguous = row.ambiguous / row.packets if row.packets else 0.0
    cells = (
        Cell(str(row.irq), sort=row.irq),
        Cell(glyphs.text(row.info.name) or "?", sort=row.info.name),
        Cell(glyphs.text(row.info.iface) or "-", sort=row.info.iface),
        Cell(glyphs.text(row.info.cpus) or "?", sort=row.info.cpus),
        Cell(quantity(row.rate), sort=row.rate),
        plain_latency(row.handler.p99_ns, glyphs),
        latency(row.irq_to_poll.p99_ns, glyphs),
        changed(change, glyphs),
        warned(percent(ambiguous) if row.ambiguous else "0", row.ambiguous, Band.WARM),
        Cell(trend=row.trend.p99_ns),
    )
    return Row(row.irq, cells, row)


def empty(snapshot: Snapshot) -> str:
    if not snapshot.stages:
        return nothing_seen(snapshot)
    return "local devices only: no interrupt"


def term(row: Row) -> str:
    return f"irq {row.item.irq}" if isinstance(row.item, IrqRow) else ""


PANE = Pane(
    "irqs", "IRQs", "Which interrupts brought packets, and how long until they were polled.", COLUMNS, rows, empty, term
)
