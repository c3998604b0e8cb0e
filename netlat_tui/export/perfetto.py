"""A recording as a trace for Perfetto (ui.perfetto.dev): figures by the second, what CPUs did, every packet's stages.

Written tick by tick; nothing is kept but what CPUs did in the last seconds and which tracks there are. Arrows lead
from the point at which a packet came to a CPU to its stage that begins there, from that one's end to the next such
point, and from one half of a packet to the other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import BinaryIO

from netlat_tui.export.perfetto_cpus import KEPT_NS, Cpus, Together, together
from netlat_tui.export.perfetto_lanes import Row
from netlat_tui.export.perfetto_stream import LATEST_NS, Stream, Value
from netlat_tui.model.counted import everywhere
from netlat_tui.model.paths import Path
from netlat_tui.model.points import TOTAL, Direction
from netlat_tui.model.snapshot import LOSSES
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import Origin, Tick

_MOST_ROWS = 1 << 14  # flows whose tracks are remembered

_LONGEST_NS = 60_000_000_000  # a packet is under way

_FIGURES = (
    (
        "packets/s",
        "/s",
        "Every packet that passed the recording's filter, also those that were not recorded one by one",
    ),
    ("received: p99 of the total", "ns", "First to last point of every received packet that was read"),
    ("sent: p99 of the total", "ns", "First to last point of every sent packet the driver was done with"),
    ("drops/s", "/s", "Every packet the kernel dropped"),
    ("lost", "", "What the tracer could not follow or show, by tick"),
)


class Trace:
    """A trace that is being written to a binary file."""

    def __init__(self, out: BinaryIO, origin: Origin) -> None:
        self._stream = Stream(out)
        self._stream.system(printable(origin.kernel), printable(origin.machine))
        self._counters: list[int] = []
        self._cpus = Cpus(self._stream)
        self._packets = 0
        self._ifaces: dict[tuple[int, str], int] = {}
        self._rows: OrderedDict[tuple[int, str], Row] = OrderedDict()
        self.left_out = 0
        """Paths whose times do not rise: no kernel made them."""

    def add(self, tick: Tick, paths: Iterable[Path]) -> None:
        """A tick's figures, and the packets chosen of it."""
        if not self._counters:
            self._begin(tick)
        self._stream.sync(tick.mono_ns, tick.time_ns)
        self._figures(tick)
        self._cpus.irqs.update((info.irq, printable(info.name)) for info in tick.irq_info)
        for path in paths:
            times = [passage.t_ns for passage in path.points]
            if not times or times != sorted(times) or path.t0_ns + times[-1] > LATEST_NS:
                self.left_out += 1
                continue
            parts = together(path)
            self._cpus.add(path, parts)
            self._points(path, parts)
            self._packet(path, {part.points[0].t_ns for part in parts})
        self._cpus.write(tick.mono_ns - KEPT_NS)

    def close(self) -> None:
        """Write what was kept. The file is the caller's to close."""
        self._cpus.close()
        self._stream.flush()

    def _begin(self, tick: Tick) -> None:
        """Perfetto knows no time of day before the first moment of which it was told both: that is before all."""
        began = max(0, tick.mono_ns - tick.duration_ns)
        oldest = int(tick.paths["t0_ns"].min(initial=began))
        first = max(0, began - _LONGEST_NS, min(oldest, began))
        self._stream.sync(first, max(0, tick.time_ns - (tick.mono_ns - first)))
        group = self._stream.track("Figures", text="Of all packets, whatever was selected")
        self._counters = [
            self._stream.counter(name, group, rank, unit, text) for rank, (name, unit, text) in enumerate(_FIGURES)
        ]

    def _figures(self, tick: Tick) -> None:
        if tick.rest:  # nothing was measured
            return
        seconds = max(tick.duration_ns, 1) / 1e9
        codes, _, p99 = everywhere(tick.cells, tick.sums)
        totals = dict(zip((codes & 0xFFFF).tolist(), p99.tolist(), strict=True))
        values = (
            float(tick.cpus["packets"].sum()) / seconds,
            float(totals.get(TOTAL[Direction.RX], 0)),
            float(totals.get(TOTAL[Direction.TX], 0)),
            float(tick.counters.get("dropped", 0) * tick.every) / seconds,
            float(sum(tick.counters.get(name, 0) for name in LOSSES)),
        )
        began = max(0, tick.mono_ns - tick.duration_ns)
        for track, value in zip(self._counters, values, strict=True):
            self._stream.number(track, min(began, LATEST_NS), value)

    def _points(self, path: Path, parts: Iterable[Together]) -> None:
        """Where it came to another CPU, or the same CPU came to it in another way."""
        for part in parts:
            first = part.points[0]
            told: dict[str, Value] = {"id": path.id, "flow": path.flow, "iface": path.iface}
            track = self._cpus.points(part.cpu)
            self._stream.instant(track, path.t0_ns + first.t_ns, first.point.name, told, flow=int(path.id, 16))

    def _packet(self, path: Path, turns: set[int]) -> None:
        begin, end = path.t0_ns, path.t0_ns + path.total_ns
        track = self._row(path).take(begin, end)
        name = f"{path.direction.label} {path.outcome.label} {path.reason}".rstrip()
        self._stream.begin(track, begin, name, _told(path), flow=_halves(path))
        for stage in path.stages:
            arrow = int(path.id, 16) if stage.start_ns in turns else 0
            told: dict[str, Value] = {"layer": stage.stage.layer, "cpu": stage.cpu}
            turns.discard(stage.start_ns)
            self._stream.begin(track, begin + stage.start_ns, stage.stage.name, told, flow=arrow)
            self._stream.end(track, begin + stage.start_ns + stage.duration_ns)
        self._stream.end(track, end)

    def _row(self, path: Path) -> Row:
        iface = self._iface(path)
        row = self._rows.get((iface, path.flow))
        if row is None:
            flow = path.flow
            row = Row(lambda: self._stream.track(flow, iface, alike=True))
            self._rows[iface, path.flow] = row
            if len(self._rows) > _MOST_ROWS:
                self._rows.popitem(last=False)
        self._rows.move_to_end((iface, path.flow))
        return row

    def _iface(self, path: Path) -> int:
        key = (path.netns, path.iface)
        if key not in self._ifaces:
            self._packets = self._packets or self._stream.track("Packets", text="By interface and flow")
            again = any(name == path.iface for _, name in self._ifaces)
            name = f"{path.iface} (netns {path.netns})" if again else path.iface
            text = f"Network namespace {path.netns}"
            self._ifaces[key] = self._stream.track(name, self._packets, len(self._ifaces), text)
        return self._ifaces[key]


def _halves(path: Path) -> int:
    """The arrow that leads from a packet's first half to its second: both know the other."""
    one, other = sorted((int(path.id, 16), int(path.peer or "0", 16)))
    return (one * 0x9E3779B97F4A7C15 ^ other) & (1 << 64) - 1 if path.peer else 0


def _told(path: Path) -> dict[str, Value]:
    return {
        "id": path.id,
        "flow": path.flow,
        "iface": path.iface,
        "netns": path.netns,
        "process": path.comm,
        "pid": path.pid,
        "tid": path.tid,
        "outcome": path.outcome.label,
        "reason": path.reason,
        "dropped by": path.symbol,
        "length": path.length,
        "total_ns": path.total_ns,
        "cpu": path.softirq_cpu,
        "irq": path.irq,
        "irq class": path.irq_class.label,
        "merged": path.merged or None,
        "hops": path.hops or None,
        "segments": path.segs or None,
        "flags": " ".join(flag.name.lower() for flag in path.flags),
        "peer": path.peer,
        "socket": path.socket,
        "seq": path.seq,
        "queue": path.queue,
    }
