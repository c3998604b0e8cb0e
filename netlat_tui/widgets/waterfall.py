"""A path drawn to scale: a line per stage where there is room, else the stages that took longest."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.paths import Path, PathStage
from netlat_tui.widgets.bands import Band, latency_band
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, Span, fit, join
from netlat_tui.widgets.trend import bar

NAME_CELLS = 18
_ROLE = {Band.CALM: Role.TREND, Band.WARM: Role.WARM, Band.HOT: Role.HOT}


def stage_name(stage: PathStage, glyphs: Glyphs) -> str:
    return stage.stage.ascii_name if glyphs.ascii_only else stage.stage.name


def waterfall(path: Path, cells: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """At most ``rows`` lines of ``cells`` columns, in the order of the way; says how many stages are not shown."""
    stages = path.stages
    if not stages:
        return [(("only one point of this path was seen", Role.DIM),)]
    shown: Sequence[PathStage] = stages
    if len(stages) > rows:
        longest = sorted(stages, key=lambda stage: stage.duration_ns, reverse=True)[: max(1, rows - 1)]
        shown = [stage for stage in stages if stage in longest]
    lines = [_line(stage, path.total_ns, cells, glyphs) for stage in shown]
    left = [stage for stage in stages if stage not in shown]
    if left and len(lines) < rows:
        took = glyphs.duration(sum(stage.duration_ns for stage in left))
        plural = "s" if len(left) > 1 else ""
        lines.append(((f"{len(left)} shorter stage{plural}: {took} together", Role.DIM),))
    return lines


def _line(stage: PathStage, total_ns: int, cells: int, glyphs: Glyphs) -> Line:
    band = latency_band(stage.duration_ns)
    took = glyphs.duration(stage.duration_ns)
    spans: list[Span] = [
        (fit(stage_name(stage, glyphs), NAME_CELLS, glyphs.ellipsis), Role.PLAIN),
        (" " + fit(took, 7, glyphs.ellipsis, right=True), BAND_ROLE[band]),
        (glyphs.bands[band], BAND_ROLE[band]),
        (f" cpu{stage.cpu:<3} ", Role.DIM),
    ]
    width = cells - NAME_CELLS - 17
    if width >= 4 and total_ns > 0:
        start, end = stage.start_ns / total_ns, (stage.start_ns + stage.duration_ns) / total_ns
        spans.extend(bar(start, end, width, glyphs, _ROLE[band]))
    return join(spans)
