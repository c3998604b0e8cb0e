"""A path, point by point: the waterfall's rows."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.paths import Passage, Path, PathStage
from netlat_tui.model.text import percent
from netlat_tui.widgets.bands import latency_band
from netlat_tui.widgets.cells import Bar, Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role

COLUMNS: tuple[Column, ...] = (
    Column("point", "POINT", 10, 14, right=False, help="the place in the kernel where the packet was seen"),
    Column("at", "at", 8, help="time since the packet's first point"),
    Column("cpu", "CPU", 4, drop=2, help="the CPU it was seen on"),
    Column("took", "took", 6, banded=True, help="time since the point before"),
    Column("share", "share", 6, drop=1, help="part of the packet's whole time"),
    Column("bar", "to scale", 8, 400, right=False, drop=3, help="the stage's place in the packet's time, to scale"),
)


def rows(path: Path, glyphs: Glyphs) -> Sequence[Row]:
    stages: list[PathStage | None] = [None, *path.stages]
    cpus = [None, *(passage.cpu for passage in path.points)]
    return [
        _row(path, passage, stage, moved=before not in (None, passage.cpu), glyphs=glyphs)
        for passage, stage, before in zip(path.points, stages, cpus, strict=False)
    ]


def _share(share: float) -> str:
    return percent(share) if share >= 0.0001 else "0%"


def _row(path: Path, passage: Passage, stage: PathStage | None, *, moved: bool, glyphs: Glyphs) -> Row:
    cpu = Cell(str(passage.cpu), Role.ACCENT if moved else Role.PLAIN)
    point = Cell(passage.point.name)
    if stage is None:
        cells = (point, Cell("0"), cpu, Cell(), Cell(), Cell())
    else:
        band = latency_band(stage.duration_ns)
        total = path.total_ns
        drawn = Bar(stage.start_ns / total, (stage.start_ns + stage.duration_ns) / total) if total else None
        cells = (
            point,
            Cell(glyphs.duration(passage.t_ns)),
            cpu,
            Cell(glyphs.duration(stage.duration_ns), band=band),
            Cell(_share(stage.duration_ns / total) if total else "-"),
            Cell(bar=drawn, band=band),
        )
    return Row(passage.point.index, cells, stage or passage)
