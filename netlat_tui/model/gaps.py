"""What else a CPU was doing in a gap of a path, as far as it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from netlat_tui.model.paths import Path, PathStage, Ran
from netlat_tui.model.points import Direction
from netlat_tui.model.rows import chosen, joined
from netlat_tui.model.ticks import PATH, PathFlag, Rows, SoftirqVector

_FLOW = ("proto", "family", "saddr", "daddr", "sport", "dport")
_TELLS_NOTHING_NS = 1_000
"""Shorter gaps are not asked about: what is in them is the clock's doing as much as the CPU's."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What the kernel said of one: other softirqs that ran, the task that had the CPU. Something of it is known."""

    stage: PathStage
    softirqs: tuple[SoftirqVector, ...] = ()
    ksoftirqd: bool = False
    task: Ran | None = None


@dataclass(frozen=True, slots=True)
class Others:
    """Other packets with a point on the CPU in a gap: those of which there is a record, so there were more."""

    packets: int
    flows: int


NO_OTHERS = Others(0, 0)


def gaps_of(path: Path) -> tuple[Gap, ...]:
    """The gaps of a path of which something is known, in the order of the way."""
    if path.direction is not Direction.RX:
        return ()
    found = []
    for stage in path.stages:
        end = stage.stage.end.key
        if end == "softirq":
            gap = Gap(stage, path.softirqs, PathFlag.KSOFTIRQD in path.flags, path.softirq_task)
        elif end == "wakeup":
            gap = Gap(stage, task=path.prev_task)
        else:
            continue
        if gap.softirqs or gap.ksoftirqd or gap.task is not None:
            found.append(gap)
    return tuple(found)


def words(gap: Gap) -> str:
    """What is known of a gap: ``cpu1 ran hog/812 until then``."""
    cpu, ran = f"cpu{gap.stage.cpu}", gap.task
    if gap.stage.stage.end.key == "wakeup":
        assert ran is not None  # noqa: S101 - for mypy
        return f"{cpu} was idle until then" if ran.is_idle else f"{cpu} ran {ran.name} until then"
    said = []
    if gap.softirqs:
        said.append(f"{', '.join(vector.name for vector in gap.softirqs)} ran before it")
    if gap.ksoftirqd:
        said.append("left to ksoftirqd")
    if ran is not None:
        on = f"{cpu} was idle" if ran.is_idle else f"{cpu} was running {ran.name}"
        said.append(f"{on} until then" if gap.ksoftirqd else on)
    return "; ".join(said)


def others_words(cpu: int, others: Others) -> str:
    """``cpu1 meanwhile took at least 14 other packets, of 3 flows``; "" where none is known."""
    if not others.packets:
        return ""
    packets, flows = (
        f"{count} {noun}{'s' if count > 1 else ''}"
        for count, noun in ((others.packets, "other packet"), (others.flows, "flow"))
    )
    return f"cpu{cpu} meanwhile took at least {packets}, of {flows}"


Between = Callable[[int, int], Rows]


def between(batches: Sequence[tuple[int, Rows]]) -> Between:
    """Who asks gets those paths of ticks (their ends, their paths) that may have been under way between two times."""
    return partial(_between, batches)


def _between(batches: Sequence[tuple[int, Rows]], start_ns: int, end_ns: int) -> Rows:
    parts = [np.zeros(0, dtype=PATH)]
    for ended, rows in batches:
        if ended >= start_ns:
            parts.append(chosen(rows, rows["t0_ns"] <= end_ns))
    return joined(parts)


def others_in(path: Path, stage: PathStage, under_way: Between) -> Others:
    """Other packets that the CPU this stage ended on had in hand meanwhile; a packet's two halves are one."""
    if stage.duration_ns < _TELLS_NOTHING_NS:
        return NO_OTHERS
    start = path.t0_ns + stage.start_ns
    end = start + stage.duration_ns
    rows = under_way(start, end)
    rows = chosen(rows, ~np.isin(rows["id"], _ids(path)))
    if not len(rows):
        return NO_OTHERS
    at = rows["t0_ns"].astype(np.int64)[:, None] + rows["t_ns"].astype(np.int64)
    seen = rows["mask"][:, None] >> np.arange(at.shape[1], dtype=np.uint32) & 1 == 1
    inside = (seen & (rows["cpu"] == stage.cpu) & (at > start) & (at < end)).any(axis=1)
    found = _packets(chosen(rows, inside))
    return Others(len(found), len({tuple(row[name].tobytes() for name in _FLOW) for row in found}))


def _ids(path: Path) -> npt.NDArray[np.uint64]:
    return np.array([int(path.id, 16), int(path.peer or "0", 16)], dtype=np.uint64)


def _packets(rows: Rows) -> Rows:
    """Of a packet that was sent and received here there are two paths: one of them."""
    halves = (rows["direction"] == Direction.RX) & np.isin(rows["peer"], rows["id"])
    return chosen(rows, ~halves)
