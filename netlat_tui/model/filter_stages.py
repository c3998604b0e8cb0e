"""Which paths have a stage of a given name that took longer, or shorter, than a given time."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from netlat_tui.model.points import MAX_POINTS, Direction, stages_by_name
from netlat_tui.model.ticks import Rows

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def stages_match(paths: Rows, name: str, comparison: str, limit_ns: int) -> npt.NDArray[np.bool_]:
    """The PATH rows one of whose stages of this name (``stages_by_name``) compares so with the limit."""
    starts: dict[tuple[Direction, int], int] = {}
    for stage in stages_by_name()[name]:
        key = (stage.direction, stage.end.index)
        starts[key] = starts.get(key, 0) | 1 << stage.start.index
    selected = np.zeros(len(paths), dtype=np.bool_)
    is_tx = paths["direction"] == Direction.TX
    times = paths["t_ns"]
    masks: npt.NDArray[np.uint32] = paths["mask"]
    for (direction, end), allowed in starts.items():
        before = masks & np.uint32((1 << end) - 1)
        start = _highest_bit(before)
        rows = np.flatnonzero(
            (is_tx == (direction is Direction.TX))
            & (masks >> np.uint32(end) & 1 != 0)
            & (before != 0)
            & (np.uint32(allowed) >> start & 1 != 0)
        )
        took = times[rows, end].astype(np.int64) - times[rows, start[rows]].astype(np.int64)
        selected[rows[OPERATORS[comparison](took, limit_ns)]] = True
    return selected


def _highest_bit(masks: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Index of the highest bit set; 0 where there is none."""
    highest = np.zeros(len(masks), dtype=np.uint32)
    for bit in range(1, MAX_POINTS):
        highest[masks >> np.uint32(bit) != 0] = bit
    return highest
