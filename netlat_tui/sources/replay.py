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
from netlat_tui.recording import (
    Damage,
    Mark,
    Reader,
    RecordingError,
    Timeline,
    keep_beside,
    read_beside,
    survey,
)
from netlat_tui.sources.alarm import Alarm
from netlat_tui.sources.base import SourceError


class ReplaySource:
    """Plays the ticks of a recording with their own timing, ``speed`` times as fast (``None``: without waiting).

    ``loop`` begins again at the end; sequence numbers and times go on rising. A file can be gone through: ``seek`` has
    every tick up to the place sought come at once, from the beginning where it lies behind, so that the figures are
    those of having played to there. Raises ``SourceError`` where the recording cannot be read.
    """

    live = False

    def __init__(self, path: str | Path, speed: float | None = 1.0, loop: bool = False) -> None:
        self._path = Path(path) if str(path) != "-" and Path(path).is_file() else None
        try:
            self._reader = Reader(path)
        except RecordingError as error:
            raise SourceError(str(error)) from error
        self._speed = speed
        self._loop = loop
        self._alarm = Alarm()
        self._mutex = threading.Lock()  # guards the steps and what is sought
        self._paused = False
        self._steps = 0
        self._stopped = False
        self._timeline: Timeline | None = None
        self._sought: int | None = None  # the place asked for: an offset
        self._goal: int | None = None  # the place that is being gone to
        self._played = -1  # the place of the last tick given
        self._reading = self._read()
        self._ahead: tuple[int, Tick] | None = None  # read, not yet given
        self._rounds, self._count, self._length_ns = 0, 0, 0
        self._rewound = False
        self._behind = False

    @property
    def origin(self) -> Origin:
        return self._reader.origin

    @property
    def damage(self) -> list[Damage]:
        """What could not be read so far."""
        return self._reader.damage

    @property
    def marks(self) -> list[Mark]:
        """The notes in what was read so far, and those made of the file afterwards."""
        beside = read_beside(self._path, self.origin) if self._path is not None else []
        return sorted([*self._reader.marks, *beside], key=lambda mark: mark.time_ns)

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

    # -- going through it

    @property
    def timeline(self) -> Timeline | None:
        """Where everything is; ``None`` until ``survey`` has found out, and where nobody can."""
        return self._timeline

    def survey(self) -> None:
        """Find out where everything is. Takes as long as reading the file where its index is lost."""
        if self._path is None:
            return
        try:
            found = survey(self._path, self.origin)
        except (OSError, RecordingError):
            return
        self._timeline = found if found.count else None

    def seek(self, number: int) -> bool:
        """Go to the tick of this number, counted from 1; says whether this recording can be gone through."""
        timeline = self._timeline
        if timeline is None:
            return False
        with self._mutex:
            self._seek(timeline, number)
        self._alarm.ring()
        return True

    def move(self, ticks: int) -> bool:
        """Go so many ticks on or back from where it is, or is going to."""
        timeline = self._timeline
        if timeline is None:
            return False
        with self._mutex:
            self._seek(timeline, timeline.at_offset(self._headed) + ticks)
        self._alarm.ring()
        return True

    def _seek(self, timeline: Timeline, number: int) -> None:
        self._sought = timeline.offsets[min(max(number, 1), timeline.count) - 1]
        self._steps = 0

    @property
    def _headed(self) -> int:
        goals = (self._sought, self._goal)
        return next((goal for goal in goals if goal is not None), self._played)

    @property
    def number(self) -> int:
        """The tick that was given last, or that is being gone to; 0 before the first."""
        return self._timeline.at_offset(self._headed) if self._timeline is not None else 0

    @property
    def progress(self) -> float | None:
        """How much of the way to the place sought is done (0…1), ``None`` when there."""
        goal = self._sought if self._sought is not None else self._goal
        return None if goal is None else min(1.0, max(0, self._played) / max(1, goal))

    @property
    def rewound(self) -> bool:
        """Whether the tick given last is the first after going back: what was given before it no longer counts."""
        return self._rewound

    @property
    def behind(self) -> bool:
        """Whether more ticks come at once after the one given last."""
        return self._behind

    def wait_for_seek(self) -> bool:
        """After the end: wait until a place is sought (true), or the source is stopped (false)."""
        while not self._stopped:
            if self._sought is not None:
                return True
            self._alarm.wait()
        return False

    @property
    def keeps(self) -> bool:
        """Whether there is a file that a mark can be kept beside."""
        return self._path is not None and not self._loop

    def keep(self, mark: Mark) -> None:
        """Keep a mark with the recording. ``SourceError`` where that cannot be; it says so."""
        if self._path is None or not self.keeps:
            raise SourceError("The mark is kept for this session only: this recording is not a file of yours.")
        try:
            keep_beside(self._path, self.origin, mark)
        except RecordingError as error:
            raise SourceError(str(error)) from error

    # -- the source

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
        """May be called again when it has ended and a place was sought."""
        while not self._stopped:
            self._turn()
            found = self._take()
            if found is None:
                if not self._again():
                    return
                continue
            place, tick = found
            if self._goal is None or place > self._goal:
                self._goal = None
                if not self._wait(tick):
                    self._ahead = found  # a place was sought, or it was stopped
                    continue
            self._played = place
            if self._goal is not None:
                self._ahead = self._take()
                self._behind = self._ahead is not None and self._ahead[0] <= self._goal
                self._goal = self._goal if self._behind else None
            yield _later(tick, self._rounds, self._length_ns, self._count) if self._rounds else tick
            self._rewound = False

    def _turn(self) -> None:
        """Set out for the place that was sought, if one was."""
        with self._mutex:
            if self._sought is None:
                return
            self._goal, self._sought = self._sought, None
        # On the way to a place sought before, nobody has seen the figures: they are due at the first tick from now.
        missed = self._behind and (self._ahead is None or self._ahead[0] > self._goal)
        if self._goal < self._played or self._rounds or missed:
            self._begin_again()
            self._rounds = 0
            self._rewound = True
            self._count, self._length_ns = 0, 0
        elif self._goal == self._played:
            self._goal = None

    def _begin_again(self) -> None:
        self._reader.rewind()
        self._reading, self._ahead, self._played = self._read(), None, -1

    def _again(self) -> bool:
        """At the end: the next round, if there is one."""
        if not self._loop or self._path is None or self._played < 0:
            return False
        self._begin_again()
        self._rounds += 1
        return True

    def _read(self) -> Iterator[tuple[int, Tick]]:
        for tick in self._reader:
            if not self._rounds:
                self._count += 1
                self._length_ns += tick.duration_ns
            yield self._reader.at, tick

    def _take(self) -> tuple[int, Tick] | None:
        found, self._ahead = self._ahead, None
        return found or next(self._reading, None)

    def _wait(self, tick: Tick) -> bool:
        """Let the tick's time pass; False where the source was stopped or a place was sought."""
        waited = 0.0
        while not self._stopped and self._sought is None:
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
