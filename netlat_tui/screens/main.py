"""The first screen: the panes, one or several of them at once, and the detail of the selected row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content

from netlat_tui.export import baseline, values
from netlat_tui.model.findings import Finding
from netlat_tui.model.findings import View as Shown
from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import Snapshot, StageRow
from netlat_tui.screens.detail import detail
from netlat_tui.screens.dump import Record, View
from netlat_tui.screens.heat import open_cell
from netlat_tui.screens.heat_view import HeatView
from netlat_tui.screens.opening import screen_of, shown_by
from netlat_tui.screens.pane_box import PaneBox
from netlat_tui.screens.panes import cpus, drops, flows, heat, irqs, layers, paths, whole, why
from netlat_tui.screens.panes.base import Measured, Pane
from netlat_tui.screens.panes.paths import Order
from netlat_tui.screens.panes.scope import baseline_marks
from netlat_tui.screens.stage import explained
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.bands import Band
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.distribution import Marks
from netlat_tui.widgets.line_view import LineView
from netlat_tui.widgets.lines import Line, Role, Span, clip, fit, join, width
from netlat_tui.widgets.table import Table

PANES: tuple[Pane, ...] = (
    layers.PANE, cpus.PANE, irqs.PANE, paths.PANE, drops.PANE, heat.PANE, flows.PANE, why.PANE,
)  # fmt: skip
PLACED = (layers.PANE, cpus.PANE, irqs.PANE, drops.PANE, paths.PANE, *(pane for pane in PANES if pane.alone))
"""The same in the order of the grid, where several are shown at once."""

Body = Table | HeatView
"""What a pane is drawn by."""


class MainScreen(ViewScreen):
    """Panes with a detail area: one at a time where it is narrow, all at once where there is room."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_pane(1)", "Next pane", show=False, id="pane.next"),
        Binding("shift+tab", "next_pane(-1)", "Previous pane", show=False, id="pane.previous"),
        *(
            Binding(str(number), f"pane({number})", pane.title, show=False, id=f"pane.{pane.key}")
            for number, pane in enumerate(PANES, 1)
        ),
        Binding("z", "zoom", "Zoom the pane, or all again", show=False, id="pane.zoom"),
        Binding("w", "pane_of('why')", "Why: what stands out", show=False, id="pane.why.word"),
        Binding("o", "order", "Paths: slowest or latest first", show=False, id="paths.order"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context, (PANES[0].title,))
        self._current = 0
        self._order = Order.SLOWEST
        self._detail_title = ""
        self._severe = why.Severe()

    # -- body

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="tabs")
        with Container(id="panes"):
            for pane in PLACED:
                number = PANES.index(pane) + 1
                with PaneBox(pane) as box:
                    box.border_title = f"{number} {pane.title}"
                    yield self._body(pane)
            with Vertical(id="detail"):
                yield Canvas(glyphs, id="detail-title")
                yield Canvas(glyphs, id="detail-body")

    def _body(self, pane: Pane) -> Body:
        glyphs, name = self.context.glyphs, f"table-{pane.key}"
        if pane is heat.PANE:
            return HeatView(glyphs, id=name)
        return Table(pane.columns, glyphs, id=name, empty="waiting for the first figures")

    def on_mount(self) -> None:
        self.query_one("#tabs", Canvas).draw(lambda cells, _: [self._tabs(cells)])
        self._choose(0)
        super().on_mount()

    def main_table(self) -> Body | None:
        return self._table(self._current)

    def _table(self, number: int) -> Body:
        return cast(Body, self.query_one(f"#table-{PANES[number].key}", LineView))

    @property
    def _heat(self) -> HeatView:
        return self.query_one(HeatView)

    @property
    def pane(self) -> Pane:
        return PANES[self._current]

    def show(self, snapshot: Snapshot) -> None:
        """What nobody looks at is not made."""
        for pane in PANES:
            if pane is self.pane or self._box(pane).display:
                self._fill(pane, snapshot)
            elif pane is why.PANE:  # how many there are is told on every pane
                self._severe.look(snapshot)
        self._show_heat()
        self._refresh_detail()

    def _fill(self, pane: Pane, snapshot: Snapshot) -> None:
        glyphs, table = self.context.glyphs, self._table(PANES.index(pane))
        if not isinstance(table, Table):
            return
        rows = paths.rows(snapshot, glyphs, self._order) if pane is paths.PANE else pane.rows(snapshot, glyphs)
        table.show(rows, glyphs.text(pane.empty(snapshot)))
        if pane is why.PANE:
            self._severe.told([row.item for row in rows if isinstance(row.item, Finding)], snapshot)

    def on_pane_box_seen(self, message: PaneBox.Seen) -> None:
        snapshot = self.context.state.snapshot
        if snapshot is not None and message.pane is not self.pane:
            self._fill(message.pane, snapshot)

    def _box(self, pane: Pane) -> PaneBox:
        return self.query_one(f"#pane-{pane.key}", PaneBox)

    def _show_heat(self) -> None:
        """It is made only while somebody looks at it."""
        if self.pane is heat.PANE and self.context.state.snapshot is not None:
            self._heat.show_snapshot(self.context.state.snapshot)
            self._say_where()

    def _say_where(self) -> None:
        named = self.pane is heat.PANE and self._heat.title
        self.crumbs = (self.pane.title, self._heat.title) if named else (self.pane.title,)
        self.refresh_frame()

    def _refresh_detail(self) -> None:
        glyphs = self.context.glyphs
        table = self._table(self._current)
        title, painter = detail(table.selected, glyphs, self._marks) if isinstance(table, Table) else table.detail()
        words = f" {title} " if title else ""

        def rule(cells: int, _: int) -> Sequence[Line]:
            spans: list[Span] = [(glyphs.rule * 2, Role.DIM), (words, Role.GROUP)]
            return [
                join((*clip(spans, cells, glyphs.ellipsis), (glyphs.rule * max(0, cells - width(spans)), Role.DIM)))
            ]

        if title != self._detail_title:  # setting it draws the whole area again
            self._detail_title = title
            self.query_one("#detail").border_title = Content(title)
        self.query_one("#detail-title", Canvas).draw(rule)
        self.query_one("#detail-body", Canvas).draw(painter)
        self.query_one("#tabs", Canvas).repaint()

    def _marks(self, item: StageRow | Measured) -> Marks:
        return baseline_marks(self.context.state.snapshot, item)

    def _tabs(self, cells: int) -> Line:
        """All panes; where there is no room for all names, those of the one that is shown and of what is wrong."""
        spans = self._named(PANES)
        if width(spans) > cells + 2:  # blanks at the end
            spans = self._named((PANES[self._current], why.PANE))
        at, count = self._table(self._current).position
        place, left = f"{at} of {count} ", cells - width(spans)
        if len(place) < left:
            spans.append((fit(place, left, "", right=True), Role.DIM))
        return join(spans)

    def _named(self, named: Sequence[Pane]) -> list[Span]:
        spans: list[Span] = [(" ", Role.PLAIN)]
        for number, pane in enumerate(PANES):
            role = Role.SORTED if number == self._current else Role.DIM
            spans.append((f"{number + 1} {pane.title}" if pane in named else f"{number + 1}", role))
            if pane is why.PANE and self._severe.count:
                spans.append((f" {self._severe.count}{self.context.glyphs.bands[Band.HOT]}", Role.HOT))
            spans.append(("  ", Role.PLAIN))
        return spans

    # -- panes

    def _choose(self, number: int) -> None:
        self._current = number % len(PANES)
        self.set_class(self.pane.alone, "-alone")
        self.set_class(self.pane is heat.PANE, "-heatmap")
        for index, pane in enumerate(PANES):
            self._box(pane).set_class(index == self._current, "-current")
        self._title_paths()
        self.focus_table()
        if self.context.state.snapshot is not None:
            self._fill(self.pane, self.context.state.snapshot)
        self._show_heat()
        self._refresh_detail()
        self._say_where()

    def _title_paths(self) -> None:
        number = PANES.index(paths.PANE) + 1
        self._box(paths.PANE).border_title = f"{number} Paths, {self._order.value} first"

    def action_pane(self, number: int) -> None:
        self._choose(number - 1)

    def action_pane_of(self, key: str) -> None:
        self._choose(next(at for at, pane in enumerate(PANES) if pane.key == key))

    def action_next_pane(self, step: int) -> None:
        self._choose(self._current + step)

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")

    def action_order(self) -> None:
        """Turn the paths pane between the slowest and the latest."""
        self._order = Order.LATEST if self._order is Order.SLOWEST else Order.SLOWEST
        self._choose(PANES.index(paths.PANE))
        self.refresh_view()

    def action_back(self) -> None:
        if self.typing_nothing and self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        else:
            super().action_back()

    # -- rows

    def on_table_moved(self, event: Table.Moved) -> None:
        if event.table is self._table(self._current):
            self._refresh_detail()

    def on_heatmap_moved(self) -> None:
        self._refresh_detail()

    def on_heat_view_turned(self) -> None:
        self._say_where()
        self._refresh_detail()

    def on_heatmap_opened(self) -> None:
        open_cell(self, self._heat)

    def on_descendant_focus(self) -> None:
        for number in range(len(PANES)):
            if self._table(number).has_focus and number != self._current:
                self._choose(number)

    def on_table_opened(self, event: Table.Opened) -> None:
        item, snapshot = event.row.item, self.context.state.snapshot
        if isinstance(item, Finding):
            if item.view is Shown.PANE:
                self.action_pane_of(str(item.at))
                return
            item = shown_by(item, snapshot) if snapshot is not None else None
        opened = screen_of(self.context, self.crumbs, item)
        if opened is not None:
            self.app.push_screen(opened)
        elif item is None:
            self.post_message(self.Say("what showed it is no longer among the figures"))

    def dist(self) -> int | None:
        row = self._table(self._current).selected
        return heat.dist_of(row.item) if row is not None else None

    def beside(self) -> str:
        snapshot = self.context.state.snapshot
        if self.pane is paths.PANE:
            return f"{self._order.value} first"
        return flows.rests_on(snapshot) if self.pane is flows.PANE and snapshot is not None else ""

    def term(self) -> str:
        row = self._table(self._current).selected
        return self.pane.term(row) if row is not None else ""

    def exported(self, snapshot: Snapshot) -> View:
        if self.pane is heat.PANE:
            return self._heat.exported(snapshot, self.crumbs)
        if self.pane is flows.PANE:
            return flows.exported(snapshot, self.crumbs, self.context.glyphs)
        records: dict[str, Sequence[Record]] = {
            layers.PANE.key: _changed(
                [*map(_delay_record, values.delays(snapshot)), *values.stages(snapshot)], baseline.of_layers(snapshot)
            ),
            cpus.PANE.key: _changed(values.cpus(snapshot), baseline.of_cpus(snapshot)),
            irqs.PANE.key: _changed(values.irqs(snapshot), baseline.of_irqs(snapshot)),
            drops.PANE.key: _changed(values.drops(snapshot), baseline.of_drops(snapshot)),
            why.PANE.key: values.findings(snapshot),
            paths.PANE.key: values.paths(snapshot, paths.chosen(snapshot, self._order)),
        }
        return View(self.pane.key, self.crumbs, records[self.pane.key], whole=True)

    def help(self) -> Help:
        of_layers = self.pane is layers.PANE
        snapshot = self.context.state.snapshot
        rows = [] if snapshot is None or not of_layers else [*whole.delays(snapshot), *whole.totals(snapshot)]
        stages = snapshot.stages if snapshot is not None and of_layers else ()
        return Help(self.pane.title, self.pane.summary, self.pane.columns, of_layers, explained([*rows, *stages]))


def _changed(records: Sequence[Record], changes: Sequence[Record]) -> list[Record]:
    """Rows with what changed against the baseline, where there is one."""
    return [{**record, **change} for record, change in zip(records, changes, strict=True)]


def _delay_record(delay: Record) -> Record:
    """A delay as a row beside those of stages."""
    return {"direction": Direction.RX.label, "stage": delay["name"]} | {
        name: value for name, value in delay.items() if name != "name"
    }
