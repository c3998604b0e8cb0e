"""Ticks of which only a part of the packets was counted, brought to the scale of all of them."""

from __future__ import annotations

import dataclasses

import numpy as np

from netlat_tui.model.points import GAUGE
from netlat_tui.model.ticks import COUNTER_NAMES, Rows, Tick

_OF_RUNS = tuple(GAUGE[key] for key in ("softirq_wait", "softirq_run", "irq_handler", "irq_to_poll"))
"""Distributions of softirqs and interrupts: these are counted whether or not a packet is."""

_NOT_OF_PACKETS = {"softirqs", "irq_overflow", "probe_misses", "ring_lost", "paths_held_back", "paths_sent"}


def scaled(tick: Tick) -> Tick:
    """The tick with each counted packet standing for ``tick.every``: an unbiased estimate of what passed.

    Minimum and maximum are of the packets counted; paths are what they are; in flight are those that were followed.
    """
    if tick.every <= 1:
        return tick
    return dataclasses.replace(
        tick,
        counters={
            name: count if name in _NOT_OF_PACKETS or name not in COUNTER_NAMES else count * tick.every
            for name, count in tick.counters.items()
        },
        cells=_times(tick.cells, tick.every, ("count",)),
        sums=_times(tick.sums, tick.every, ("count", "sum_ns")),
        cpus=_times(tick.cpus, tick.every, ("packets", "sent")),
        irqs=_times(tick.irqs, tick.every, ("packets", "ambiguous")),
        drops=_times(tick.drops, tick.every, ("count",)),
    )


def of_packets(dist: int) -> bool:
    """Whether a distribution counts packets, so that it is scaled."""
    return dist not in _OF_RUNS


def _times(rows: Rows, factor: int, names: tuple[str, ...]) -> Rows:
    made: Rows = rows.copy()
    chosen = ~np.isin(made["dist"], _OF_RUNS) if "dist" in (made.dtype.names or ()) else slice(None)
    for name in names:
        column = made[name]
        # A count of 32 bits stops at its end rather than beginning anew.
        limit = np.iinfo(column.dtype).max
        column[chosen] = np.minimum(column[chosen].astype(np.uint64) * factor, limit)
        made[name] = column
    return made
