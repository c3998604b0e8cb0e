"""One packet's whole way: a waterfall to scale, with every point's time and CPU."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from netlat_tui.model.paths import Passage, Path, PathStage
from netlat_tui.model.points import IrqClass
from netlat_tui.model.snapshot import Snapshot, StageRow
from netlat_tui.model.text import percent
from netlat_tui.screens.detail import irq_words, outcome_words, plot, process_words, stage_title
from netlat_tui.screens.dump import View, point_records, table_lines
from netlat_tui.screens.panes import paths as paths_pane
from netlat_tui.screens.panes import way
from netlat_tui.screens.panes.paths import clock
from netlat_tui.screens.stage import FILE_CELLS, StageScreen
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.bands import latency_band
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.cells import Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.line_view import Lines
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, wrap
from netlat_tui.widgets.table import Table
from netlat_tui.widgets.waterfall import waterfall


def facts(path: Path, cells: int, glyphs: Glyphs) -> list[Line]:
    """How long, how it ended, read by whom, by which interrupt, when: in as many lines as it takes."""
    band = latency_band(path.total_ns)
    ambiguous = path.irq_class is IrqClass.AMBIGUOUS
    entries: list[tuple[str, str, Role]] = [
        ("total", glyphs.duration(path.total_ns), BAND_ROLE[band] if band else Role.STRONG),
        ("outcome", outcome_words(path), Role.HOT if path.reason else Role.PLAIN),
        ("process", process_words(path), Role.PLAIN),
        ("interrupt", irq_words(path), Role.WARM if ambiguous else Role.PLAIN),
        (path.direction.label, path.iface, Role.PLAIN),
        ("netns", str(path.netns), Role.PLAIN),
        ("at", clock(path.time_ns, 6), Role.PLAIN),
        ("length", f"{path.length} B", Role.PLAIN),
        ("id", path.id, Role.PLAIN),
    ]
    if path.merged:
        entries.append(("merged", f"{path.merged} packets folded into this one", Role.PLAIN))
    if path.hops:
        entries.append(("hops", f"{path.hops} more through the link layer", Role.PLAIN))
    if path.flags:
        words = ", ".join(flag.name.lower().replace("_", " ") for flag in path.flags)
        entries.append(("flags", words, Role.PLAIN))
    return wrap((((f" {name} ", Role.DIM), (f"{glyphs.text(value)} ", role)) for name, value, role in entries), cells)


def explanation(row: Row | None, path: Path, glyphs: Glyphs) -> list[Line]:
    """The selected point in a sentence, and what the stage that leads to it took."""
    item = row.item if row is not None else None
    if isinstance(item, Passage):
        return [((f" {item.point.name}: ", Role.STRONG), (item.point.summary, Role.PLAIN))]
    if not isinstance(item, PathStage):
        return []
    end = item.stage.end
    share = percent(item.duration_ns / path.total_ns) if path.total_ns else "-"
    took = f"{glyphs.duration(item.duration_ns)}, {share} of the whole; below, what all packets of the window took here"
    return [
        ((f" {end.name}: ", Role.STRONG), (glyphs.text(end.summary), Role.PLAIN)),
        ((f" {stage_title(item.stage, glyphs)}: ", Role.STRONG), (took, Role.PLAIN)),
    ]


class PathScreen(ViewScreen):
    """Stays with its packet whatever the figures do. Enter on a point opens the distribution of the stage before it."""

    def __init__(self, context: Context, crumbs: Sequence[str], path: Path) -> None:
        super().__init__(context, crumbs)
        self.path = path

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="facts")
        yield Table(way.COLUMNS, glyphs, id="way", empty="no point of this path was seen")
        yield Lines(glyphs, id="explanation")
        yield Canvas(glyphs, id="plot")

    def on_mount(self) -> None:
        glyphs = self.context.glyphs
        table = self.query_one(Table)
        rows = way.rows(self.path, glyphs)
        table.styles.max_height = len(rows) + 1
        table.show(rows)
        worst = self.path.worst
        if worst is not None:
            table.select(next(index for index, row in enumerate(table.rows) if row.item == worst))
        super().on_mount()
        self.on_table_moved()

    def facts(self, cells: int) -> list[Line]:
        return facts(self.path, cells, self.context.glyphs)

    def show(self, snapshot: Snapshot) -> None:
        """A path does not change with the figures; what others took does."""
        row = self.query_one(Table).selected
        found = self._counted(row.item, snapshot) if row is not None else None
        self.query_one("#plot", Canvas).draw(plot(found.values, self.context.glyphs) if found is not None else None)

    def _counted(self, item: object, snapshot: Snapshot) -> StageRow | None:
        """What was counted of the stage in the window, over all packets."""
        wanted = item.stage.id if isinstance(item, PathStage) else None
        return next((row for row in snapshot.stages if row.stage.id == wanted), None)

    def on_table_moved(self) -> None:
        words = explanation(self.query_one(Table).selected, self.path, self.context.glyphs)
        self.query_one("#explanation", Lines).show(words)
        if self.context.state.snapshot is not None:
            self.show(self.context.state.snapshot)

    def on_table_opened(self, event: Table.Opened) -> None:
        item, snapshot = event.row.item, self.context.state.snapshot
        if not isinstance(item, PathStage) or snapshot is None:
            return
        found = self._counted(item, snapshot)
        if found is not None:
            crumbs = (*self.crumbs, stage_title(item.stage, self.context.glyphs))
            self.app.push_screen(StageScreen(self.context, crumbs, found))
        else:
            self.post_message(self.Say("nothing was counted of this stage in the window shown"))

    def term(self) -> str:
        return paths_pane.term(Row(self.path.id, (), self.path))

    def exported(self, snapshot: Snapshot) -> View:
        glyphs = self.context.glyphs
        table = table_lines(way.COLUMNS, way.rows(self.path, glyphs))
        drawn = waterfall(self.path, FILE_CELLS, len(self.path.points), glyphs)
        return View("path", self.crumbs, point_records(self.path), [*self.facts(FILE_CELLS), (), *table, (), *drawn])

    def help(self) -> Help:
        return Help("Path", "One packet's way, point by point, to scale.", way.COLUMNS, stages=True)
