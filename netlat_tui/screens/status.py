"""The status line and the line below it: mode, age, rate, losses, own cost; where one is, and the filter in force."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.snapshot import SelfView, Snapshot
from netlat_tui.model.text import percent, quantity
from netlat_tui.screens.feed import MOST_PATHS
from netlat_tui.screens.panes.paths import clock
from netlat_tui.screens.state import State
from netlat_tui.widgets.bands import Band, latency_band
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, Span, clip, join, width
from netlat_tui.widgets.scrubber import Played

SUMMARY_CELLS = 48
"""Below this the line is all there is to see, so the whole path's p99 belongs to it."""

LATE = 3
"""Intervals without new data after which the age is worth a look."""


def age_words(ns: int) -> str:
    """An age in whole seconds, minutes, hours."""
    seconds = max(0, ns) // 1_000_000_000
    if seconds < 120:
        return f"{seconds}s"
    return f"{seconds // 60}min" if seconds < 7200 else f"{seconds // 3600}h"


def own_cost(cost: SelfView, cpus: int) -> str:
    """Kernel and user side together, as a share of one CPU; marked as a lower bound where the kernel's is not known."""
    if cost.kernel_cpu_share is None:
        return f"self ≥{percent(cost.user_cpu_share)}"
    return f"self {percent(cost.kernel_cpu_share * cpus + cost.user_cpu_share)}"


def budget_words(snapshot: Snapshot) -> str:
    """What is left out for tracing to stay within its budget."""
    if snapshot.every > 1:
        return f"~1 in {snapshot.every} counted"
    return "fewer hooks, paths" if "hooks" in snapshot.held_back else "fewer paths"


def _mode(state: State, now_ns: int) -> list[Span]:
    role = Role.MODE if state.mode in ("LIVE", "REPLAY") else Role.HALTED
    spans: list[Span] = [(f" {state.mode} ", role)]
    if state.snapshot is None or not state.snapshot.ticks:
        return spans
    if not state.live:
        return [*spans, (f" {clock(state.snapshot.time_ns, 0)[:8]}", Role.PLAIN)]
    age = now_ns - state.snapshot.time_ns
    late = not state.frozen and age > LATE * max(1.0, state.interval) * 1e9
    return [*spans, (f" {age_words(age)}", Role.WARM if late else Role.PLAIN)]


def status_line(state: State, now_ns: int, cells: int, glyphs: Glyphs) -> Line:
    """The status line in ``cells`` columns. What is least needed goes first; the mode stays."""
    snapshot = state.snapshot
    fields: list[list[Span]] = [_mode(state, now_ns)]
    badge = _badges(state, cells)
    if snapshot is None or not snapshot.ticks:
        words = "nothing to show" if state.ended else "waiting for the first figures"
        fields.append([(words, Role.DIM)])
    else:
        lost = snapshot.accounting.lost
        short = cells < SUMMARY_CELLS
        unit = "/s" if short else " pkt/s"
        fields.append([(quantity(snapshot.packet_rate, snapshot.every > 1), Role.STRONG), (unit, Role.PLAIN)])
        fields.append([(f"lost {quantity(lost)}", Role.WARM if lost else Role.PLAIN)])
        if snapshot.held_back or snapshot.every > 1:
            fields.append([(budget_words(snapshot), Role.WARM)])
        if short:
            fields.append(_total(snapshot, glyphs))
        fields.append([(own_cost(snapshot.self_view, state.cpus), Role.PLAIN)])
        direction = snapshot.direction.label if snapshot.direction is not None else "rx+tx"
        fields.append([(direction, Role.PLAIN)])
        fields.append([(f"window {state.window}", Role.PLAIN)])
        if state.live and state.marks:
            fields.append([("1 mark" if len(state.marks) == 1 else f"{len(state.marks)} marks", Role.PLAIN)])
        fields.append([(f"every {state.interval:g}s" if state.live else f"speed ×{state.speed:g}", Role.DIM)])
    room = cells - width(badge)
    line: list[Span] = []
    for field in fields:
        gap: list[Span] = [("  ", Role.PLAIN)] if line else []
        if line and width((*line, *gap, *field)) > room:
            break
        line += [*gap, *field]
    line.append((" " * max(0, room - width(line)), Role.PLAIN))
    return clip(_ascii([*line, *badge], glyphs), cells, glyphs.ellipsis)


