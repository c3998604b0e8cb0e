"""What CPUs did, as far as paths tell: many packets share an interrupt, a softirq run, a poll, which are shown once.

A run, a poll, a read lasts at least until the last point seen in it, so that is how long it is shown; one that was over
when the next began is not shown for longer. A packet is known when its path ends: what happened is put together for as
long as ``KEPT_NS``, then it is written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netlat_tui.export.perfetto_lanes import Nest
from netlat_tui.export.perfetto_stream import Stream, Value
from netlat_tui.model.paths import Passage, Path
from netlat_tui.model.points import Direction, IrqClass

KEPT_NS = 5_000_000_000
_MOST = 200_000  # kept of one CPU

_INTERRUPT, _SOFTIRQ, _READ = "interrupt", "softirq", "read"
_SEND, _TRANSMIT, _DEQUEUE, _COMPLETE = "send", "transmit", "dequeue", "complete"
_RECEIVED = {
    "irq": _INTERRUPT, "raise": _INTERRUPT,
    "softirq": _SOFTIRQ, "poll": _SOFTIRQ, "driver": _SOFTIRQ, "gro": _SOFTIRQ, "link": _SOFTIRQ, "ip": _SOFTIRQ,
    "local": _SOFTIRQ, "transport": _SOFTIRQ, "socket": _SOFTIRQ, "forward": _SOFTIRQ,
    "wakeup": _READ, "copy": _READ, "return": _READ,
}  # fmt: skip
_SENT = {
    "send": _SEND, "tx_transport": _TRANSMIT, "ip_out": _TRANSMIT, "device": _TRANSMIT, "qdisc_in": _TRANSMIT,
    "qdisc_out": _DEQUEUE, "complete": _COMPLETE,
}  # fmt: skip
"""What a CPU does at a point. One that is not listed goes on with what was before it."""

_DEFERRED = ("transport", "socket", "drop")
"""TCP may leave these to the process that has the socket: they say nothing of the softirq's run."""


@dataclass(slots=True)
class Together:
    """Points of one packet, one after the other, while one CPU did one thing."""

    doing: str
    cpu: int
    points: list[Passage]


def together(path: Path) -> list[Together]:
    """A path in as few parts as it can be."""
    parts: list[Together] = []
    kinds = _RECEIVED if path.direction is Direction.RX else _SENT
    for passage in path.points:
        doing = kinds.get(passage.point.key) or (parts[-1].doing if parts else _TRANSMIT)
        if doing == _TRANSMIT and path.proto != "tcp":
            doing = _SEND  # only TCP may send later than it was asked to
        if not parts or (parts[-1].doing, parts[-1].cpu) != (doing, passage.cpu):
            parts.append(Together(doing, passage.cpu, []))
        parts[-1].points.append(passage)
    return parts


@dataclass(slots=True)
class _Span:
    start_ns: int
    end_ns: int
    name: str
    packets: int = 1
    told: dict[str, Value] = field(default_factory=dict)

    def join(self, other: _Span) -> None:
        self.start_ns, self.end_ns = min(self.start_ns, other.start_ns), max(self.end_ns, other.end_ns)
        self.packets += other.packets


@dataclass(slots=True)
class _Cpu:
    doing: Nest
    waiting: Nest
    points: int
    written_ns: int = 0
    spans: dict[tuple[str | int, ...], _Span] = field(default_factory=dict)  # by what makes them one
    loose: list[_Span] = field(default_factory=list)  # those that are one only where they touch

    @property
    def held(self) -> int:
        return len(self.spans) + len(self.loose)

    @property
    def latest_ns(self) -> int:
        return max((span.start_ns for span in (*self.spans.values(), *self.loose)), default=0)

    def add(self, span: _Span, key: tuple[str | int, ...] = ()) -> None:
        """What is known too late for its place stays out: the track of its packet has it."""
        there = self.spans.get(key)
        if there is not None:
            there.join(span)
        elif span.start_ns >= self.written_ns:
            if key:
                self.spans[key] = span
            else:
                self.loose.append(span)

    def write(self, until_ns: int) -> None:
        """Write what began before."""
        by_kind: dict[str | int, list[_Span]] = {kind: [] for kind in ("irq", "run", "poll", "wait")}
        for key, span in self.spans.items():
            by_kind[key[0]].append(span)
        runs = sorted(span.start_ns for span in by_kind["run"])
        polls = sorted([*runs, *(span.start_ns for span in by_kind["poll"])])
        now = {kind: [span for span in spans if span.start_ns < until_ns] for kind, spans in by_kind.items()}
        loose = [replace(span) for span in self.loose if span.start_ns < until_ns]
        spans = now["irq"] + _apart(now["poll"], polls)
        spans += _completed(_apart(now["run"], runs), [span for span in loose if "beginning" in span.told], runs)
        spans += _joined(span for span in loose if "beginning" not in span.told)
        for nest, some in ((self.doing, spans), (self.waiting, now["wait"])):
            for span in sorted(some, key=lambda span: (span.start_ns, -span.end_ns, span.name == "poll")):
                nest.add(span.start_ns, span.end_ns, span.name, {"packets": span.packets, **span.told})
        self.spans = {key: span for key, span in self.spans.items() if span.start_ns >= until_ns}
        self.loose = [span for span in self.loose if span.start_ns >= until_ns]
        self.written_ns = max(self.written_ns, until_ns)


