"""Rows of a snapshot for intervals: stages, delays of the way up, whole paths."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from netlat_tui.model.aggregate import Sums
from netlat_tui.model.codes import Region
from netlat_tui.model.delays import NONE_CAME_BY, NOT_KEPT, missing, witnessed
from netlat_tui.model.estimates import of_packets
from netlat_tui.model.points import DELAYS, N_STAGES, STAGES, TOTAL, Direction
from netlat_tui.model.snapshot import DelayRow, Distribution, StageRow, TotalRow
from netlat_tui.model.ticks import Hook
from netlat_tui.model.trends import Past

_BY_WAY = sorted(STAGES, key=lambda stage: (stage.direction, stage.layer_key, stage.start.index, stage.end.index))
_PLACE = {stage.id: place for place, stage in enumerate(_BY_WAY)}


@dataclass(frozen=True, slots=True)
class Intervals:
    """Makes rows of what was counted over a window of ``seconds``; of ``direction`` only, where that is not ``None``.

    Immutable, so that a row may be made whenever somebody looks at it. In the methods, ``regions`` are put together,
    and ``trend`` is the region whose trend is shown.
    """

    sums: Sums
    past: Past
    hooks: Sequence[Hook]
    seconds: float
    direction: Direction | None
    estimated: bool = False

    def values(self, regions: Sequence[Region], dists: Sequence[int]) -> list[Distribution]:
        """A distribution of each of ``dists``."""
        codes = np.array([region.code(0) for region in regions])[None, :] | np.array(dists, dtype=np.int64)[:, None]
        return self.sums.distributions(codes, self._estimated(dists))

    def of_each(self, regions: Sequence[Region], dists: Sequence[int]) -> list[list[Distribution]]:
        """The distributions ``dists`` of each region."""
        codes = [[region.code(dist)] for region in regions for dist in dists]
        found = self.sums.distributions(
            np.array(codes, dtype=np.int64).reshape(-1, 1), self._estimated(dists) * len(regions)
        )
        return [found[at : at + len(dists)] for at in range(0, len(found), len(dists))]

    def _estimated(self, dists: Sequence[int]) -> list[bool]:
        return [self.estimated and of_packets(dist) for dist in dists]

    def stages(self, regions: Sequence[Region], trend: Region) -> tuple[StageRow, ...]:
        """Rows of the stages counted in these regions, in the order of the way."""
        dists = [
            dist
            for dist in self.sums.index.dists(regions)
            if dist < N_STAGES and self.direction in (None, STAGES[dist].direction)
        ]
        dists.sort(key=_PLACE.__getitem__)
        rows = [(STAGES[dist], v) for dist, v in zip(dists, self.values(regions, dists), strict=True) if v.count]
        time_ns = dict.fromkeys(Direction, 0)
        for stage, values in rows:
            time_ns[stage.direction] += values.sum_ns
        return tuple(
            StageRow(
                stage,
                values.count / self.seconds,
                values.sum_ns / time_ns[stage.direction] if time_ns[stage.direction] else 0.0,
                values,
                self.past.of(trend.code(stage.id)),
            )
            for stage, values in rows
        )

    def delays(self, regions: Sequence[Region], trend: Region, stages: Sequence[StageRow]) -> tuple[DelayRow, ...]:
        """A row for every delay of the way up; says why there is nothing in it if stages of that way were counted."""
        if self.direction is Direction.TX:
            return ()
        found = list(zip(DELAYS, self.values(regions, [delay.gauge for delay in DELAYS]), strict=True))
        received = [row.stage for row in stages if row.direction is Direction.RX]
        old = not any(values.count for _, values in found) and any(witnessed(delay, received) for delay in DELAYS)
        rows = []
        for delay, values in found:
            why = missing(delay, self.hooks) if received and not values.count else ""
            why = NOT_KEPT if old and why == NONE_CAME_BY else why
            shown = self.past.of(trend.code(delay.gauge))
            rows.append(DelayRow(delay, values.count / self.seconds, values, shown, why))
        return tuple(rows)

    def totals(self, regions: Sequence[Region], trend: Region, seen: Collection[Direction]) -> tuple[TotalRow, ...]:
        """Whole paths of the direction asked for; of both, of those in which packets were ``seen``."""
        ways = sorted(seen) if self.direction is None else [self.direction]
        return tuple(
            TotalRow(way, values.count / self.seconds, values, self.past.of(trend.code(TOTAL[way])))
            for way, values in zip(ways, self.values(regions, [TOTAL[way] for way in ways]), strict=True)
        )
