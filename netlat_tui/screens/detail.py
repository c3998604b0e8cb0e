"""What the detail area says of the row under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netlat_tui.model.findings import Finding
from netlat_tui.model.flows import FlowRow, StageFigures
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, IrqClass, Outcome, Stage
from netlat_tui.model.snapshot import CpuRow, Distribution, IrqRow, StageRow
from netlat_tui.model.text import percent
from netlat_tui.screens.panes.base import Measured
from netlat_tui.screens.panes.drops import Dropped
from netlat_tui.screens.panes.why import painter as finding
from netlat_tui.widgets.bands import latency_band
from netlat_tui.widgets.canvas import Painter
from netlat_tui.widgets.cells import Row
from netlat_tui.widgets.distribution import Marks, distribution, figures
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, Span, fit, join, paragraph
from netlat_tui.widgets.trend import bar
from netlat_tui.widgets.waterfall import waterfall

Further = Callable[[StageRow | Measured], Marks]
"""What gives an interval's distribution marks beside its own."""


def stage_title(stage: Stage, glyphs: Glyphs) -> str:
    return stage.ascii_name if glyphs.ascii_only else stage.name


def detail(row: Row | None, glyphs: Glyphs, further: Further = lambda _: ()) -> tuple[str, Painter | None]:
    """Title and painter for a row; the painter is ``None`` where there is nothing to say.

    ``further`` gives the marks that an interval's distribution has beside its own: those of a baseline.
    """
    item = row.item if row is not None else None
    if isinstance(item, StageRow):
        return f"{stage_title(item.stage, glyphs)}, distribution", plot(item.values, glyphs, further(item))
    if isinstance(item, Measured):
        missing = item.missing and not item.values.count
        drawn = _said(glyphs.text(item.missing)) if missing else plot(item.values, glyphs, further(item))
        return glyphs.text(f"{item.title}, distribution"), drawn
    if isinstance(item, CpuRow):
        return f"cpu{item.cpu}, stages that take its packets' time{_of_each(item)}", ranking(item.stages, glyphs)
    if isinstance(item, IrqRow):
        title = glyphs.text(f"irq {item.irq} {item.info.name}, stages of its packets{_of_each(item)}")
        return title, ranking(item.stages, glyphs)
    if isinstance(item, Dropped):
        if item.last is None:
            title = f"{item.kind.reason} at {item.kind.where}"
            return glyphs.text(title), _said("none of its packets has a path in this window")
        return glyphs.text(f"{item.last.flow}, the last to be dropped so"), _path(item.last, glyphs)
    if isinstance(item, Finding):
        return glyphs.text(f"{item.kind.replace('-', ' ')}, {item.subject}"), finding(item, glyphs)
    if isinstance(item, FlowRow):
        if item.others:
            return glyphs.text(item.name), _said(
                f"further connections, added up; filter for one: {item.records} records"
            )
        return glyphs.text(f"{item.name}, stages by p99"), flow_stages(item.paths.stages, glyphs)
    if isinstance(item, Path):
        return glyphs.text(f"{item.flow}, {item.outcome.label}"), _path(item, glyphs)
    return "", None


def _of_each(item: CpuRow | IrqRow) -> str:
    return ", rx and tx apart" if _both(item.stages) else ""


def _both(stages: Sequence[StageRow]) -> bool:
    return len({stage.direction for stage in stages}) > 1


def plot(values: Distribution, glyphs: Glyphs, further: Marks = ()) -> Painter:
    """The figures in a line, the distribution below."""

    def paint(width: int, height: int) -> Sequence[Line]:
        if height < 7 or not values.count:
            return distribution(values, width, height, glyphs, further)
        return [figures(values, width, glyphs), *distribution(values, width, height - 1, glyphs, further)]

    return paint


def ranking(stages: Sequence[StageRow], glyphs: Glyphs) -> Painter:
    """Stages by their share of the time, largest first."""

    def paint(width: int, height: int) -> Sequence[Line]:
        if not stages:
            return [(("no packet of the filter in this window", Role.DIM),)]
        ranked = sorted(stages, key=lambda stage: stage.share, reverse=True)[:height]
        both = _both(stages)
        return [_ranked(stage, width, glyphs, stage.direction.label if both else "") for stage in ranked]

    return paint


def _ranked(row: StageRow, width: int, glyphs: Glyphs, direction: str) -> Line:
    band = latency_band(row.values.p99_ns)
    spans: list[Span] = [
        (f"{direction} " if direction else "", Role.DIM),
        (fit(stage_title(row.stage, glyphs), 18, glyphs.ellipsis), Role.PLAIN),
        (f" {percent(row.share):>6} ", Role.PLAIN),
        (" p99 ", Role.DIM),
        (f"{glyphs.duration(row.values.p99_ns):>7}{glyphs.bands[band]} ", BAND_ROLE[band]),
    ]
    cells = width - 40 - (3 if direction else 0)
    if cells >= 4:
        spans.extend(bar(0.0, row.share, cells, glyphs, Role.TREND))
    return join(spans)


