"""Paths: single packets, the slowest of the window or the latest."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from enum import Enum

from netlat_tui.model.derive import decode_rows
from netlat_tui.model.filter import quote
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, Outcome
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.ticks import Rows
from netlat_tui.screens.panes.base import Pane, latency, nothing_seen
from netlat_tui.widgets.bands import Band
from netlat_tui.widgets.cells import Cell, Column, Row
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import Role

COLUMNS: tuple[Column, ...] = (
    Column("time", "TIME", 12, right=False, drop=3, help="local time of the packet's first point"),
    Column("way", "IO", 2, right=False, drop=6, help="rx: the packet came in; tx: it went out"),
    Column("flow", "FLOW", 33, 64, right=False, help="protocol, source and destination"),
    Column("iface", "IFACE", 7, 15, right=False, drop=1, help="the interface the packet came in on or went out of"),
    Column("cpu", "CPU", 3, drop=2, help="the CPU whose softirq took the packet, or that sent it"),
    Column(
        "total",
        "total",
        6,
        banded=True,
        help="from the packet's first point to its last; without the wait for its reader, normally below 100 µs",
    ),
    Column(
        "worst",
        "worst stage",
        18,
        34,
        right=False,
        drop=5,
        help="the stage that took longest, and how long; normally a stage of the reader",
    ),
    Column(
        "outcome",
        "outcome",
        9,
        28,
        right=False,
        drop=4,
        banded=True,
        help="how it ended, normally complete or consumed; for a drop, the kernel's reason",
    ),
)


class Order(Enum):
    """Which paths the pane lists."""

    SLOWEST = "slowest"
    LATEST = "latest"


def chosen(snapshot: Snapshot, order: Order) -> Rows:
    return snapshot.slowest if order is Order.SLOWEST else snapshot.latest


def rows(snapshot: Snapshot, glyphs: Glyphs, order: Order = Order.SLOWEST) -> Sequence[Row]:
    """Most of them were there a tick ago: only new ones are decoded and worded."""
    listed = chosen(snapshot, order)
    keys = _keys(snapshot, listed, glyphs)
    if len(_kept) > _MOST_KEPT:
        _kept.clear()
    new = [index for index, key in enumerate(keys) if key not in _kept]
    for index, path in zip(new, decode_rows(snapshot, listed[new]), strict=True):
        _kept[keys[index]] = path_row(path, glyphs)
    return [_kept[key] for key in keys]


_MOST_KEPT = 1000
_kept: dict[Hashable, Row] = {}
_CLOCK_NS = 10_000_000  # by how much the two clocks may drift apart before times are worded anew


def _keys(snapshot: Snapshot, listed: Rows, glyphs: Glyphs) -> list[Hashable]:
    """Everything a row is made of."""
    names = {(info.netns, info.ifindex): info.name for info in snapshot.ifaces}
    offset = (snapshot.time_ns - snapshot.mono_ns) // _CLOCK_NS
    size, data = listed.dtype.itemsize, listed.tobytes()
    columns = [listed[name].tolist() for name in ("netns", "ifindex", "reason", "location")]
    return [
        (
            data[size * at : size * (at + 1)],
            names.get((netns, ifindex)),
            snapshot.reasons.get(reason),
            snapshot.symbols.get(location),
            offset,
            glyphs.ascii_only,
        )
        for at, (netns, ifindex, reason, location) in enumerate(zip(*columns, strict=True))
    ]


def clock(time_ns: int, digits: int = 3) -> str:
    """Local time of day with this many digits of a second."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds):%H:%M:%S}.{rest:09d}"[: 9 + digits]


def outcome_cell(path: Path, glyphs: Glyphs) -> Cell:
    band = Band.CALM
    text = path.outcome.label
    if path.outcome is Outcome.DROPPED:
        band, text = Band.HOT, f"dropped: {path.reason}"
    elif path.outcome in (Outcome.EVICTED, Outcome.EXPIRED):
        band = Band.WARM
    return Cell(glyphs.text(text), short=path.outcome.label, band=band, sort=text)


def path_row(path: Path, glyphs: Glyphs) -> Row:
    worst = path.worst
    if worst is None:
        slowest = Cell("-")
    else:
        name = worst.stage.ascii_name if glyphs.ascii_only else worst.stage.name
        took = worst.duration_ns
        end = glyphs.text(f"→{worst.stage.end.name} {glyphs.duration(took)}")
        slowest = Cell(f"{name} {glyphs.duration(took)}", short=end, sort=took)
    cells = (
        Cell(clock(path.time_ns), sort=path.time_ns),
        Cell(
            path.direction.label,
            Role.ACCENT if path.direction is Direction.TX else Role.PLAIN,
            sort=path.direction.label,
        ),
        Cell(glyphs.text(path.flow), sort=path.flow),
        Cell(glyphs.text(path.iface), sort=path.iface),
        Cell(str(path.softirq_cpu), sort=path.softirq_cpu),
        latency(path.total_ns, glyphs),
        slowest,
        outcome_cell(path, glyphs),
    )
    return Row(path.id, cells, path)


def empty(snapshot: Snapshot) -> str:
    if snapshot.paths_in_window and snapshot.filter:
        return f"none of {snapshot.paths_in_window} paths matches: {snapshot.filter}"
    if snapshot.stages:
        return "no path recorded in this window: only slow, dropped and sampled packets have one"
    return nothing_seen(snapshot)


def term(row: Row) -> str:
    """The flow's filter: both ends."""
    path = row.item
    if not isinstance(path, Path):
        return ""
    if path.src == "?" or path.proto.startswith(("not", "proto")):
        return f"iface {quote(path.iface)}"
    words = [path.proto.split()[0], f"host {path.src}", f"host {path.dst}"]
    words += [f"port {port}" for port in (path.sport, path.dport) if port is not None]
    return " and ".join(words)


PANE = Pane(
    "paths", "Paths", "Single packets, each with its whole way: the slowest of the window, or the latest.",
    COLUMNS, rows, empty, term,
)  # fmt: skip
