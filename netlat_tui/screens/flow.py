"""A connection: its stages in both directions, and its paths, the slowest of all or of one stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from netlat_tui.export import values
from netlat_tui.model.derive import decode_rows
from netlat_tui.model.flows import FlowPaths, FlowRow, StageFigures, WayFigures
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Stage
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.ticks import Rows
from netlat_tui.screens.detail import stage_title
from netlat_tui.screens.dump import View, table_lines
from netlat_tui.screens.panes import flows, paths
from netlat_tui.screens.panes.base import latency, plain_latency
from netlat_tui.screens.panes.paths import Order, path_row
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.stage import FILE_CELLS
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, wrap
from netlat_tui.widgets.table import Table

STAGE_COLUMNS: tuple[Column, ...] = (
    Column("way", "IO", 2, right=False, help="rx: of received packets; tx: of sent ones"),
    Column("stage", "STAGE", 18, 30, right=False, help="between which two points; Enter lists the paths slowest in it"),
    Column("p50", "p50", 6, help="median of this connection's packets; -: fewer than 20 records' worth"),
    Column("p99", "p99", 6, banded=True, help="p99 of this connection's packets, normally near the p50"),
    Column("max", "max", 7, drop=1, help="the longest there is a record of; slow packets are always recorded"),
    Column("records", "recs", 6, drop=2, help="path records with this stage"),
)


def stage_rows(stages: Sequence[StageFigures], glyphs: Glyphs) -> list[Row]:
    return [
        Row(
            figures.stage.id,
            (
                Cell(figures.stage.direction.label, sort=figures.stage.direction.label),
                Cell(stage_title(figures.stage, glyphs), sort=figures.stage.name),
                plain_latency(figures.p50_ns, glyphs),
                latency(figures.p99_ns, glyphs),
                plain_latency(figures.max_ns, glyphs),
                Cell(str(figures.records), sort=figures.records),
            ),
            figures,
        )
        for figures in stages
    ]


class FlowScreen(ViewScreen):
    """Stays with its connection; keeps the last figures, and says so, where a window has none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "order", "Paths: slowest or latest first", show=False, id="paths.order"),
    ]

    def __init__(self, context: Context, crumbs: Sequence[str], flow: FlowRow) -> None:
        super().__init__(context, crumbs)
        self._flow = flow
        self._gone = False
        self._order = Order.SLOWEST
        self._stage: Stage | None = None
        self._paths: list[Path] = []

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="facts")
        yield Table(STAGE_COLUMNS, glyphs, id="stages", empty="no stage of such a packet in this window")
        yield Canvas(glyphs, id="paths-title")
        yield Table(paths.COLUMNS, glyphs, id="where", empty="no path of it in this window")

    @property
    def _lists(self) -> tuple[Table, Table]:
        return self.query_one("#stages", Table), self.query_one("#where", Table)

    def main_table(self) -> Table | None:
        stages, listed = self._lists
        return listed if listed.has_focus else stages

    def show(self, snapshot: Snapshot) -> None:
        found = flows.find(snapshot, self._flow)
        self._gone = found is None
        if found is not None:
            self._flow = found
        stages, listed = self._lists
        stages.show(stage_rows(self._flow.paths.stages, self.context.glyphs))
        self._paths = decode_rows(snapshot, self._chosen(self._flow.paths))
        listed.show([path_row(path, self.context.glyphs) for path in self._paths])
        self.query_one("#paths-title", Canvas).draw(lambda cells, _: [self._title()])
        self.show_facts()

    def _chosen(self, of: FlowPaths) -> Rows:
        if self._stage is not None:
            return of.slowest_in(self._stage.id)
        return of.slowest if self._order is Order.SLOWEST else of.latest

    def _title(self) -> Line:
        of = f"{self._order.value} first"
        if self._stage is not None:
            of = f"slowest in {stage_title(self._stage, self.context.glyphs)}"
        return ((f" Paths, {of}", Role.GROUP),)

    def facts(self, cells: int) -> list[Line]:
        flow, glyphs = self._flow, self.context.glyphs
        pairs = [("process", flows.process_of(flow)), ("interface", flow.iface), ("netns", str(flow.netns))]
        for label, way in (("rx", flow.received), ("tx", flow.sent)):
            if way.records:
                pairs.append((label, _words(flow, way, glyphs)))
        pairs += [("retransmitted", str(flow.retransmits)), ("dropped", str(flow.drops))]
        spans = [((f" {name} ", Role.DIM), (f"{glyphs.text(value)} ", Role.STRONG)) for name, value in pairs]
        if self._gone:
            spans.append(((" ", Role.DIM), ("no packet of it in this window: as last seen", Role.WARM)))
        return wrap(spans, cells)

    def action_order(self) -> None:
        """Turn the paths between the slowest and the latest of all."""
        self._order = Order.LATEST if self._order is Order.SLOWEST and self._stage is None else Order.SLOWEST
        if self._stage is not None:
            self._stage, self.crumbs = None, self.crumbs[:-1]
        self.refresh_view()

    def action_back(self) -> None:
        if not self.filter_bar.display and self._stage is not None:
            self._stage = None
            self.crumbs = self.crumbs[:-1]
            self.set_focus(self._lists[0])
            self.refresh_view()
        else:
            super().action_back()

    def on_table_opened(self, event: Table.Opened) -> None:
        item, glyphs = event.row.item, self.context.glyphs
        if isinstance(item, StageFigures):
            base = self.crumbs[:-1] if self._stage is not None else self.crumbs
            self._stage, self.crumbs = item.stage, (*base, stage_title(item.stage, glyphs))
            self.set_focus(self._lists[1])
            self.refresh_view()
        elif isinstance(item, Path):
            self.app.push_screen(PathScreen(self.context, (*self.crumbs, glyphs.text(item.flow)), item))

    def term(self) -> str:
        return flows.term_of(self._flow)

    def exported(self, snapshot: Snapshot) -> View:
        glyphs = self.context.glyphs
        stages = self._flow.paths.stages
        lines = [
            *self.facts(FILE_CELLS), (), *table_lines(STAGE_COLUMNS, stage_rows(stages, glyphs)), (),
            self._title(), *table_lines(paths.COLUMNS, [path_row(path, glyphs) for path in self._paths]),
        ]  # fmt: skip
        return View("flow", self.crumbs, [values.flow_stage(figures) for figures in stages], lines)

    def help(self) -> Help:
        summary = "A connection's stages, from its path records; below its paths, or the slowest of the stage opened."
        return Help(self.crumbs[-1], summary, (*STAGE_COLUMNS, *paths.COLUMNS), True)


def _words(flow: FlowRow, way: WayFigures, glyphs: Glyphs) -> str:
    times = "  ".join(
        f"{name} {glyphs.duration(ns)}" for name, ns in (("p50", way.p50_ns), ("p99", way.p99_ns), ("max", way.max_ns))
    )
    return f"{flows.rate_text(flow, way)}/s  {times}  ({way.records} records)"