def flow_stages(stages: Sequence[StageFigures], glyphs: Glyphs) -> Painter:
    """A flow's stages, the one with the largest p99 first."""
    ranked = sorted(stages, key=lambda row: (-(row.p99_ns or -1), -row.max_ns))

    def line(row: StageFigures) -> Line:
        band = latency_band(row.p99_ns)
        return (
            (f"{row.stage.direction.label} ", Role.DIM),
            (fit(stage_title(row.stage, glyphs), 20, glyphs.ellipsis), Role.PLAIN),
            (" p50 ", Role.DIM),
            (f"{glyphs.duration(row.p50_ns):>7}", Role.PLAIN),
            ("  p99 ", Role.DIM),
            (f"{glyphs.duration(row.p99_ns):>7}{glyphs.bands[band]}", BAND_ROLE[band]),
            (" max ", Role.DIM),
            (f"{glyphs.duration(row.max_ns):>7}", Role.PLAIN),
            (f"  {row.records} records", Role.DIM),
        )

    return lambda _, height: [line(row) for row in ranked[:height]]


def _said(sentence: str) -> Painter:
    return lambda width, _: paragraph(("", Role.PLAIN), sentence, width, 0, Role.DIM)


def _path(path: Path, glyphs: Glyphs) -> Painter:
    def paint(width: int, height: int) -> Sequence[Line]:
        return [path_facts(path, glyphs), *waterfall(path, width, height - 1, glyphs)]

    return paint


def path_facts(path: Path, glyphs: Glyphs) -> Line:
    """Total, size, interrupt and process in one line."""
    band = latency_band(path.total_ns)
    spans: list[Span] = [
        (glyphs.duration(path.total_ns), BAND_ROLE[band] if band else Role.STRONG),
        (f"  {path.length} B", Role.PLAIN),
    ]
    if path.direction is Direction.RX or path.irq_class is not IrqClass.UNKNOWN:
        spans.append((f"  {irq_words(path)}", Role.PLAIN))
    if path.pid is not None or path.comm:
        spans.append((f"  {process_words(path)}", Role.PLAIN))
    return tuple((glyphs.text(text), role) for text, role in spans)


def process_words(path: Path) -> str:
    if path.pid is None:
        return path.comm or "no process"
    thread = f", thread {path.tid}" if path.tid not in (None, path.pid) else ""
    return f"{path.comm or '?'} (pid {path.pid}{thread})"


_IRQ_WORDS = {
    IrqClass.UNKNOWN: "interrupt not known",
    IrqClass.IRQ: "irq {irq}",
    IrqClass.REPOLL: "polled again, no new interrupt",
    IrqClass.BUSY_POLL: "busy poll, no interrupt",
    IrqClass.THREADED: "threaded NAPI",
    IrqClass.TIMER: "timer, no interrupt",
    IrqClass.RPS: "steered here by RPS",
    IrqClass.LOCAL: "local, no interrupt",
    IrqClass.AMBIGUOUS: "irq ambiguous: one of several",
}


def irq_words(path: Path) -> str:
    """How the packet came to be polled."""
    words = _IRQ_WORDS[path.irq_class].format(irq=path.irq)
    if path.irq is not None and path.irq_class is IrqClass.RPS:
        words += f", irq {path.irq}"
    if path.irq is not None and path.irq_class is IrqClass.AMBIGUOUS:
        words += f", perhaps {path.irq}"
    return words


def outcome_words(path: Path) -> str:
    """How the path ended, as a clause."""
    endings = {
        Outcome.COMPLETE: "read by the application",
        Outcome.MERGED: "folded into another packet",
        Outcome.DROPPED: f"dropped: {path.reason}" + (f" by {path.symbol}" if path.symbol else ""),
        Outcome.FORWARDED: "forwarded to another interface",
        Outcome.CONSUMED: "used up by the kernel itself",
        Outcome.EVICTED: "lost sight of: another packet needed its place in the table",
        Outcome.EXPIRED: "lost sight of: its end was never seen",
    }
    if path.direction.label == "tx" and path.outcome is Outcome.COMPLETE:
        if path.peer and path.points and path.points[-1].point.key == "xmit":  # lo, veth: the same skb comes up again
            return "sent, and received on this machine"
        return "sent, and the driver is done with it"
    return endings[path.outcome]
