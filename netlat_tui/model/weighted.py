"""Quantiles of paths that stand for different numbers of packets, for many groups at once.

A record counts ``every`` times (Horvitz and Thompson's estimator): the slow ones, which are all sent, then weigh what
they are, and neither rates nor quantiles are drawn towards them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netlat_tui.model.points import MAX_POINTS, POINTS, Direction, stage_base
from netlat_tui.model.ticks import PathCause, Rows

ENOUGH = 20
"""Of so many records a 99th percentile may be told; of fewer none is."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Groups:
    """Of each group: records, the packets they stand for, and quantiles; -1 where these rest on too little."""

    records: Ints
    packets: Ints
    p50_ns: Ints
    p99_ns: Ints
    max_ns: Ints  # of all records, whatever they stand for


def weights_of(rows: Rows, unknown: int = 1) -> Ints:
    """How many packets each path stands for; a sampled one of an older recording for ``unknown``."""
    cause = rows["cause"]
    weights = rows["every"].astype(np.int64)
    weights[weights == 0] = 1
    weights[(rows["every"] == 0) & (cause == PathCause.SAMPLE)] = unknown
    weights[cause == PathCause.FOLLOW] = 0
    return weights


def grouped(group: npt.NDArray[np.integer], groups: int, ns: Ints, weights: Ints) -> Groups:
    """Figures by group, from 0 to ``groups``; quantiles within 0.4 %.

    Whether there are enough is judged by Kish's effective number, (sum of w)² / sum of w²: a hundred slow ones beside
    one that stands for a thousand say little of the thousand.
    """
    largest = np.full(groups, -1, dtype=np.int64)
    np.maximum.at(largest, group, ns)
    counts = weights > 0
    group, ns, weights = group[counts], ns[counts], weights[counts]
    records = np.bincount(group, minlength=groups)
    if not len(group):
        nothing = np.full(groups, -1, dtype=np.int64)
        return Groups(records, np.zeros(groups, dtype=np.int64), nothing, nothing, largest)
    order = _sorted(group, groups, ns)
    upto = np.cumsum(weights[order])
    ends = np.cumsum(records)
    upto_end = np.concatenate([[0], upto])[ends]
    before = np.concatenate([[0], upto_end[:-1]])
    packets = upto_end - before
    squares = np.bincount(group, weights=weights.astype(np.float64) ** 2, minlength=groups)
    enough = packets.astype(np.float64) ** 2 >= (ENOUGH - 1e-9) * np.maximum(squares, 1.0)

    def at(fraction: float) -> Ints:
        rank = np.maximum(1, np.ceil(packets * fraction - 1e-6).astype(np.int64))
        place = upto.searchsorted(before + rank).clip(0, len(upto) - 1)
        return np.where(enough, ns[order[place]], -1)

    return Groups(records, packets, at(0.5), at(0.99), largest)


def _sorted(group: npt.NDArray[np.integer], groups: int, ns: Ints) -> npt.NDArray[np.intp]:
    """Places by group, then by duration as the upper half of a float has it: sixteen bits are sorted in linear time."""
    rough = (np.maximum(ns, 0).astype(np.float32).view(np.uint32) >> np.uint32(16)).astype(np.uint16)
    order = np.argsort(rough, kind="stable")
    of = group.astype(np.uint16) if groups <= 1 << 16 else group
    return order[np.argsort(of[order], kind="stable")]


def stages_of(rows: Rows) -> tuple[npt.NDArray[np.intp], Ints, Ints, Ints]:
    """(row, stage id, ns) of every stage of every path, and the totals."""
    limits = np.array([(1 << len(POINTS[way])) - 1 for way in Direction], dtype=np.uint32)
    bases = np.array([stage_base(way) for way in Direction], dtype=np.int64)
    directions = rows["direction"]
    mask = rows["mask"] & limits[directions]
    times = np.ascontiguousarray(rows["t_ns"].T).astype(np.int64, copy=False)
    base = bases[directions]
    last = np.full(len(rows), -1, dtype=np.int64)
    last_ns = np.zeros(len(rows), dtype=np.int64)
    places, stages, took = [], [], []
    for end in range(MAX_POINTS):
        seen = np.flatnonzero(mask >> np.uint32(end) & np.uint32(1))
        if not len(seen):
            continue
        at, start, before = times[end][seen], last[seen], last_ns[seen]
        last[seen], last_ns[seen] = end, at
        has = start >= 0
        if not has.all():
            seen, at, start, before = seen[has], at[has], start[has], before[has]
        places.append(seen)
        stages.append(base[seen] + (end * (end - 1) // 2 + start))
        took.append(np.maximum(at - before, 0))
    none = [np.zeros(0, dtype=np.int64)]
    return (
        np.concatenate(places or none),
        np.concatenate(stages or none),
        np.concatenate(took or none),
        last_ns,
    )
