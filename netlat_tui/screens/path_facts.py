"""What is known of a path as a whole, in words."""

from __future__ import annotations

from collections.abc import Iterator

from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, IrqClass
from netlat_tui.model.ticks import PathFlag
from netlat_tui.screens.detail import irq_words, outcome_words, process_words
from netlat_tui.screens.panes.paths import clock
from netlat_tui.widgets.bands import latency_band
from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.lines import BAND_ROLE, Line, Role, wrap

Fact = tuple[str, str, Role]

_FLAGS = {
    PathFlag.FRAGMENT: "fragment",
    PathFlag.OUT_OF_ORDER: "out of order",
    PathFlag.BACKLOG: "over the socket's backlog",
    PathFlag.KSOFTIRQD: "ksoftirqd",
    PathFlag.CLONED: "cloned",
    PathFlag.RETRANSMIT: "retransmitted",
    PathFlag.SEGMENTED: "segmented in software",
}
"""``BYPASS`` has a fact of its own."""


def facts(path: Path, peer: Path | None, cells: int, glyphs: Glyphs) -> list[Line]:
    """How long, how it ended, by whom, by which interrupt, when: in as many lines as it takes."""
    entries = [*_common(path, glyphs), *_sending(path), *_rest(path), *_other_half(path, peer, glyphs)]
    return wrap((((f" {name} ", Role.DIM), (f"{glyphs.text(value)} ", role)) for name, value, role in entries), cells)


def _common(path: Path, glyphs: Glyphs) -> Iterator[Fact]:
    band = latency_band(path.total_ns)
    yield "total", glyphs.duration(path.total_ns), BAND_ROLE[band] if band else Role.STRONG
    yield "outcome", outcome_words(path), Role.HOT if path.reason else Role.PLAIN
    yield "process", process_words(path), Role.PLAIN
    if path.direction is Direction.RX or path.irq_class is not IrqClass.UNKNOWN:
        ambiguous = path.irq_class is IrqClass.AMBIGUOUS
        yield "interrupt", irq_words(path), Role.WARM if ambiguous else Role.PLAIN
    yield path.direction.label, path.iface, Role.PLAIN
    yield "netns", str(path.netns), Role.PLAIN
    yield "at", clock(path.time_ns, 6), Role.PLAIN
    yield "length", f"{path.length} B", Role.PLAIN
    yield "id", path.id, Role.PLAIN


def _sending(path: Path) -> Iterator[Fact]:
    """Of the socket and the device's queue, as far as they are known."""
    if path.socket is not None:
        yield "socket", f"inode {path.socket}", Role.PLAIN
    if path.seq is not None and (path.seq or path.socket is not None):
        yield "TCP seq", str(path.seq), Role.PLAIN
    if path.segs > 1:
        yield "GSO", f"{path.segs} segments in one skb", Role.PLAIN
    if PathFlag.BYPASS in path.flags:
        yield "qdisc", "bypassed", Role.PLAIN
    if path.queue is not None:
        yield "queue", str(path.queue), Role.PLAIN


def _rest(path: Path) -> Iterator[Fact]:
    if path.merged:
        yield "merged", f"{path.merged} packets folded into this one", Role.PLAIN
    if path.hops:
        yield "hops", f"{path.hops} more through the link layer", Role.PLAIN
    words = [_FLAGS[flag] for flag in path.flags if flag in _FLAGS]
    if words:
        warm = PathFlag.RETRANSMIT in path.flags
        yield "flags", ", ".join(words), Role.WARM if warm else Role.PLAIN


def _other_half(path: Path, peer: Path | None, glyphs: Glyphs) -> Iterator[Fact]:
    if not path.peer:
        return
    if peer is None:
        yield "other half", f"{path.peer}, of which there is no record", Role.PLAIN
        return
    apart = glyphs.duration(abs(peer.t0_ns - path.t0_ns))
    where = f"{peer.direction.label} {peer.iface}"
    if peer.t0_ns < path.t0_ns:
        yield "comes from", f"{where}, {apart} before", Role.ACCENT
    else:
        yield "goes on in", f"{where}, {apart} later", Role.ACCENT
