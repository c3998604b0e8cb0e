"""A recording as a source of ticks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from netlat_tui.model.filter import Filter
from netlat_tui.model.ticks import Origin, Tick
from netlat_tui.recording import Damage, Reader, RecordingError
from netlat_tui.sources.alarm import Alarm
from netlat_tui.sources.base import SourceError


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
        self._alarm = Alarm()
        self._mutex = threading.Lock()  # guards the steps
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
        self._paused = True
        self._alarm.ring()

    def play(self) -> None:
        self._paused = False
        self._alarm.ring()

    def step(self) -> None:
        """While paused: show one more tick."""
        with self._mutex:
            self._steps += 1
        self._alarm.ring()

    def set_filter(self, new: Filter) -> None:
        """Nothing: what was not recorded cannot be had; the screen's own part of the filter selects paths."""

    def set_interval(self, seconds: float) -> None:
        """Nothing: ticks have the length they were recorded with."""

    def set_speed(self, speed: float) -> None:
        self._speed = speed
        self._alarm.ring()

    def stop(self) -> None:
        self._stopped = True  # no lock: this may run in a signal handler that interrupted its holder
        self._alarm.ring()

    def close(self) -> None:
        self._stopped = True
        self._alarm.ring()
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
            if self._paused:
                if self._step_taken():
                    return True
                self._alarm.wait()
                continue
            left = tick.duration_ns / 1e9 / self._speed - waited if self._speed else 0.0
            if left <= 0:
                return True
            began = time.monotonic()
            self._alarm.wait(left)
            waited += time.monotonic() - began
        return False

    def _step_taken(self) -> bool:
        with self._mutex:
            taken = self._steps > 0
            self._steps -= taken
        return taken


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
