"""Flows: what was seen of each connection, from the path records of the window.

The kernel counts by CPU and interrupt, not by connection: these figures are estimates from records, each of which says
how many packets it stands for (``weighted.py``). They are made when somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from netlat_tui.model.connections import keys_of, numbered, order_of
from netlat_tui.model.filter import Filter, Names
from netlat_tui.model.later import Later
from netlat_tui.model.paths import PROTOCOLS, address, end_of
from netlat_tui.model.points import N_STAGES, STAGES, Direction, Outcome, Stage
from netlat_tui.model.retained import Batch, Retained
from netlat_tui.model.rows import chosen, joined
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import PATH, PathCause, PathFlag, Rows, Tick
from netlat_tui.model.weighted import Ints, grouped, stages_of, weights_of

MOST = 200
"""So many flows have a row, more than anybody reads; the others are added up in one, and a filter shows them. Each row
takes 50 µs of every tick."""
_MOST_PATHS = 50
_ENDS = ("complete", "merged", "forwarded", "consumed")
_OTHERS = b"others"
_NO_PATHS = np.zeros(0, dtype=PATH)


@dataclass(frozen=True, slots=True)
class WayFigures:
    """One direction of a flow. Quantiles are of packets that were read or sent; ``None``: of too few records."""

    rate: float = 0.0  # packets per second
    records: int = 0
    p50_ns: int | None = None
    p99_ns: int | None = None
    max_ns: int | None = None


@dataclass(frozen=True, slots=True)
class StageFigures:
    """A stage of a flow's packets."""

    stage: Stage
    records: int
    p50_ns: int | None
    p99_ns: int | None
    max_ns: int


@dataclass(frozen=True, slots=True)
class FlowPaths:
    """What a flow's figures rest on."""

    stages: tuple[StageFigures, ...] = ()  # by direction and order on the way
    latest: Rows = field(default_factory=lambda: _NO_PATHS)
    slowest: Rows = field(default_factory=lambda: _NO_PATHS)
    slowest_in: Callable[[int], Rows] = lambda _: _NO_PATHS  # the paths that took longest in the stage of an id


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A connection over the window; of the row of all others (``others`` > 0) there are only counts and rates."""

    key: bytes  # the same in every snapshot
    proto: str = ""
    local: str = ""
    lport: int | None = None
    remote: str = ""
    rport: int | None = None
    netns: int = 0
    ifindex: int = 0
    iface: str = ""
    comm: str = ""
    pid: int | None = None
    processes: int = 0  # how many there were: the one named has most of the records
    forwarded: bool = False  # it goes on to another interface
    received: WayFigures = WayFigures()
    sent: WayFigures = WayFigures()
    worst: Stage | None = None
    worst_ns: int | None = None  # its p99
    retransmits: int = 0
    drops: int = 0
    estimated: bool = False  # some record stands for more than one packet
    trend: tuple[float, ...] = ()  # packets per second, tick by tick
    others: int = 0
    later_paths: Later[FlowPaths] = field(repr=False, compare=False, default_factory=lambda: Later(FlowPaths))

    @property
    def name(self) -> str:
        """``tcp 10.0.0.1:443 ↔ 10.0.0.2:40000``: this host's end first."""
        if self.others:
            return f"{self.others} other flows"
        if not self.local.strip("?"):
            return f"{self.proto} on {self.iface}"
        return f"{self.proto} {end_of(self.local, self.lport)} ↔ {end_of(self.remote, self.rport)}"

    @property
    def rate(self) -> float:
        return self.received.rate + self.sent.rate

    @property
    def records(self) -> int:
        return self.received.records + self.sent.records

    @property
    def paths(self) -> FlowPaths:
        return self.later_paths()


@dataclass(frozen=True, slots=True)
class Flows:
    """All flows, those with most packets first."""

    rows: tuple[FlowRow, ...] = ()
    count: int = 0
    records: int = 0  # of the window, that match the filter
    covered_ns: int = 0  # the time of which all records are still here
    held_back: float = 0.0  # part (0…1) of the records that was not sent, or not kept
    unknown: bool = False  # an older recording: what its records stand for is told from the counters


def derive(
    batches: Sequence[Batch],
    ticks: Sequence[Tick],
    flt: Filter,
    names: Names,
    direction: Direction | None,
    trend_length: int,
) -> Flows:
    """The flows of these batches of paths, which are all that came in these ticks."""
    measured = [tick for tick in ticks if not tick.rest]
    covered = sum(tick.duration_ns for tick in measured)
    if not batches or not covered:
        return Flows(covered_ns=covered)
    rows = joined([batch.rows for batch in batches])
    lost = sum(tick.counters.get(name, 0) for tick in ticks for name in ("paths_held_back", "ring_lost"))
    factor = (sum(batch.came for batch in batches) + lost) / len(rows)
    unknown = (rows["every"] == 0) & (rows["cause"] == PathCause.SAMPLE)
    weights = _told_by_counters(rows, unknown, ticks) if unknown.any() else weights_of(rows)
    at = np.repeat([batch.mono_ns for batch in batches], [len(batch.rows) for batch in batches])
    wanted = flt.matches(rows, names)
    if direction is not None:
        wanted = wanted & (rows["direction"] == direction)
    if not wanted.all():
        rows, weights, at = chosen(rows, wanted), weights[wanted], at[wanted]
    found: tuple[FlowRow, ...] = ()
    count = 0
    if len(rows):
        made = _Made(rows, weights, factor, covered / 1e9, names.ifaces)
        found, count = made.rows(made.trends(measured[-trend_length:], at)), made.count
    return Flows(found, count, len(rows), covered, 1 - 1 / factor, bool(unknown.any()))


