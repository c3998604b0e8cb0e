"""Rows of a snapshot for intervals: stages, delays of the way up, whole paths."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from netlat_tui.model.aggregate import Aggregate, Region
from netlat_tui.model.delays import NONE_CAME_BY, NOT_KEPT, missing, witnessed
from netlat_tui.model.estimates import of_packets
from netlat_tui.model.past import Past
from netlat_tui.model.points import DELAYS, N_STAGES, STAGES, TOTAL, Direction
from netlat_tui.model.snapshot import DelayRow, Distribution, StageRow, TotalRow, Trend
from netlat_tui.model.ticks import Hook


@dataclass(frozen=True, slots=True)
class Intervals:
    """Makes rows of what was counted over a window of ``seconds``; of ``direction`` only, where that is not ``None``.

    ``past`` are the ticks of the trends, oldest first. In the methods, ``regions`` are put together, and ``trend`` is
    the region whose trend is shown.
    """

    aggregate: Aggregate
    past: Sequence[Past]
    hooks: Sequence[Hook]
    seconds: float
    direction: Direction | None
    estimated: bool = False

    def values(self, regions: Sequence[Region], dist: int) -> Distribution:
        found = self.aggregate.distribution([region.code(dist) for region in regions])
        return replace(found, estimated=True) if self.estimated and of_packets(dist) else found

    def trend(self, code: int) -> Trend:
        found = [(past, past.summaries.get(code)) for past in self.past]
        return Trend(
            tuple(summary[0] * 1e9 / past.duration_ns if summary else 0.0 for past, summary in found),
            tuple(summary[1] if summary else None for _, summary in found),
        )

    def stages(self, regions: Sequence[Region], trend: Region) -> tuple[StageRow, ...]:
        """Rows of the stages counted in these regions, in the order of the way."""
        rows, time_ns = [], dict.fromkeys(Direction, 0)
        for dist in self.aggregate.counted(regions):
            if dist >= N_STAGES or self.direction not in (None, STAGES[dist].direction):
                continue
            values = self.values(regions, dist)
            if values.count:
                rows.append((STAGES[dist], values))
                time_ns[STAGES[dist].direction] += values.sum_ns
        rows.sort(key=lambda row: (row[0].direction, row[0].layer_key, row[0].start.index, row[0].end.index))
        return tuple(
            StageRow(
                stage,
                values.count / self.seconds,
                values.sum_ns / time_ns[stage.direction] if time_ns[stage.direction] else 0.0,
                values,
                self.trend(trend.code(stage.id)),
            )
            for stage, values in rows
        )

    def delays(self, regions: Sequence[Region], trend: Region, stages: Sequence[StageRow]) -> tuple[DelayRow, ...]:
        """A row for every delay of the way up; says why there is nothing in it if stages of that way were counted."""
        if self.direction is Direction.TX:
            return ()
        found = [(delay, self.values(regions, delay.gauge)) for delay in DELAYS]
        received = [row.stage for row in stages if row.direction is Direction.RX]
        old = not any(values.count for _, values in found) and any(witnessed(delay, received) for delay in DELAYS)
        rows = []
        for delay, values in found:
            why = missing(delay, self.hooks) if received and not values.count else ""
            why = NOT_KEPT if old and why == NONE_CAME_BY else why
            rows.append(DelayRow(delay, values.count / self.seconds, values, self.trend(trend.code(delay.gauge)), why))
        return tuple(rows)

    def totals(self, regions: Sequence[Region], trend: Region, seen: Collection[Direction]) -> tuple[TotalRow, ...]:
        """Whole paths of the direction asked for; of both, of those in which packets were ``seen``."""
        rows = []
        for way in sorted(seen) if self.direction is None else (self.direction,):
            values = self.values(regions, TOTAL[way])
            rows.append(TotalRow(way, values.count / self.seconds, values, self.trend(trend.code(TOTAL[way]))))
        return tuple(rows)
