"""Tracks side by side, so that on each of them slices lie within one another or apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from netlat_tui.export.perfetto_stream import Stream, Value


@dataclass(slots=True)
class _Lane:
    track: int
    open: list[int] = field(default_factory=list)  # ends of the slices that go on, the innermost last


class Nest:
    """Slices that come in the order of their beginnings, of the same beginning the longest first.

    Each is put on the first track where it lies within what goes on there; ``make`` makes one more where there is none.
    """

    def __init__(self, stream: Stream, make: Callable[[], int]) -> None:
        self._stream = stream
        self._make = make
        self._lanes = [_Lane(make())]

    def add(self, start_ns: int, end_ns: int, name: str, arguments: Mapping[str, Value]) -> None:
        lane = next((lane for lane in self._lanes if self._fits(lane, start_ns, end_ns)), None)
        if lane is None:
            lane = _Lane(self._make())
            self._lanes.append(lane)
        self._stream.begin(lane.track, start_ns, name, arguments)
        lane.open.append(end_ns)

    def _fits(self, lane: _Lane, start_ns: int, end_ns: int) -> bool:
        while lane.open and lane.open[-1] <= start_ns:
            self._stream.end(lane.track, lane.open.pop())
        return not lane.open or end_ns <= lane.open[-1]

    def close(self) -> None:
        for lane in self._lanes:
            while lane.open:
                self._stream.end(lane.track, lane.open.pop())


class Row:
    """Slices that come in any order: each has a track to itself for as long as it lasts."""

    def __init__(self, make: Callable[[], int]) -> None:
        self._make = make
        self._lanes: list[tuple[int, int]] = []  # (free from, track)

    def take(self, start_ns: int, end_ns: int) -> int:
        """The track on which nothing is from ``start_ns`` on; it is taken until ``end_ns``."""
        for number, (free, track) in enumerate(self._lanes):
            if free <= start_ns:
                self._lanes[number] = end_ns, track
                return track
        track = self._make()
        self._lanes.append((end_ns, track))
        return track