def _told_by_counters(rows: Rows, unknown: npt.NDArray[np.bool_], ticks: Sequence[Tick]) -> Ints:
    """What the records of an older recording stand for, at a guess: each sampled one for as many as ended and were not
    sent as slow ones, shared among them. The later of two halves was sent for the other's sake: it stands for none."""
    order = np.argsort(rows["id"])
    ids = rows["id"][order]
    place = ids.searchsorted(rows["peer"]).clip(0, len(ids) - 1)
    follows = unknown & (rows["peer"] != 0) & (ids[place] == rows["peer"])
    follows &= rows["t0_ns"] > rows["t0_ns"][order[place]]
    sampled = int((unknown & ~follows).sum())
    ended = sum(tick.counters.get(name, 0) * tick.every for tick in ticks for name in _ENDS)
    others = int((~unknown & (rows["outcome"] != Outcome.DROPPED)).sum())
    weights = weights_of(rows, max(1, round((ended - others) / max(1, sampled))))
    weights[follows] = 0
    return weights


class _Made:
    """Rows by connection: the ``MOST`` with most packets are numbered by rank, all others share the last number."""

    def __init__(
        self, rows: Rows, weights: Ints, factor: float, seconds: float, ifaces: Mapping[tuple[int, int], str]
    ) -> None:
        self._paths, self._weights, self._scale, self._ifaces = rows, weights, factor / seconds, ifaces
        self._factor = factor
        keys = keys_of(rows)
        number, first = numbered(keys)
        self.count = len(first)
        packets = np.bincount(number, weights=weights, minlength=self.count)
        records = np.bincount(number, minlength=self.count)
        rank = np.empty(self.count, dtype=np.int64)
        ranked = np.lexsort((order_of(keys[first]), -records, -packets))
        rank[ranked] = np.arange(self.count)
        self._shown = min(self.count, MOST)
        self._flow = np.minimum(rank, MOST)[number]
        self._keys = keys[first[ranked[: self._shown]]]
        self._groups = self._shown + (self.count > MOST)

    def trends(self, ticks: Sequence[Tick], at: npt.NDArray[np.int64]) -> list[list[float]]:
        """Packets per second of each flow, by tick."""
        ends = np.array([tick.mono_ns for tick in ticks], dtype=np.int64)
        column = ends.searchsorted(at)
        inside = column < len(ends)
        inside &= ends[np.minimum(column, len(ends) - 1)] == at
        places = self._flow[inside] * len(ends) + column[inside]
        sums = np.bincount(places, weights=self._weights[inside], minlength=self._groups * len(ends))
        per = np.array([1e9 / max(tick.duration_ns, 1) for tick in ticks]) * self._factor
        made: list[list[float]] = (sums.reshape(self._groups, len(ends)) * per).tolist()
        return made

    def rows(self, trends: list[list[float]]) -> tuple[FlowRow, ...]:
        paths, weights, flow = self._paths, self._weights, self._flow
        place, stage, took, totals = stages_of(paths)
        way = np.minimum(paths["direction"], 1).astype(np.int64)
        records = np.bincount(flow * 2 + way, minlength=self._groups * 2).tolist()
        packets = np.bincount(flow * 2 + way, weights=weights, minlength=self._groups * 2)
        rates = (packets * self._scale).tolist()
        whole = paths["outcome"] == Outcome.COMPLETE
        figures = grouped((flow * 2 + way)[whole], self._groups * 2, totals[whole], weights[whole])
        columns = [_known(column) for column in (figures.p50_ns, figures.p99_ns, figures.max_ns)]
        worst, worst_ns = self._worst(flow[place], stage, took, weights[place])
        retransmits = self._counted((paths["flags"] & PathFlag.RETRANSMIT) != 0)
        drops = self._counted(paths["outcome"] == Outcome.DROPPED)
        partly = self._of(weights != 1) + (self._factor > 1)
        forwarded = self._of(paths["outcome"] == Outcome.FORWARDED)
        processes = self._processes()
        of_flow = np.split(np.argsort(flow, kind="stable"), np.cumsum(np.bincount(flow, minlength=self._groups))[:-1])

        def of_way(number: int) -> WayFigures:
            return WayFigures(rates[number], records[number], *(column[number] for column in columns))

        made = []
        for at in range(self._groups):
            shared: dict[str, Any] = {
                "retransmits": retransmits[at],
                "drops": drops[at],
                "estimated": bool(partly[at]),
                "trend": tuple(trends[at]),
            }
            if at == self._shown:
                ways = [WayFigures(rates[at * 2 + way], records[at * 2 + way]) for way in (0, 1)]
                made.append(FlowRow(_OTHERS, received=ways[0], sent=ways[1], others=self.count - self._shown, **shared))
                continue
            comm, pid, several = processes.get(at, ("", None, 0))
            made.append(
                FlowRow(
                    **self._named(self._keys[at]),
                    comm=comm,
                    pid=pid,
                    processes=several,
                    forwarded=bool(forwarded[at]) and pid is None,
                    received=of_way(at * 2),
                    sent=of_way(at * 2 + 1),
                    worst=STAGES[worst[at]] if worst_ns[at] >= 0 else None,
                    worst_ns=worst_ns[at] if worst_ns[at] >= 0 else None,
                    later_paths=Later(partial(_paths_of, paths, weights, of_flow[at])),
                    **shared,
                )
            )
        return tuple(made)

    def _of(self, which: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Of each flow, how many records are so."""
        return np.bincount(self._flow[which], minlength=self._groups)

    def _counted(self, which: npt.NDArray[np.bool_]) -> list[int]:
        """Of each flow, how many packets are so."""
        sums = np.bincount(self._flow[which], weights=self._weights[which], minlength=self._groups)
        made: list[int] = np.rint(sums * self._factor).astype(np.int64).tolist()
        return made

    def _worst(self, flow: Ints, stage: Ints, took: Ints, weights: Ints) -> tuple[list[int], list[int]]:
        """Of each flow the stage of the largest p99, and that; -1 where no stage has records enough."""
        present = np.flatnonzero(np.bincount(stage, minlength=N_STAGES))
        if not len(present):
            return [0] * self._groups, [-1] * self._groups
        number = np.zeros(N_STAGES, dtype=np.int64)
        number[present] = np.arange(len(present))
        figures = grouped(flow * len(present) + number[stage], self._groups * len(present), took, weights)
        p99 = figures.p99_ns.reshape(self._groups, len(present))
        best = p99.argmax(axis=1)
        return present[best].tolist(), p99[np.arange(self._groups), best].tolist()

    def _processes(self) -> dict[int, tuple[str, int, int]]:
        """Of each flow the process with most records, and how many processes there were."""
        known = np.flatnonzero(self._paths["pid"] != 0)
        codes = self._flow[known] << 32 | self._paths["pid"][known].astype(np.int64)
        found, first, counts = np.unique(codes, return_index=True, return_counts=True)
        made: dict[int, tuple[str, int, int]] = {}
        most: dict[int, int] = {}
        comms = self._paths["comm"][known[first]].tolist()
        for code, comm, count in zip(found.tolist(), comms, counts.tolist(), strict=True):
            flow, pid = code >> 32, code & 0xFFFF_FFFF
            several = made[flow][2] + 1 if flow in made else 1
            if count > most.get(flow, 0):
                most[flow] = count
                made[flow] = (printable(comm), pid, several)
            else:
                made[flow] = (*made[flow][:2], several)
        return made

    def _named(self, key: np.void) -> dict[str, Any]:
        """What a connection is called."""
        found: Any = key.item()
        local, remote, netns, ifindex, lport, rport, proto, family, fragment, _ = found
        ports = proto in (6, 17) and family in (4, 6) and not fragment
        name = PROTOCOLS.get(proto, f"proto {proto}") if family else "not IP"
        return {
            "key": key.tobytes(),
            "proto": f"{name} frag" if fragment else name,
            "local": address(family, local.tobytes()),
            "lport": lport if ports else None,
            "remote": address(family, remote.tobytes()),
            "rport": rport if ports else None,
            "netns": netns,
            "ifindex": ifindex,
            "iface": printable(self._ifaces.get((netns, ifindex), f"if{ifindex}")),
        }


def _known(values: Ints) -> list[int | None]:
    return [None if value < 0 else value for value in values.tolist()]


def _paths_of(paths: Rows, weights: Ints, places: npt.NDArray[np.intp]) -> FlowPaths:
    """The stages of one flow, and its paths."""
    rows = chosen(paths, places)
    place, stage, took, _ = stages_of(rows)
    figures = grouped(stage, N_STAGES, took, weights[places][place])
    kinds = np.flatnonzero(figures.max_ns >= 0).tolist()
    p50, p99 = _known(figures.p50_ns), _known(figures.p99_ns)
    stages = [
        StageFigures(STAGES[at], int(figures.records[at]), p50[at], p99[at], int(figures.max_ns[at])) for at in kinds
    ]
    latest, slowest = Retained.order(rows, _MOST_PATHS)

    def slowest_in(wanted: int) -> Rows:
        mine = np.flatnonzero(stage == wanted)
        return chosen(rows, place[mine[np.argsort(-took[mine], kind="stable")[:_MOST_PATHS]]])

    return FlowPaths(tuple(stages), latest, slowest, slowest_in)
