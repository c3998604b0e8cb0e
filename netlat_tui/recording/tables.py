"""Numbers of a file under its own tables, brought to those of this version by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from netlat_tui.model.points import GAUGES, MAX_POINTS, POINTS, Direction
from netlat_tui.model.ticks import NO_POINT, Rows
from netlat_tui.recording.format import FrameError

GONE = 0xFFFF


def points_now() -> dict[str, list[str]]:
    return {direction.label: [point.key for point in points] for direction, points in POINTS.items()}


def gauges_now() -> list[str]:
    return [gauge.key for gauge in GAUGES]


def _distributions(points: Mapping[str, Sequence[str]], gauges: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Names of the distributions in the order of their ids: stages by direction, then gauges."""
    for direction in Direction:
        keys = points[direction.label]
        for end in range(1, len(keys)):
            for start in range(end):
                yield direction.label, keys[start], keys[end]
    for gauge in gauges:
        yield ("gauge", gauge)


class Tables:
    """Maps a file's ids and point positions to this version's; what has no name here any more is left out."""

    def __init__(self, points: Mapping[str, Sequence[str]], gauges: Sequence[str]) -> None:
        for direction in Direction:
            keys = points.get(direction.label)
            if not isinstance(keys, list) or len(keys) > MAX_POINTS or not all(isinstance(key, str) for key in keys):
                raise FrameError("the header's table of points cannot be read")
        if not isinstance(gauges, list) or not all(isinstance(gauge, str) for gauge in gauges):
            raise FrameError("the header's table of gauges cannot be read")
        self._same = dict(points) == points_now() and list(gauges) == gauges_now()
        now = {name: index for index, name in enumerate(_distributions(points_now(), gauges_now()))}
        self._dists = np.array([now.get(name, GONE) for name in _distributions(points, gauges)], dtype=np.uint16)
        self._points = {
            direction: [_position(direction, key) for key in points[direction.label]] for direction in Direction
        }

    def remap_distributions(self, rows: Rows) -> Rows:
        """Rows with this version's ids; rows of distributions that are gone get an id that is out of range."""
        if self._same:
            return rows
        rows = rows.copy()
        known = rows["dist"] < len(self._dists)
        rows["dist"] = np.where(known, self._dists[np.where(known, rows["dist"], 0)], GONE)
        return rows

    def remap_paths(self, rows: Rows) -> tuple[Rows, int]:
        """(rows with points where this version has them, rows left out)."""
        known = np.isin(rows["direction"], [direction.value for direction in Direction])
        kept: Rows = rows[known]
        left_out = len(rows) - len(kept)
        if self._same:
            limit = np.array([(1 << len(POINTS[direction])) - 1 for direction in Direction], dtype=np.uint32)
            kept["mask"] &= limit[kept["direction"]]
            return kept, left_out
        moved = kept.copy()
        moved["mask"], moved["t_ns"], moved["cpu"] = 0, 0, 0
        for direction, positions in self._points.items():
            of = kept["direction"] == direction
            for before, after in enumerate(positions):
                if after is None:
                    continue
                bit = (kept["mask"][of] >> np.uint32(before) & 1) << np.uint32(after)
                moved["mask"][of] |= bit
                for field in ("t_ns", "cpu"):
                    column = moved[field][of]
                    column[:, after] = kept[field][of][:, before]
                    moved[field][of] = column
        return moved, left_out

    def remap_drops(self, rows: Rows) -> tuple[Rows, int]:
        """(rows with points where this version has them, else ``NO_POINT``; rows left out)."""
        kept: Rows = rows[np.isin(rows["direction"], [direction.value for direction in Direction])]
        for direction, positions in self._points.items():
            now = np.full(256, NO_POINT, dtype=np.uint8)
            for before, after in enumerate(positions):
                now[before] = NO_POINT if after is None else after
            of = kept["direction"] == direction
            kept["point"][of] = now[kept["point"][of]]
        return kept, len(rows) - len(kept)


def _position(direction: Direction, key: str) -> int | None:
    return next((point.index for point in POINTS[direction] if point.key == key), None)
