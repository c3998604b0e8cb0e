"""One packet's whole way: a waterfall to scale, with every point's time and CPU."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from netlat_tui.model.derive import peer_of
from netlat_tui.model.gaps import NO_OTHERS, Others, others_in, others_words
from netlat_tui.model.paths import Passage, Path, PathStage
from netlat_tui.model.snapshot import Snapshot, StageRow
from netlat_tui.model.text import percent
from netlat_tui.screens.detail import plot, stage_title
from netlat_tui.screens.dump import View, point_records, table_lines
from netlat_tui.screens.panes import paths as paths_pane
from netlat_tui.screens.panes import way
from netlat_tui.screens.path_facts import facts
from netlat_tui.screens.stage import FILE_CELLS, StageScreen, explained
from netlat_tui.screens.view import Context, Help, ViewScreen
from netlat_tui.widgets.canvas import Canvas
from netlat_tui.widgets.cells import Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.line_view import Lines
from netlat_tui.widgets.lines import Line, Role
from netlat_tui.widgets.table import Table
from netlat_tui.widgets.waterfall import waterfall

BESIDE = 13
"""Lines that stay for the frame, the explanation and a distribution when both halves of a path are shown."""

STILL_COMING_NS = 30_000_000_000
"""So long after a path's end others that were under way with it may yet end."""


def explanation(row: Row | None, path: Path, glyphs: Glyphs, others: Others = NO_OTHERS) -> list[Line]:
    """The selected point in a sentence, what the stage before it took, what is normal of it, and what its CPU did
    meanwhile."""
    item = row.item if row is not None else None
    if isinstance(item, Passage):
        return [((f" {item.point.name}: ", Role.STRONG), (item.point.summary, Role.PLAIN))]
    if not isinstance(item, PathStage):
        return []
    end = item.stage.end
    share = percent(item.duration_ns / path.total_ns) if path.total_ns else "-"
    took = f"{glyphs.duration(item.duration_ns)}, {share} of the whole; below, all packets of the window"
    told: list[Line] = [
        ((f" {end.name}: ", Role.STRONG), (glyphs.text(end.summary), Role.PLAIN)),
        ((f" {stage_title(item.stage, glyphs)}: ", Role.STRONG), (took, Role.PLAIN)),
        ((" normally ", Role.STRONG), (glyphs.text(item.stage.normal.removeprefix("normally ")), Role.PLAIN)),
    ]
    meanwhile = others_words(item.cpu, others)
    return [*told, ((f" {meanwhile}", Role.PLAIN),)] if meanwhile else told


