"""What is remembered of a tick for the trends, and rows added up over ticks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from netlat_tui.model import drops
from netlat_tui.model.aggregate import EVERYWHERE, Aggregate
from netlat_tui.model.ticks import Rows, Scope, Tick


class Past:
    """A tick's place in the trends: its length; samples and p99 by code; counts of CPUs, interrupts, kinds of drops."""

    __slots__ = ("cpus", "drops", "duration_ns", "irqs", "summaries")

    def __init__(self, tick: Tick) -> None:
        self.duration_ns = max(tick.duration_ns, 1)
        cells, sums = _with_totals(tick.cells), _with_totals(tick.sums)
        self.summaries = Aggregate.of([(cells, sums)]).summaries()
        self.cpus = {int(row["cpu"]): int(row["packets"]) for row in tick.cpus}
        self.irqs = {int(row["irq"]): int(row["count"]) for row in tick.irqs}
        self.drops = drops.counts(tick.drops)


def _with_totals(rows: Rows) -> Rows:
    """The rows, and those of CPUs once more under one scope for all."""
    everywhere = rows[rows["scope"] == Scope.CPU].copy()
    everywhere["scope"], everywhere["key"] = EVERYWHERE, 0
    return np.concatenate([rows, everywhere])


def sum_rows(parts: Iterable[Rows], dtype: np.dtype[np.void], key: str) -> Rows:
    """Rows with the same key added up."""
    rows = np.concatenate([np.zeros(0, dtype=dtype), *parts])
    keys, inverse = np.unique(rows[key], return_inverse=True)
    result: Rows = np.zeros(len(keys), dtype=dtype)
    result[key] = keys
    for name in dtype.names or ():
        if name != key:
            column = np.zeros(len(keys), dtype=dtype[name])
            np.add.at(column, inverse, rows[name])
            result[name] = column
    return result
