"""Rows of records moved as what they are: so many bytes.

numpy copies records field by field: 120 ns for a path of 320 bytes, 600 where they are chosen by a mask, against 8.
"""

from __future__ import annotations

from collections.abc import Sequence
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
