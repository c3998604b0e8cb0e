"""Kinds of drops: counts added up over ticks, and rows of a snapshot made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from netlat_tui.model.paths import HIDDEN, reason_name, symbol_name
from netlat_tui.model.points import POINTS, Direction, Outcome, Point
from netlat_tui.model.retained import Retained
from netlat_tui.model.snapshot import DropRow, Trend
from netlat_tui.model.ticks import DROP_ROW, Rows

Kind = tuple[int, int, int, int]
"""Location, reason, direction, point: what ``DROP_ROW`` counts by."""

_KEYS = ("location", "reason", "direction", "point")
_MOST_PATHS = 50


def add_up(parts: Iterable[Rows]) -> Rows:
    """``DROP_ROW`` rows with those of one kind added up."""
    rows = np.concatenate([np.zeros(0, dtype=DROP_ROW), *parts])
    order = np.lexsort([rows[key] for key in _KEYS])
    rows = rows[order]
    if not len(rows):
        return rows
    other = np.zeros(len(rows), dtype=np.bool_)
    other[0] = True
    for key in _KEYS:
        other[1:] |= rows[key][1:] != rows[key][:-1]
    starts = np.flatnonzero(other)
    result: Rows = rows[starts]
    result["count"] = np.add.reduceat(rows["count"], starts)
    return result


def counts(rows: Rows) -> dict[Kind, int]:
    """Drops by kind."""
    return {_kind(row): int(row["count"]) for row in add_up([rows])}


def _kind(row: np.void) -> Kind:
    return int(row["location"]), int(row["reason"]), int(row["direction"]), int(row["point"])


def rows_of(
    counted: Rows,
    past: Sequence[tuple[Mapping[Kind, int], int]],
    paths: Rows,
    seconds: float,
    reasons: Mapping[int, str],
    symbols: Mapping[int, str],
) -> tuple[DropRow, ...]:
    """Rows for what was ``counted`` (added up), most first.

    ``past`` are counts and length in ns of the ticks of the trend, oldest first; ``paths`` the ``PATH`` rows to choose
    from; ``seconds`` the window.
    """
    dropped = paths[paths["outcome"] == Outcome.DROPPED]
    made = [_row(row, past, dropped, seconds, reasons, symbols) for row in counted if row["count"]]
    return tuple(sorted(made, key=lambda row: (-row.count, row.reason, row.where, row.direction, row.reached)))


def _row(
    row: np.void,
    past: Sequence[tuple[Mapping[Kind, int], int]],
    dropped: Rows,
    seconds: float,
    reasons: Mapping[int, str],
    symbols: Mapping[int, str],
) -> DropRow:
    kind = location, reason, direction, point = _kind(row)
    mine = (dropped["location"] == location) & (dropped["reason"] == reason) & (dropped["direction"] == direction)
    latest, _ = Retained.order(dropped[mine], _MOST_PATHS)
    symbol = symbol_name(location, symbols)
    return DropRow(
        number=reason,
        reason=reason_name(reason, reasons),
        location=location,
        symbol=symbol,
        where=symbol or instead(location, symbols),
        direction=Direction(direction),
        point=_point(Direction(direction), point),
        count=int(row["count"]),
        rate=int(row["count"]) / seconds,
        trend=Trend(tuple(found.get(kind, 0) * 1e9 / duration for found, duration in past)),
        paths=latest,
    )


def _point(direction: Direction, index: int) -> Point | None:
    points = POINTS[direction]
    return points[index] if index < len(points) else None


def instead(location: int, symbols: Mapping[int, str]) -> str:
    """What is said of an address that has no name."""
    if symbols.get(location) == HIDDEN:
        return HIDDEN
    return f"{location:#x}" if location else "not known"