def _badges(state: State, cells: int) -> list[Span]:
    """The baseline's time, and that a file is being written."""
    spans: list[Span] = []
    if state.baseline is not None:
        time = f"{clock(state.baseline.snapshot.time_ns, 0)[:8]} " if cells >= SUMMARY_CELLS else ""
        spans.append((f" BASE {time}", Role.MODE))
    if state.recording:
        spans.append((" REC ", Role.RECORDING))
    return spans


def played(state: State) -> Played | None:
    """What the scrubber shows: ``None`` where a recording cannot be gone through, or there is none."""
    timeline, player = state.timeline, state.player
    if timeline is None or player is None:
        return None
    number = max(1, player.number)
    words = [f"tick {number} of {timeline.count}"]
    if player.progress is not None:
        words.insert(0, f"going there {percent(player.progress)}")
    if state.marks:
        words.append("1 mark" if len(state.marks) == 1 else f"{len(state.marks)} marks")
    return Played(
        at=timeline.share(timeline.times_ns[number - 1]),
        marks=tuple(timeline.share(mark.time_ns) for mark in state.marks),
        begin=clock(timeline.start_ns, 0)[:8],
        end=clock(timeline.end_ns, 0)[:8],
        words=tuple(words),
    )


def _total(snapshot: Snapshot, glyphs: Glyphs) -> list[Span]:
    p99 = snapshot.total.p99_ns
    band = latency_band(p99)
    return [("p99 ", Role.PLAIN), (glyphs.duration(p99) + glyphs.bands[band].strip(), BAND_ROLE[band])]


def _ascii(spans: Sequence[Span], glyphs: Glyphs) -> Line:
    return join((glyphs.text(text.replace("×", "x") if glyphs.ascii_only else text), role) for text, role in spans)


def crumbs_line(crumbs: Sequence[str], state: State, cells: int, glyphs: Glyphs, beside: str = "") -> Line:
    """Where one is on the left, with what is said ``beside`` it; on the right the filter and who decides which part."""
    left: list[Span] = [(" ", Role.PLAIN)]
    for number, crumb in enumerate(crumbs):
        if number:
            left.append((f" {glyphs.crumb} ", Role.DIM))
        left.append((glyphs.text(crumb), Role.STRONG if number == len(crumbs) - 1 else Role.PLAIN))
    if beside:
        left.append((f"  {glyphs.text(beside)}", Role.PLAIN))
    right = [(glyphs.text(text), role) for text, role in filter_words(state)]
    spare = cells - width(left) - width(right) - 1
    if spare < 1:  # the filter in force is never left out: where one is can be seen from the screen
        right = list(clip(right, max(0, cells - min(width(left), cells // 3) - 3), glyphs.ellipsis))
        left = list(clip(left, max(0, cells - width(right) - 3), glyphs.ellipsis))
        spare = cells - width(left) - width(right) - 1
    return join((*left, (" " * max(1, spare), Role.PLAIN), *right))


def filter_words(state: State) -> list[Span]:
    """The filter in force, which part the kernel decided and which only selects paths, and how many it selected."""
    chosen, snapshot = state.selection.filter, state.snapshot
    recorded: list[Span] = [("recorded with ", Role.DIM), (state.recorded_filter, Role.PLAIN), ("  ", Role.PLAIN)]
    if not state.recorded_filter:
        recorded = []
    if not chosen.text:
        return [*recorded, ("no filter", Role.DIM)]
    spans: list[Span] = [*recorded, ("/ ", Role.ACCENT), (chosen.text, Role.STRONG)]
    if not state.live:
        spans.append(("  paths only", Role.DIM))
    elif not chosen.user_text:
        return [*spans, ("  decided in the kernel", Role.DIM)]
    else:
        if chosen.kernel_text:
            spans += [("  kernel: ", Role.DIM), (chosen.kernel_text, Role.PLAIN)]
        spans += [("  paths only: ", Role.DIM), (chosen.user_text, Role.PLAIN)]
    if snapshot is not None:
        more = "+" if len(snapshot.latest) >= MOST_PATHS else ""
        spans.append((f"  ({len(snapshot.latest)}{more} of {quantity(snapshot.paths_in_window)})", Role.DIM))
    return spans


def band_key(glyphs: Glyphs) -> str:
    """The legend of the bands."""
    warm, hot = glyphs.bands[Band.WARM], glyphs.bands[Band.HOT]
    return f"{warm} from {glyphs.duration(100_000)}   {hot} from {glyphs.duration(1_000_000)}"
