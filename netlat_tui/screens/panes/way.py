"""A path, point by point: the waterfall's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlat_tui.model.gaps import Gap, gaps_of, words
from netlat_tui.model.paths import Passage, Path, PathStage
from netlat_tui.model.points import Direction
from netlat_tui.model.text import percent
from netlat_tui.widgets.bands import latency_band
from netlat_tui.widgets.cells import Bar, Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role

COLUMNS: tuple[Column, ...] = (
    Column("point", "POINT", 10, 14, right=False, help="the place in the kernel where the packet was seen"),
    Column("at", "at", 8, help="time since the packet's first point; normally below 100 µs up to the socket"),
    Column(
        "cpu",
        "CPU",
        4,
        drop=2,
        help="the CPU it was seen on; normally one up to the socket, and the reader's from there",
    ),
    Column(
        "took",
        "took",
        6,
        banded=True,
        help="time since the point before; what is normal depends on the stage, see below",
    ),
    Column(
        "share",
        "share",
        6,
        drop=1,
        help="part of the packet's whole time; normally most of it where the packet waits for its reader",
    ),
    Column(
        "bar",
        "to scale",
        8,
        400,
        right=False,
        drop=3,
        gap=2,
        help="the stage's place in the packet's time, to scale; of both halves where both are shown",
    ),
)


@dataclass(frozen=True, slots=True)
class Span:
    """What the bars are drawn to: CLOCK_MONOTONIC of the left edge, and ns to the right one."""

    start_ns: int
    length_ns: int


def rows(path: Path, glyphs: Glyphs, peer: Path | None = None) -> Sequence[Row]:
    """The points of a path; with its other half, those of both, one below the other in time, to one scale."""
    halves = [path] if peer is None else sorted((path, peer), key=lambda half: (half.t0_ns, half.direction))
    start = halves[0].t0_ns
    span = Span(start, max(half.t0_ns + half.total_ns for half in halves) - start)
    made: list[Row] = []
    for half in halves:
        if peer is not None:
            made.append(_heading(half, half.t0_ns - start, glyphs))
        made += _rows(half, span, glyphs)
    return made


def _heading(path: Path, after_ns: int, glyphs: Glyphs) -> Row:
    words = {Direction.TX: "out of", Direction.RX: "in on"}[path.direction]
    later = f", {glyphs.duration(after_ns)} after the other's first point" if after_ns else ""
    title = glyphs.text(f"{path.direction.label}, {words} {path.iface}, {glyphs.duration(path.total_ns)}{later}")
    return Row(("half", path.id), (Cell(title, Role.GROUP), *[Cell()] * (len(COLUMNS) - 1)), heading=True)


def _rows(path: Path, span: Span, glyphs: Glyphs) -> list[Row]:
    stages: list[PathStage | None] = [None, *path.stages]
    cpus = [None, *(passage.cpu for passage in path.points)]
    known = {gap.stage.stage.end.index: gap for gap in gaps_of(path)}
    made = []
    for passage, stage, before in zip(path.points, stages, cpus, strict=False):
        made.append(_row(path, passage, stage, span, moved=before not in (None, passage.cpu), glyphs=glyphs))
        if gap := known.get(passage.point.index):
            made.append(_note(path, gap, glyphs))
    return made


def _note(path: Path, gap: Gap, glyphs: Glyphs) -> Row:
    """What else the CPU was doing, below the point that had to wait for it."""
    said = Cell(f"  {glyphs.text(words(gap))}", role=Role.DIM)
    key = ("gap", path.id, gap.stage.stage.end.index)
    return Row(key, (said, *[Cell()] * (len(COLUMNS) - 1)), heading=True)


def _share(share: float) -> str:
    return percent(share) if share >= 0.0001 else "0%"


def _row(path: Path, passage: Passage, stage: PathStage | None, span: Span, *, moved: bool, glyphs: Glyphs) -> Row:
    cpu = Cell(str(passage.cpu), Role.ACCENT if moved else Role.PLAIN)
    point = Cell(passage.point.name)
    if stage is None:
        cells = (point, Cell("0"), cpu, Cell(), Cell(), Cell())
    else:
        band = latency_band(stage.duration_ns)
        total = path.total_ns
        begin, width = path.t0_ns - span.start_ns + stage.start_ns, span.length_ns
        drawn = Bar(begin / width, (begin + stage.duration_ns) / width) if width else None
        cells = (
            point,
            Cell(glyphs.duration(passage.t_ns)),
            cpu,
            Cell(glyphs.duration(stage.duration_ns), band=band),
            Cell(_share(stage.duration_ns / total) if total else "-"),
            Cell(bar=drawn, band=band),
        )
    return Row((path.id, passage.point.index), cells, stage or passage)


def is_of(row: Row, path: Path) -> bool:
    """Whether a row is a point of this path."""
    return isinstance(row.key, tuple) and row.key[:1] == (path.id,)
