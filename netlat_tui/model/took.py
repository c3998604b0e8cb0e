"""How long paths took in one distribution, a stage, a delay or the whole way, and when the kernel side counted it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from netlat_tui.model.filter import Filter, Names
from netlat_tui.model.heat import Span
from netlat_tui.model.paths import totals_ns
from netlat_tui.model.points import DELAYS, DIRECTION_OF, MAX_POINTS, N_STAGES, STAGES, Direction, Outcome, point
from netlat_tui.model.rows import chosen, joined
from netlat_tui.model.ticks import PATH, Rows

_BITS = np.uint32(1) << np.arange(MAX_POINTS, dtype=np.uint32)
_DELAY = {delay.gauge: delay for delay in DELAYS}


def paths_in(
    parts: Sequence[tuple[int, Rows]], span: Span, flt: Filter, names: Names, direction: Direction | None
) -> Rows:
    """The paths of the span that match the filter, each once, the latest first. ``parts``: and when they had come."""
    found = [chosen(rows, within(rows, span)) for came_ns, rows in parts if came_ns > span.since_ns]
    rows = joined([np.zeros(0, dtype=PATH), *found])
    _, first = np.unique(rows["id"], return_index=True)
    rows = chosen(rows, first)
    wanted = flt.matches(rows, names) if len(rows) else np.zeros(0, dtype=np.bool_)
    if direction is not None:
        wanted = wanted & (rows["direction"] == direction)
    rows = chosen(rows, wanted)
    ends = rows["t0_ns"].astype(np.int64) + totals_ns(rows)
    rows = chosen(rows, np.argsort(-ends, kind="stable"))
    rows.flags.writeable = False
    return rows


def within(rows: Rows, span: Span) -> npt.NDArray[np.bool_]:
    """Which of these paths were counted in the span."""
    has, took, at = took_ns(rows, span.dist)
    has = has & (at > span.since_ns) & (at <= span.until_ns) & (took >= span.low_ns)
    return has if span.high_ns is None else has & (took < span.high_ns)


def took_ns(rows: Rows, dist: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of each path: whether it has a sample in the distribution, how long that is, and when it was counted.

    On the way up a stage is counted as soon as it has ended, on the way out at the end of the path.
    """
    direction = DIRECTION_OF[dist]
    t0, masks = rows["t0_ns"].astype(np.int64), rows["mask"]
    has = (rows["direction"] == Direction.TX) == (direction is Direction.TX)
    if dist < N_STAGES:
        start, end = (one.index for one in (STAGES[dist].start, STAGES[dist].end))
        from_to = np.uint32((2 << end) - (1 << start))  # with what lies between
        has &= masks & from_to == np.uint32(1 << start | 1 << end)
        begun, ended = (rows["t_ns"][:, index].astype(np.int64) for index in (start, end))
    elif dist in _DELAY:
        seen, begun = _first(rows, _DELAY[dist].starts)
        has &= seen
        seen, ended = _first(rows, _DELAY[dist].ends)
        has &= seen
    else:
        has &= rows["outcome"] == Outcome.COMPLETE
        begun, ended = np.zeros(len(rows), dtype=np.int64), totals_ns(rows)
    at = t0 + ended
    if direction is Direction.TX and dist < N_STAGES and has.any():  # of few rows: it is the dear part
        some = np.flatnonzero(has)
        at[some] = t0[some] + totals_ns(chosen(rows, some))
    return has, ended - begun, at


def _first(rows: Rows, keys: Sequence[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Whether any of these points of the way up was observed, and when the first of them was."""
    seen = np.zeros(len(rows), dtype=np.bool_)
    times = np.zeros(len(rows), dtype=np.int64)
    for key in keys:
        index = point(key).index
        new = ~seen & (rows["mask"] & _BITS[index] != 0)
        times[new] = rows["t_ns"][new, index]
        seen |= new
    return seen, times