class Cpus:
    """The tracks of each CPU: what it did, the softirqs that waited for it, and the points where packets came to it."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._group = 0
        self._cpus: dict[int, _Cpu] = {}
        self.irqs: dict[int, str] = {}

    def points(self, cpu: int) -> int:
        """The track for points of packets: one has no length, and beside a slice that begins with it none is hidden."""
        return self._cpu(cpu).points

    def _cpu(self, cpu: int) -> _Cpu:
        found = self._cpus.get(cpu)
        if found is not None:
            return found
        self._group = self._group or self._stream.track("CPUs", text="As far as the recorded paths tell")

        def made(rank: int, what: str) -> int:
            return self._stream.track(f"CPU {cpu}{what}", self._group, 4 * cpu + rank, alike=True)

        found = _Cpu(
            doing=Nest(self._stream, lambda: made(0, "")),
            waiting=Nest(self._stream, lambda: made(1, " raise→softirq")),
            points=made(2, " points"),
        )
        self._cpus[cpu] = found
        return found

    def add(self, path: Path, parts: Iterable[Together]) -> None:
        """What a path tells of the CPUs it met."""
        raised: Passage | None = None
        for part in parts:
            cpu, at = self._cpu(part.cpu), path.t0_ns
            start, end = at + part.points[0].t_ns, at + part.points[-1].t_ns
            by_key = {passage.point.key: passage for passage in part.points}
            if part.doing == _INTERRUPT:
                raised = by_key.get("raise")
                if "irq" in by_key and path.irq is not None:
                    name = f"irq {path.irq} {self.irqs.get(path.irq, '')}".rstrip()
                    cpu.add(_Span(start, end, name), ("irq", path.irq, start))
            elif part.doing == _SOFTIRQ:
                self._ran(path, cpu, by_key, raised)
            elif end > start:
                name = f"{part.doing} {path.comm}".rstrip() if part.doing in (_READ, _SEND) else part.doing
                told: dict[str, Value] = {"pid": path.pid, "tid": path.tid} if part.doing in (_READ, _SEND) else {}
                cpu.add(_Span(start, end, name, told=told))

    def _ran(self, path: Path, cpu: _Cpu, by_key: Mapping[str, Passage], raised: Passage | None) -> None:
        sure = [p.t_ns for key, p in by_key.items() if path.proto != "tcp" or key not in _DEFERRED]
        if ("socket" in by_key and "drop" in by_key) or not sure:
            return  # who drops what was on a socket's queue may be anyone
        at, end = path.t0_ns, path.t0_ns + max(sure)
        run, poll = by_key.get("softirq"), by_key.get("poll")
        if run is not None:
            start = at + run.t_ns
            cpu.add(_Span(start, end, "NET_RX"), ("run", start))
            if raised is not None:
                cpu.add(_Span(at + raised.t_ns, start, "raise→softirq"), ("wait", start))
        else:
            name = {IrqClass.BUSY_POLL: "busy poll", IrqClass.THREADED: "NAPI thread"}.get(path.irq_class, "NET_RX")
            cpu.add(_Span(at + min(sure), end, name, told={"beginning": "not seen"}))
        if poll is not None:
            cpu.add(_Span(at + poll.t_ns, end, "poll"), ("poll", at + poll.t_ns))

    def write(self, until_ns: int) -> None:
        """Write what began before."""
        for cpu in self._cpus.values():
            cpu.write(max(until_ns, cpu.latest_ns + 1) if cpu.held > _MOST else until_ns)

    def close(self) -> None:
        """Write everything."""
        for cpu in self._cpus.values():
            cpu.write(cpu.latest_ns + 1)
            cpu.doing.close()
            cpu.waiting.close()


def _apart(spans: Iterable[_Span], starts: Sequence[int]) -> list[_Span]:
    """What was over when the next began, at one of ``starts`` (sorted)."""
    made = []
    for span in spans:
        following = bisect_right(starts, span.start_ns)
        end_ns = min(span.end_ns, starts[following]) if following < len(starts) else span.end_ns
        made.append(replace(span, end_ns=end_ns))
    return made


def _completed(runs: Sequence[_Span], loose: Sequence[_Span], starts: Sequence[int]) -> list[_Span]:
    """Softirq runs, longer for what is known to have been in one of them; what touches none is one of its own."""
    made: list[_Span] = []
    for span in sorted([*runs, *loose], key=lambda span: (span.start_ns, "beginning" in span.told)):
        if made and span.start_ns <= made[-1].end_ns:
            if "beginning" in span.told:
                made[-1].join(span)
                continue
            span.end_ns = max(span.end_ns, made[-1].end_ns)
        made.append(span)
    return _apart(made, starts)


def _joined(spans: Iterable[_Span]) -> list[_Span]:
    """What one thread did, joined where it overlaps."""
    made: dict[tuple[str, Value], list[_Span]] = {}
    for span in sorted(spans, key=lambda span: span.start_ns):
        same = made.setdefault((span.name, span.told.get("tid")), [])
        if same and span.start_ns <= same[-1].end_ns:
            same[-1].join(span)
        else:
            same.append(span)
    return [span for same in made.values() for span in same]
