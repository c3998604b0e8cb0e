"""A stage: its distribution, what its two points mean, and which CPUs and interrupts its packets came by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from textual.app import ComposeResult

from netlat_tui.model.distributions import nothing
from netlat_tui.model.paths import PathStage
from netlat_tui.model.snapshot import CpuRow, IrqRow, Snapshot, StageRow, Trend
from netlat_tui.screens.detail import plot, stage_title
from netlat_tui.screens.dump import View, interval_record, table_lines
from netlat_tui.screens.panes import whole
from netlat_tui.screens.panes.base import Measured
from netlat_tui.screens.panes.heat import dist_of
from netlat_tui.screens.panes.scope import (
    WHERE_COLUMNS,
    Scope,
    baseline_marks,
    find_scope,
    in_scope,
    measured,
    scope_name,
    where_rows,
)
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.distribution import Marks
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Line, Role, paragraph
from netlat_tui.widgets.table import Table

FILE_CELLS = 100
"""Width of drawings in a text file."""


class StageScreen(ViewScreen):
    """One interval, over everything or of one CPU or interrupt (``scope``)."""

    def __init__(
        self, context: Context, crumbs: Sequence[str], item: StageRow | Measured, scope: Scope | None = None
    ) -> None:
        super().__init__(context, crumbs)
        self._item = item
        self._scope = scope

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="facts")
        yield Canvas(glyphs, id="plot")
        if self._scope is None:
            yield Table(WHERE_COLUMNS, glyphs, id="where", empty="nothing counted in this window")

    def facts(self, cells: int) -> list[Line]:
        glyphs = self.context.glyphs
        if isinstance(self._item, Measured):
            texts = [(self._item.summary, Role.PLAIN), (self._item.missing, Role.WARM)]
            return [
                line
                for text, role in texts
                if text
                for line in paragraph(("", Role.PLAIN), glyphs.text(text), cells, 1, role)
            ]
        stage = self._item.stage
        said = ((stage.start.name, stage.start.summary), (stage.end.name, stage.end.summary), ("normal", stage.normal))
        return [
            line
            for name, words in said
            for line in paragraph((f" {name}", Role.STRONG), glyphs.text(words.removeprefix("normally ")), cells, 12)
        ]

    def show(self, snapshot: Snapshot) -> None:
        self._item = self._fresh(snapshot)
        self.query_one("#plot", Canvas).draw(plot(self._item.values, self.context.glyphs, self._marks(snapshot)))
        for table in self.query(Table):
            table.show(where_rows(snapshot, self._item, self.context.glyphs))

    def _marks(self, snapshot: Snapshot) -> Marks:
        return baseline_marks(snapshot, self._item, self._scope)

    def _fresh(self, snapshot: Snapshot) -> StageRow | Measured:
        """The same interval in this snapshot; as it was, but empty, where nothing was counted of it."""
        item = self._item
        scope = find_scope(snapshot, self._scope) if self._scope is not None else None
        if isinstance(item, Measured):
            if self._scope is None:
                return whole.find(snapshot, item.key) or replace(item, values=nothing(), missing="")
            found = list(measured(scope)) if scope is not None else []
            if isinstance(scope, CpuRow):
                found += [*whole.delays(scope), *whole.totals(scope)]
            return next((other for other in found if other.key == item.key), replace(item, values=nothing()))
        rows = snapshot.stages if self._scope is None else scope.stages if scope is not None else ()
        return next((row for row in rows if row.stage.id == item.stage.id), _emptied(item))

    def on_table_opened(self, event: Table.Opened) -> None:
        scope = event.row.item
        if not isinstance(scope, CpuRow | IrqRow):
            return
        found: StageRow | Measured | None = None
        if isinstance(self._item, StageRow):
            row = in_scope(scope, self._item)
            found = row if isinstance(row, StageRow) else None
        elif isinstance(scope, CpuRow):
            found = whole.find(scope, self._item.key)
        if found is not None:
            crumbs = (*self.crumbs, scope_name(scope, self.context.glyphs))
            self.app.push_screen(StageScreen(self.context, crumbs, found, scope))

    def dist(self) -> int | None:
        """What is kept tick by tick is of all CPUs together."""
        return dist_of(self._item) if self._scope is None else None

    def term(self) -> str:
        for table in self.query(Table):
            item = table.selected.item if table.selected is not None else None
            if isinstance(item, CpuRow):
                return f"cpu {item.cpu}"
            if isinstance(item, IrqRow):
                return f"irq {item.irq}"
        return ""

    def exported(self, snapshot: Snapshot) -> View:
        glyphs = self.context.glyphs
        lines = [*self.facts(FILE_CELLS), (), *plot(self._item.values, glyphs, self._marks(snapshot))(FILE_CELLS, 16)]
        records = [interval_record(self._item)]
        if self._scope is None:
            rows = where_rows(snapshot, self._item, glyphs)
            lines += [(), *table_lines(WHERE_COLUMNS, rows)]
            for scope in [row.item for row in rows if isinstance(row.item, CpuRow | IrqRow)]:
                found = in_scope(scope, self._item)
                if found is not None:
                    name = scope_name(scope, glyphs)
                    item = found if isinstance(found, StageRow) else replace(self._item, values=found.values)
                    records.append({"taken_by": name, **interval_record(item)})
        return View("stage", self.crumbs, records, lines)

    def help(self) -> Help:
        columns = WHERE_COLUMNS if self._scope is None else ()
        summary = "How long packets took here: samples over time, on a logarithmic axis."
        return Help(self.crumbs[-1], summary, columns, intervals=explained([self._item]))


def explained(items: Iterable[StageRow | PathStage | Measured]) -> list[tuple[str, str]]:
    """What they are called, with a sentence each that says what is normal."""
    return [
        (item.title, item.summary) if isinstance(item, Measured) else (item.stage.name, item.stage.sentence)
        for item in items
    ]


def interval_name(item: StageRow | Measured, glyphs: Glyphs) -> str:
    return stage_title(item.stage, glyphs) if isinstance(item, StageRow) else glyphs.text(item.title)


def _emptied(row: StageRow) -> StageRow:
    return StageRow(row.stage, 0.0, 0.0, nothing(), Trend())
