"""A CPU or an interrupt: what is measured of itself, and the stages of the packets it took."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from netlat_tui.export import baseline
from netlat_tui.model.snapshot import CpuRow, Snapshot, StageRow
from netlat_tui.model.text import percent, quantity
from netlat_tui.screens.detail import detail
from netlat_tui.screens.dump import View, interval_record, table_lines
from netlat_tui.screens.panes.base import Measured
from netlat_tui.screens.panes.layers import COLUMNS, term
from netlat_tui.screens.panes.scope import (
    Scope,
    baseline_marks,
    find_scope,
    measured,
    scope_keys,
    scope_name,
    scope_rows,
)
from netlat_tui.screens.stage import FILE_CELLS, StageScreen, explained, interval_name
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.distribution import Marks
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, wrap
from netlat_tui.widgets.table import Table


def facts(scope: Scope, cells: int, glyphs: Glyphs) -> list[Line]:
    """The scope's own figures, wrapped."""
    if isinstance(scope, CpuRow):
        pairs = [
            ("rx/s", quantity(scope.packet_rate - scope.sent_rate, scope.estimated)),
            ("tx/s", quantity(scope.sent_rate, scope.estimated)),
            ("in softirq", percent(scope.softirq_share)),
            ("NET_RX runs", quantity(scope.softirqs)),
            ("in ksoftirqd", quantity(scope.ksoftirqd)),
            ("squeezed", quantity(scope.squeezed)),
            ("backlog drops", quantity(scope.backlog_dropped)),
        ]
    else:
        pairs = [
            ("name", scope.info.name or "?"),
            ("interface", scope.info.iface or "none known"),
            ("may run on CPUs", scope.info.cpus or "?"),
            ("/s", quantity(scope.rate)),
            ("packets", quantity(scope.packets, scope.estimated)),
            ("ambiguous", quantity(scope.ambiguous, scope.estimated)),
        ]
    return wrap((((f" {name} ", Role.DIM), (f"{glyphs.text(value)} ", Role.STRONG)) for name, value in pairs), cells)


class ScopeScreen(ViewScreen):
    """The stages of one CPU or interrupt, with the distribution of the selected one."""

    def __init__(self, context: Context, crumbs: Sequence[str], scope: Scope) -> None:
        super().__init__(context, crumbs)
        self._scope = scope
        self._gone = False

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="facts")
        yield Table(COLUMNS, glyphs, id="stages", empty="no packet of the filter in this window")
        yield Canvas(glyphs, id="plot")

    def show(self, snapshot: Snapshot) -> None:
        scope = find_scope(snapshot, self._scope)
        self._gone = scope is None
        if scope is None:
            self.query_one(Table).show(())
        else:
            self._scope = scope
            self.query_one(Table).show(scope_rows(scope, snapshot, self.context.glyphs))
        self.show_facts()
        self._plot()

    def facts(self, cells: int) -> list[Line]:
        if self._gone:
            words = f" {scope_name(self._scope, self.context.glyphs)}: nothing of it in this window"
            return [((words, Role.DIM),)]
        return facts(self._scope, cells, self.context.glyphs)

    def _plot(self) -> None:
        _, painter = detail(self.query_one(Table).selected, self.context.glyphs, self._marks)
        self.query_one("#plot", Canvas).draw(painter)

    def _marks(self, item: StageRow | Measured) -> Marks:
        return baseline_marks(self.context.state.snapshot, item, self._scope)

    def on_table_moved(self) -> None:
        self._plot()

    def on_table_opened(self, event: Table.Opened) -> None:
        item = event.row.item
        if isinstance(item, StageRow | Measured):
            crumbs = (*self.crumbs, interval_name(item, self.context.glyphs))
            self.app.push_screen(StageScreen(self.context, crumbs, item, self._scope))

    def term(self) -> str:
        """The CPU or interrupt, with the selected stage's threshold where one is selected."""
        own = f"cpu {self._scope.cpu}" if isinstance(self._scope, CpuRow) else f"irq {self._scope.irq}"
        row = self.query_one(Table).selected
        stage = term(row) if row is not None else ""
        return f"{own} and {stage}" if stage else own

    def exported(self, snapshot: Snapshot) -> View:
        rows = scope_rows(self._scope, snapshot, self.context.glyphs)
        items = [row.item for row in rows if isinstance(row.item, StageRow | Measured)]
        changes = baseline.changes(snapshot, scope_keys(self._scope))
        records = [{**interval_record(item), **change} for item, change in zip(items, changes, strict=True)]
        kind = "cpu" if isinstance(self._scope, CpuRow) else "irq"
        return View(kind, self.crumbs, records, [*self.facts(FILE_CELLS), (), *table_lines(COLUMNS, rows)])

    def help(self) -> Help:
        kind = "CPU" if isinstance(self._scope, CpuRow) else "interrupt"
        rows = explained([*measured(self._scope), *self._scope.stages])
        return Help(self.crumbs[-1], f"The stages of the packets this {kind} took.", COLUMNS, True, rows)
