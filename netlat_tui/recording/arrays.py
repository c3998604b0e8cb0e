"""A tick's arrays as columns of bytes, and back: nothing that is read is trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from netlat_tui.model.histogram import N_BUCKETS
from netlat_tui.model.points import MAX_POINTS, N_DISTRIBUTIONS, Direction
from netlat_tui.model.ticks import CELL, CPU_ROW, DROP_ROW, IRQ_ROW, PATH, SUM, Rows, Scope
from netlat_tui.recording.format import FrameError
from netlat_tui.recording.tables import Tables

DTYPES: dict[str, np.dtype[np.void]] = {
    "cells": CELL,
    "sums": SUM,
    "paths": PATH,
    "cpus": CPU_ROW,
    "irqs": IRQ_ROW,
    "drops": DROP_ROW,
}
LATER = ("drops",)
"""Arrays that the first files of this version lack."""
_PER_POINT = ("t_ns", "cpu")
_PADDING = "pad"  # means nothing, and its size may change: neither written nor read
_MOST_ROWS = 4 << 20


def pack(rows: Rows) -> dict[str, Any]:
    """Columns of the rows; of the per-point fields only points that occur, with what was not observed zeroed."""
    columns: dict[str, bytes] = {}
    for name in rows.dtype.names or ():
        if name == _PADDING:
            continue
        if name in _PER_POINT and "mask" in (rows.dtype.names or ()):
            for index in range(MAX_POINTS):
                observed = (rows["mask"] >> np.uint32(index) & 1).astype(bool)
                if observed.any():
                    columns[f"{name}.{index}"] = (
                        np.where(observed, rows[name][:, index], 0).astype(rows.dtype[name].base).tobytes()
                    )
        else:
            columns[name] = np.ascontiguousarray(rows[name]).tobytes()
    return {"n": len(rows), "columns": columns}


def unpack(name: str, packed: Any, tables: Tables) -> tuple[Rows, int]:
    """(rows, how many were left out because they cannot be); ``FrameError`` where the columns do not fit."""
    dtype = DTYPES[name]
    if packed is None and name in LATER:
        return np.zeros(0, dtype=dtype), 0
    if not isinstance(packed, dict) or not isinstance(packed.get("columns"), dict):
        raise FrameError(f"the {name} of a tick are not columns")
    n, columns = packed.get("n"), packed["columns"]
    if not isinstance(n, int) or not 0 <= n <= _MOST_ROWS:
        raise FrameError(f"the {name} of a tick claim an impossible number of rows")
    rows: Rows = np.zeros(n, dtype=dtype)
    for field in dtype.names or ():
        if name == "paths" and field in _PER_POINT:
            for index in range(MAX_POINTS):
                _fill(rows[field][:, index], columns.get(f"{field}.{index}"), name)
        elif field != _PADDING:
            _fill(rows[field], columns.get(field), name)
    if name == "paths":
        return tables.remap_paths(rows)
    if name in ("cells", "sums"):
        return _checked(name, tables.remap_distributions(rows), n)
    if name == "drops":
        return tables.remap_drops(rows)
    return rows, 0


def _fill(target: np.ndarray, column: Any, name: str) -> None:
    """Fill an array from a column's bytes; a column that is not there leaves zeros."""
    if column is None:
        return
    if not isinstance(column, bytes) or len(column) != target.dtype.itemsize * target.size:
        raise FrameError(f"a column of the {name} of a tick has the wrong length")
    target[...] = np.frombuffer(column, dtype=target.dtype).reshape(target.shape)


def _checked(name: str, rows: Rows, before: int) -> tuple[Rows, int]:
    good = (rows["dist"] < N_DISTRIBUTIONS) & np.isin(rows["scope"], [scope.value for scope in Scope])
    if name == "cells":
        good &= rows["bucket"] < N_BUCKETS
    kept: Rows = rows[good]
    return kept, before - len(kept)


def known_directions(rows: Rows) -> np.ndarray:
    """Which path rows have a direction there is."""
    return np.isin(rows["direction"], [direction.value for direction in Direction])
