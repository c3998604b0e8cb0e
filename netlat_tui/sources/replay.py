"""A recording as a source of ticks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from netlat_tui.model.filter import Filter
from netlat_tui.model.ticks import Origin, Tick
from netlat_tui.recording import Damage, Reader, RecordingError
from netlat_tui.sources.base import SourceError

_LOOK_EVERY_S = 0.1  # a signal handler can only set a flag: it is looked at this often


class ReplaySource:
    """Plays the ticks of a recording with their own timing, ``speed`` times as fast (``None``: without waiting).

    ``loop`` begins again at the end; sequence numbers and times go on rising. Raises ``SourceError`` where the
    recording cannot be read.
    """

    live = False

    def __init__(self, path: str | Path, speed: float | None = 1.0, loop: bool = False) -> None:
        try:
            self._reader = Reader(path)
        except RecordingError as error:
            raise SourceError(str(error)) from error
        self._speed = speed
        self._loop = loop
        self._changed = threading.Condition()
        self._paused = False
        self._steps = 0
        self._stopped = False

    @property
    def origin(self) -> Origin:
        return self._reader.origin

    @property
    def damage(self) -> list[Damage]:
        """What could not be read so far."""
        return self._reader.damage

    @property
    def paused(self) -> bool:
        return self._paused

    def pause(self) -> None:
        with self._changed:
            self._paused = True
            self._changed.notify_all()

    def play(self) -> None:
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def step(self) -> None:
        """While paused: show one more tick."""
        with self._changed:
            self._steps += 1
            self._changed.notify_all()

    def set_filter(self, new: Filter) -> None:
        """Nothing: what was not recorded cannot be had; the screen's own part of the filter selects paths."""

    def set_interval(self, seconds: float) -> None:
        """Nothing: ticks have the length they were recorded with."""

    def set_speed(self, speed: float) -> None:
        with self._changed:
            self._speed = speed
            self._changed.notify_all()

    def stop(self) -> None:
        # No lock: this may run in a signal handler that interrupted its holder.
        self._stopped = True

    def close(self) -> None:
        self._stopped = True
        self._reader.close()

    def ticks(self) -> Iterator[Tick]:
        played: list[Tick] = []
        for tick in self._reader:
            if self._loop:
                played.append(tick)
            if not self._wait(tick):
                return
            yield tick
        rounds = 0
        while self._loop and played and not self._stopped:
            rounds += 1
            length = sum(tick.duration_ns for tick in played)
            for tick in played:
                if not self._wait(tick):
                    return
                yield _later(tick, rounds, length, len(played))

    def _wait(self, tick: Tick) -> bool:
        """Let the tick's time pass; False where the source was stopped."""
        waited = 0.0
        while not self._stopped:
            with self._changed:
                if self._paused:
                    if self._steps:
                        self._steps -= 1
                        return True
                    self._changed.wait(_LOOK_EVERY_S)
                    continue
                left = tick.duration_ns / 1e9 / self._speed - waited if self._speed else 0.0
                if left <= 0:
                    return True
                slice_s = min(left, _LOOK_EVERY_S)
                self._changed.wait(slice_s)
                waited += slice_s
        return False


def _later(tick: Tick, rounds: int, length_ns: int, count: int) -> Tick:
    """The same tick, ``rounds`` recordings later."""
    shift = rounds * length_ns
    paths = tick.paths.copy()
    paths["t0_ns"] += np.uint64(shift)
    # A path of another round is another path.
    paths["id"] += np.uint64(rounds << 40)
    paths["peer"][paths["peer"] != 0] += np.uint64(rounds << 40)
    return replace(
        tick, seq=tick.seq + rounds * count, time_ns=tick.time_ns + shift, mono_ns=tick.mono_ns + shift, paths=paths
    )
