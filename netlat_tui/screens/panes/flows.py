"""Flows: connections as their user sees them, both directions together, told from the path records."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.export import values
from netlat_tui.model.filter import quote
from netlat_tui.model.flows import FlowRow, WayFigures
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.text import duration, percent, quantity
from netlat_tui.screens.dump import View, table_lines
from netlat_tui.screens.panes.base import Pane, latency, nothing_seen, plain_latency, warned
from netlat_tui.widgets.bands import Band
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role

COLUMNS: tuple[Column, ...] = (
    Column("flow", "FLOW", 22, 64, right=False, help="protocol, this host's end and the other one; both directions"),
    Column(
        "process", "PROCESS", 9, 26, right=False, drop=7,
        help="who reads or sends; +1: one more did; forwarded: it only passes through; -: nobody seen",
    ),
    Column("iface", "IFACE", 6, 15, right=False, drop=3, help="the interface its packets came in on and went out of"),
    Column("rx", "rx/s", 5, drop=5, help="packets received per second; ~: an estimate, as normally under load"),
    Column("tx", "tx/s", 5, drop=5, help="packets sent per second, normally fewer than on the wire (GSO)"),
    Column("rx50", "rx50", 6, drop=4, help="median of received packets, to the reader's return; normally some 10 µs"),
    Column(
        "rx99", "rx99", 6, banded=True,
        help="p99 of received packets, with the wait for the reader; normally below 1 ms; -: fewer than 20 records",
    ),
    Column("tx50", "tx50", 6, drop=4, help="median of sent packets, to the driver's end; normally some 10 µs"),
    Column("tx99", "tx99", 6, banded=True, help="p99 of sent packets; normally below 1 ms; -: too few records"),
    Column(
        "worst", "worst stage", 14, 32, right=False, drop=6,
        help="the stage of the largest p99, and that p99; normally one of the reader's",
    ),
    Column("retrans", "retr", 4, banded=True, drop=8, help="segments that TCP sent again in the window; normally none"),
    Column("drops", "drop", 4, banded=True, drop=8, help="packets of it that the kernel dropped; normally none"),
    Column("records", "recs", 5, drop=2, help="path records that the row rests on; normally hundreds, below 20 no p99"),
    Column(
        "trend", "/s", 10, 60, drop=1, gap=2, counts=True,
        help="packets per second, both ways, tick by tick; normally even",
    ),
)  # fmt: skip


def rows(snapshot: Snapshot, glyphs: Glyphs) -> Sequence[Row]:
    return [_row(flow, glyphs) for flow in snapshot.flows.rows]


def process_of(flow: FlowRow) -> str:
    """The process, and how many others there were."""
    if flow.pid is None:
        return "forwarded" if flow.forwarded else "-"
    others = f" +{flow.processes - 1}" if flow.processes > 1 else ""
    return f"{flow.comm or '?'}/{flow.pid}{others}"


def rate_text(flow: FlowRow, way: WayFigures) -> str:
    """``-`` where all its records were sent for their other halves: they tell of no rate."""
    if way.records and not way.rate:
        return "-"
    return quantity(way.rate, flow.estimated)


def _row(flow: FlowRow, glyphs: Glyphs) -> Row:
    worst = Cell("-")
    if flow.worst is not None:
        name = flow.worst.ascii_name if glyphs.ascii_only else flow.worst.name
        end = glyphs.text(f"→{flow.worst.end.name} {glyphs.duration(flow.worst_ns)}")
        worst = Cell(f"{name} {glyphs.duration(flow.worst_ns)}", short=end, sort=flow.worst_ns)
    process = process_of(flow)
    cells = (
        Cell(glyphs.text(flow.name), sort=flow.name),
        Cell(glyphs.text(process), sort=None if process == "-" else process),
        Cell(glyphs.text(flow.iface), sort=flow.iface),
        Cell(rate_text(flow, flow.received), sort=flow.received.rate),
        Cell(rate_text(flow, flow.sent), sort=flow.sent.rate),
        plain_latency(flow.received.p50_ns, glyphs),
        latency(flow.received.p99_ns, glyphs),
        plain_latency(flow.sent.p50_ns, glyphs),
        latency(flow.sent.p99_ns, glyphs),
        worst,
        warned(quantity(flow.retransmits, flow.estimated), flow.retransmits, Band.WARM),
        warned(quantity(flow.drops, flow.estimated), flow.drops, Band.WARM),
        Cell(str(flow.records), sort=flow.records),
        Cell(trend=flow.trend),
    )
    return Row(flow.key, cells, flow)


def rests_on(snapshot: Snapshot) -> str:
    """How much the figures are told from, in a few words."""
    flows = snapshot.flows
    words = f"{flows.count} from {flows.records} records, {duration(flows.covered_ns)}"
    if flows.held_back > 0:
        words += f", {percent(flows.held_back)} held back"
    return f"{words}, old recording: ~" if flows.unknown else words


def empty(snapshot: Snapshot) -> str:
    if snapshot.paths_in_window and snapshot.filter:
        return f"none of {snapshot.paths_in_window} paths matches: {snapshot.filter}"
    if snapshot.stages:
        return "no path recorded in this window: flows are told from the paths"
    return nothing_seen(snapshot)


def term_of(flow: FlowRow) -> str:
    """The filter for a connection; "" for that of all others."""
    if flow.others:
        return ""
    if flow.local == "?" or flow.proto.startswith(("not", "proto")):
        return f"iface {quote(flow.iface)}"
    words = [flow.proto.split()[0], f"host {flow.local}", f"host {flow.remote}"]
    words += [f"port {port}" for port in (flow.lport, flow.rport) if port is not None]
    return " and ".join(words)


def term(row: Row) -> str:
    return term_of(row.item) if isinstance(row.item, FlowRow) else ""


def find(snapshot: Snapshot, like: FlowRow) -> FlowRow | None:
    """The same connection in another snapshot."""
    return next((flow for flow in snapshot.flows.rows if flow.key == like.key), None)


def exported(snapshot: Snapshot, crumbs: Sequence[str], glyphs: Glyphs) -> View:
    lines: list[Line] = [((rests_on(snapshot), Role.PLAIN),), (), *table_lines(COLUMNS, rows(snapshot, glyphs))]
    return View("flows", crumbs, [values.flow(flow) for flow in snapshot.flows.rows], lines)


PANE = Pane(
    "flows", "Flows",
    "Connections, both directions together: estimates from path records, as the kernel counts none by connection.",
    COLUMNS, rows, empty, term, alone=True,
)  # fmt: skip
