"""Delays from layer to layer, and whole paths: the intervals above the stages."""

from __future__ import annotations

from netlat_tui.model.points import DELAYS, GAUGE_BY_KEY, TOTAL, Direction
from netlat_tui.model.snapshot import CpuRow, DelayRow, Snapshot, TotalRow
from netlat_tui.screens.panes.base import Measured

_KEYS = {Direction.RX: "total", Direction.TX: "total_tx"}
_TOTAL = {f"{direction.label.upper()} total": direction for direction in Direction}

DISTRIBUTION = {delay.name: delay.gauge for delay in DELAYS} | {key: TOTAL[way] for key, way in _TOTAL.items()}


def delay_key(row: DelayRow) -> str:
    return row.delay.name


def total_key(row: TotalRow) -> str:
    return f"{row.direction.label.upper()} total"


def total_direction(measured: Measured) -> Direction | None:
    """Whose whole paths it is, ``None`` where it is something else."""
    return _TOTAL.get(measured.key)


def distribution_of(key: str) -> int | None:
    """The id of the distribution behind the row of this key, ``None`` where it is no delay and no total."""
    return DISTRIBUTION.get(key)


def key_of(dist: int) -> str:
    """The key, which is the name, of a delay or a total."""
    return next(key for key, gauge in DISTRIBUTION.items() if gauge == dist)


def delays(of: Snapshot | CpuRow) -> list[Measured]:
    return [
        Measured(
            delay_key(row),
            row.delay.name,
            f"{row.delay.summary}; {row.delay.normal}",
            row.values,
            row.trend,
            row.missing,
        )
        for row in of.delays
    ]


def totals(of: Snapshot | CpuRow) -> list[Measured]:
    return [
        Measured(
            total_key(row),
            total_key(row),
            GAUGE_BY_KEY[_KEYS[row.direction]].sentence,
            row.values,
            row.trend,
        )
        for row in of.totals
    ]


def find(of: Snapshot | CpuRow, key: str) -> Measured | None:
    """The delay or total of this key."""
    return next((measured for measured in [*delays(of), *totals(of)] if measured.key == key), None)


def row_of(of: CpuRow, key: str) -> DelayRow | TotalRow | None:
    """The same as it is in a snapshot."""
    found = next((row for row in of.delays if delay_key(row) == key), None)
    return found or next((row for row in of.totals if total_key(row) == key), None)
