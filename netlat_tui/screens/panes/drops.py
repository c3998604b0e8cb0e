"""Drops: which packets the kernel dropped, why, who did it, and how far they had come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlat_tui.model.derive import decode_rows
from netlat_tui.model.filter import quote
from netlat_tui.model.paths import Path
from netlat_tui.model.snapshot import DropRow, Snapshot
from netlat_tui.model.text import quantity
from netlat_tui.screens.panes.base import Pane, change_column, changed, nothing_seen
from netlat_tui.screens.panes.paths import clock
from netlat_tui.widgets.bands import Band
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs

COLUMNS: tuple[Column, ...] = (
    Column(
        "reason", "REASON", 16, 30, right=False,
        help="the kernel's word for why (skb_drop_reason); NOT_SPECIFIED: it gives none",
    ),
    Column("where", "WHERE", 20, 44, right=False, help="the function that dropped the packet, and the place in it"),
    Column("way", "IO", 2, right=False, drop=6, help="rx: the packets had come in; tx: they were on their way out"),
    Column("reached", "REACHED", 9, right=False, drop=5, help="the last point they were seen at; -: at none"),
    Column("count", "count", 5, banded=True, drop=4, help="packets dropped so in the window; normally none or few"),
    Column("rate", "/s", 5, help="packets dropped so per second; normally 0"),
    change_column("drops per second", 7),
    Column(
        "trend", "/s", 10, 60, drop=1, gap=2, counts=True,
        help="drops per second tick by tick; one scale for all rows; normally flat",
    ),
    Column("last", "last", 8, right=False, drop=3, help="local time of the last such packet there is a path of"),
    Column("flow", "LAST PATH", 20, 60, right=False, drop=2, help="that packet's protocol, source and destination"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dropped:
    """A kind of drop, and the last path of it, if there is one."""

    kind: DropRow
    last: Path | None


def name_of(kind: DropRow, glyphs: Glyphs) -> str:
    return glyphs.text(f"{kind.reason} at {kind.where}")


def rows(snapshot: Snapshot, glyphs: Glyphs) -> Sequence[Row]:
    return [_row(snapshot, kind, glyphs) for kind in snapshot.drops]


def _row(snapshot: Snapshot, kind: DropRow, glyphs: Glyphs) -> Row:
    last = next(iter(decode_rows(snapshot, kind.paths[:1])), None)
    cells = (
        Cell(glyphs.text(kind.reason), sort=kind.reason),
        Cell(glyphs.text(kind.where), sort=kind.where),
        Cell(kind.direction.label, sort=kind.direction.label),
        Cell(kind.reached, sort=kind.reached),
        Cell(quantity(kind.count, kind.estimated), band=Band.WARM, sort=kind.count),
        Cell(quantity(kind.rate, kind.estimated), sort=kind.rate),
        changed(snapshot.against.drops(kind) if snapshot.against is not None else None, glyphs),
        Cell(trend=kind.trend.rate),
        Cell(clock(last.time_ns, 0)[:8] if last else "-", sort=last.time_ns if last else None),
        Cell(glyphs.text(last.flow) if last else "no path of it", sort=last.flow if last else None),
    )
    return Row(kind.key, cells, Dropped(kind, last))


def find(snapshot: Snapshot, like: DropRow) -> DropRow | None:
    """The same kind in another snapshot."""
    return next((kind for kind in snapshot.drops if kind.key == like.key), None)


def empty(snapshot: Snapshot) -> str:
    if snapshot.drops_of_no_kind:
        count = quantity(snapshot.drops_of_no_kind, snapshot.every > 1)
        return f"{count} dropped, not counted by kind: see the paths"
    if not snapshot.stages:
        return nothing_seen(snapshot)
    direction = f", {snapshot.direction.label} only" if snapshot.direction is not None else ""
    return f"nothing was dropped{direction}"


def reason_term(kind: DropRow) -> str:
    """The filter for a reason: its name, or the number of one that has none."""
    return f"reason {quote(kind.reason.removeprefix('reason '))}"


def term(row: Row) -> str:
    return reason_term(row.item.kind) if isinstance(row.item, Dropped) else ""


PANE = Pane(
    "drops", "Drops", "Packets the kernel dropped: why, where, and how far they had come.", COLUMNS, rows, empty, term
)
