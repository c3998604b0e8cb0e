"""Rows of records moved as what they are, so many bytes, and added up.

numpy copies records field by field: 120 ns for a path of 320 bytes, 600 where they are chosen by a mask, against 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]


def _bytes(rows: Rows) -> Rows:
    return rows.view(np.dtype((np.void, rows.dtype.itemsize)))


def copied(rows: Rows) -> Rows:
    """A copy of one's own."""
    return _bytes(rows).copy().view(rows.dtype)


def chosen(rows: Rows, which: npt.NDArray[Any]) -> Rows:
    """The rows at these places, or those a mask selects: a copy."""
    some: Rows = _bytes(rows)[which]
    return some.view(rows.dtype)


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of one type, one part after the other: a copy; ``ValueError`` of no parts."""
    together: Rows = np.concatenate([_bytes(part) for part in parts])
    return together.view(parts[0].dtype)


def added_up(parts: Iterable[Rows], dtype: np.dtype[np.void], key: str) -> Rows:
    """Rows with the same key added up."""
    rows = joined([np.zeros(0, dtype=dtype), *parts])
    keys, inverse = np.unique(rows[key], return_inverse=True)
    result: Rows = np.zeros(len(keys), dtype=dtype)
    result[key] = keys
    for name in dtype.names or ():
        if name != key:
            column = np.zeros(len(keys), dtype=dtype[name])
            np.add.at(column, inverse, rows[name])
            result[name] = column
    return result