class PathScreen(ViewScreen):
    """Stays with its packet whatever the figures do. Enter on a point opens the distribution of the stage before it.

    Of a packet that went down and came up again (lo, veth) both halves are shown where there is room.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "peer", "Other half", id="path.peer"),
    ]

    def __init__(self, context: Context, crumbs: Sequence[str], path: Path) -> None:
        super().__init__(context, crumbs)
        self.path = path
        self.peer: Path | None = None
        self._others: dict[Hashable, Others] = {}
        self._told = 2  # lines of the explanation

    def compose_body(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield Canvas(glyphs, id="facts")
        yield Table(way.COLUMNS, glyphs, id="way", empty="no point of this path was seen")
        yield Lines(glyphs, id="explanation")
        yield Canvas(glyphs, id="plot")

    def on_mount(self) -> None:
        if self.context.state.snapshot is not None:
            self._find_peer(self.context.state.snapshot)
        table = self.query_one(Table)
        self._show_way()
        worst = self.path.worst
        if worst is not None:
            table.select(next(index for index, row in enumerate(table.rows) if row.item == worst))
        super().on_mount()
        self.on_table_moved()

    def on_resize(self) -> None:
        super().on_resize()
        self._show_way()

    def _show_way(self) -> None:
        """The points of this path, and of its other half where both fit beside what is below them."""
        table = self.query_one(Table)
        rows = way.rows(self.path, self.context.glyphs, self.peer)
        if self.peer is not None and self.size.height - len(self.facts(self.size.width)) < len(rows) + BESIDE:
            rows = way.rows(self.path, self.context.glyphs)
        table.styles.max_height = len(rows) + 1
        table.show(rows)

    def _find_peer(self, snapshot: Snapshot) -> bool:
        """Look for the other half, which may come later than this one; says whether it has just been found."""
        if self.peer is None and self.path.peer:
            self.peer = peer_of(snapshot, self.path)
            return self.peer is not None
        return False

    def facts(self, cells: int) -> list[Line]:
        return facts(self.path, self.peer, cells, self.context.glyphs)

    def show(self, snapshot: Snapshot) -> None:
        """A path does not change with the figures; what others took does."""
        if self._find_peer(snapshot):
            self.show_facts()
            self._show_way()
        row = self.query_one(Table).selected
        self._explain(row, snapshot)
        found = self._counted(row.item, snapshot) if row is not None else None
        self.query_one("#plot", Canvas).draw(plot(found.values, self.context.glyphs) if found is not None else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.path.peer) if action == "peer" else super().check_action(action, parameters)

    def action_peer(self) -> None:
        """Show the other half in place of this one, so that Escape leads back to where one came from."""
        if self.peer is None:
            self.post_message(self.Say("the other half has no record here: it was not sent up, or it is too old"))
            return
        crumbs = (*self.crumbs[:-1], self.context.glyphs.text(f"{self.peer.direction.label} {self.peer.flow}"))
        other = PathScreen(self.context, crumbs, self.peer)
        other.peer = self.path
        self.app.switch_screen(other)

    def _counted(self, item: object, snapshot: Snapshot) -> StageRow | None:
        """What was counted of the stage in the window, over all packets."""
        wanted = item.stage.id if isinstance(item, PathStage) else None
        return next((row for row in snapshot.stages if row.stage.id == wanted), None)

    def _explain(self, row: Row | None, snapshot: Snapshot | None) -> None:
        halves = [half for half in (self.path, self.peer) if half is not None]
        whose = next((half for half in halves if row is not None and way.is_of(row, half)), self.path)
        others = self._meanwhile(row, whose, snapshot) if row is not None else NO_OTHERS
        told = explanation(row, whose, self.context.glyphs, others)
        below = self.query_one("#explanation", Lines)
        self._told = max(self._told, len(told))  # it grows once, and nothing moves when the cursor does
        below.styles.height = self._told
        below.show(told)

    def _meanwhile(self, row: Row, path: Path, snapshot: Snapshot | None) -> Others:
        """Others in the gap before a row's point. Those that end later come to it; those let go since are kept."""
        known = self._others.get(row.key, NO_OTHERS)
        if not isinstance(row.item, PathStage) or snapshot is None:
            return known
        ended = path.t0_ns + path.total_ns
        if row.key not in self._others or snapshot.mono_ns - ended < STILL_COMING_NS:
            found = others_in(path, row.item, snapshot.under_way)
            self._others[row.key] = max(known, found, key=lambda others: others.packets)
        return self._others.get(row.key, NO_OTHERS)

    def on_table_moved(self) -> None:
        snapshot = self.context.state.snapshot
        if snapshot is not None:
            self.show(snapshot)
        else:
            self._explain(self.query_one(Table).selected, None)

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

    def dist(self) -> int | None:
        """Of the stage that leads to the selected point."""
        row = self.query_one(Table).selected
        return row.item.stage.id if row is not None and isinstance(row.item, PathStage) else None

    def term(self) -> str:
        return paths_pane.term(Row(self.path.id, (), self.path))

    def exported(self, snapshot: Snapshot) -> View:
        glyphs = self.context.glyphs
        table = table_lines(way.COLUMNS, way.rows(self.path, glyphs, self.peer))
        drawn = [
            line
            for path in (self.path, self.peer)
            if path is not None
            for line in [(), *waterfall(path, FILE_CELLS, len(path.points), glyphs)]
        ]
        return View("path", self.crumbs, point_records(self.path), [*self.facts(FILE_CELLS), (), *table, *drawn])

    def help(self) -> Help:
        rows = explained(self.path.stages)
        return Help("Path", "One packet's way, point by point, to scale.", way.COLUMNS, True, rows)
