"""The mapped histograms: what grew since one looked last, as the sparse rows of a tick."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netlat_tui.bpf.build import LoadedMap
from netlat_tui.bpf.mapped import MappedArray
from netlat_tui.bpf.program import Sizes
from netlat_tui.model.histogram import EDGES, N_BUCKETS
from netlat_tui.model.points import N_DISTRIBUTIONS
from netlat_tui.model.ticks import CELL, SUM, Rows, Scope


class Distributions:
    """Differences of the kernel's histogram array. Counters are read while they grow: the rest comes next time."""

    def __init__(self, loaded: LoadedMap, sizes: Sizes) -> None:
        self._cpus = sizes.cpus
        self._mapped = MappedArray(loaded)
        rows = self._mapped.rows
        self._sum = np.zeros_like(rows["sum_ns"])
        self._bucket = np.zeros_like(rows["bucket"])

    def collect(self, irq_of_slot: npt.NDArray[np.uint32]) -> tuple[Rows, Rows]:
        """``CELL`` and ``SUM`` rows; ``irq_of_slot`` numbers the interrupt regions."""
        rows = self._mapped.rows
        sums = rows["sum_ns"].copy()
        # Durations under 8 ns may add nothing to the sum: they are all in the first bucket.
        changed = np.flatnonzero((sums != self._sum) | (rows["bucket"][:, 0] != self._bucket[:, 0]))
        now = rows["bucket"][changed]
        grown = now - self._bucket[changed]  # wraps as the counters do
        totals = sums[changed] - self._sum[changed]
        highest, lowest = rows["max_ns"][changed], ~rows["min_inv"][changed]
        rows["max_ns"][changed] = 0
        rows["min_inv"][changed] = 0
        self._bucket[changed] = now
        self._sum = sums

        scope, key = self._regions(changed // N_DISTRIBUTIONS, irq_of_slot)
        dist = changed % N_DISTRIBUTIONS
        at, bucket = np.nonzero(grown)
        cells = np.zeros(len(at), dtype=CELL)
        cells["scope"], cells["key"], cells["dist"] = scope[at], key[at], dist[at]
        cells["bucket"], cells["count"] = bucket, grown[at, bucket]

        counted = grown.any(axis=1)
        first = (grown != 0).argmax(axis=1)
        last = N_BUCKETS - 1 - (grown[:, ::-1] != 0).argmax(axis=1)
        keep = np.flatnonzero(counted | (totals != 0))
        result = np.zeros(len(keep), dtype=SUM)
        result["scope"], result["key"], result["dist"] = scope[keep], key[keep], dist[keep]
        result["count"] = grown[keep].sum(axis=1)
        result["sum_ns"] = totals[keep]
        # An extreme lost in a race, or one that belongs to the next tick, is brought back to its bucket.
        low, high = EDGES[first[keep]], EDGES[last[keep] + 1] - 1
        result["min_ns"] = np.clip(lowest[keep], low.astype(np.uint64), (EDGES[first[keep] + 1] - 1).astype(np.uint64))
        top = np.where(last[keep] == N_BUCKETS - 1, np.iinfo(np.int64).max, high)
        result["max_ns"] = np.clip(highest[keep], EDGES[last[keep]].astype(np.uint64), top.astype(np.uint64))
        return cells, result

    def _regions(
        self, regions: npt.NDArray[np.int64], irq_of_slot: npt.NDArray[np.uint32]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
        is_irq = regions >= self._cpus
        slots = np.where(is_irq, regions - self._cpus, 0)
        key = np.where(is_irq, irq_of_slot[slots], regions)
        return np.where(is_irq, int(Scope.IRQ), int(Scope.CPU)).astype(np.uint8), key.astype(np.uint32)

    def close(self) -> None:
        self._mapped.close()
