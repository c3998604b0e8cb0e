"""Going through a recording: where everything is, and that a place sought shows what playing to it shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.export import report
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.recording import Mark, Timeline, Writer, survey
from netlat_tui.recording.format import SYNC
from netlat_tui.screens.feed import MOST_PATHS, Feed, Selection
from netlat_tui.sources.replay import ReplaySource
from tests.synth import ORIGIN, make_ticks

COUNT = 40
WINDOWS = (0, 10_000_000_000, 60_000_000_000, 300_000_000_000, None)
TICKS = [replace(tick, every=1 + tick.seq % 2) for tick in make_ticks(COUNT, paths=3, drops=1, sent=1)]
WAIT_SECONDS = 20.0


def write(path: Path, count: int = COUNT) -> Path:
    with Writer(path, ORIGIN) as writer:
        for tick in TICKS[:count]:
            if tick.seq == 5:
                writer.mark(Mark(tick.time_ns, "here"))
            writer.write(tick)
    return path


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("seeking") / "r.netlat")


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.002)


class Shown:
    """A replay that is paused, and the figures it shows."""

    def __init__(self, path: Path) -> None:
        self.source = ReplaySource(path)
        self.source.pause()
        self.source.survey()
        self.feed = Feed(self.source, Selection(), lambda: None)
        self.feed.start()

    def close(self) -> None:
        assert self.feed.stop(5.0)
        self.source.close()

    def at(self, number: int, window_ns: int | None) -> Snapshot:
        """The figures of a window once the tick of this number is shown."""
        self.feed.select(Selection(window_ns=window_ns))
        wanted = TICKS[number - 1].time_ns

        length = played(number, window_ns).ticks
        seen: list[Snapshot] = []

        def there() -> bool:
            found = self.feed.fetch()
            if found is not None and found.time_ns == wanted and found.ticks == length:
                seen.append(found)  # fetched again it may be another: places sought before may still be on their way
            return bool(seen)

        until(there, f"tick {number}")
        return seen[0]


def played(number: int, window_ns: int | None) -> Snapshot:
    """What playing to a tick shows."""
    history = History(ORIGIN, shown_paths=MOST_PATHS)
    for tick in TICKS[:number]:
        history.add(tick)
    return history.snapshot(window_ns, EVERYTHING, None)


def same(one: Snapshot, other: Snapshot) -> None:
    """Everything there is to see of both is the same."""
    assert report.to_json(one, ORIGIN, False) == report.to_json(other, ORIGIN, False)
    for name in ("latest", "slowest", "peers"):
        assert np.array_equal(getattr(one, name)["id"], getattr(other, name)["id"])
    assert len(one.stages) == len(other.stages)
    for a, b in zip(one.stages, other.stages, strict=True):
        assert a.trend == b.trend


@pytest.fixture(scope="module")
def shown(recording: Path) -> Iterator[Shown]:
    made = Shown(recording)
    yield made
    made.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, COUNT), min_size=1, max_size=4), st.sampled_from(WINDOWS))
def test_a_place_sought_shows_what_playing_to_it_shows(shown: Shown, way: list[int], window_ns: int | None) -> None:
    for number in way:
        assert shown.source.seek(number)
    same(shown.at(way[-1], window_ns), played(way[-1], window_ns))


def test_a_tick_back_and_on_again(recording: Path) -> None:
    shown = Shown(recording)
    shown.source.seek(20)
    same(shown.at(20, None), played(20, None))  # really there, so that it has to go back
    for _ in range(3):
        shown.source.move(-1)
    same(shown.at(17, None), played(17, None))
    shown.source.step()
    same(shown.at(18, 0), played(18, 0))
    shown.close()


def test_from_the_end_one_can_go_back(recording: Path) -> None:
    shown = Shown(recording)
    shown.source.seek(COUNT)
    until(lambda: shown.feed.ended, "the end")
    shown.source.move(-1)
    same(shown.at(COUNT - 1, 10_000_000_000), played(COUNT - 1, 10_000_000_000))
    assert not shown.feed.ended
    shown.close()


def test_playing_goes_on_from_the_place_sought(recording: Path) -> None:
    source = ReplaySource(recording, speed=1e9)
    source.survey()
    source.seek(30)
    assert [tick.seq for tick in source.ticks()] == list(range(COUNT))
    source.seek(39)
    assert [tick.seq for tick in source.ticks()] == list(range(COUNT)), "from the beginning, for the sums are of all"
    source.close()


def test_a_second_place_on_the_way_to_the_first(recording: Path) -> None:
    """Whoever looks only sees places that were sought: the figures at the last are announced, wherever it was left."""
    source = ReplaySource(recording)
    source.pause()
    source.survey()
    source.seek(30)
    ticks = source.ticks()
    for _ in range(10):
        next(ticks)
    assert source.behind
    source.seek(10)  # where it is: but nobody was told to look
    taken = [next(ticks) for _ in range(10)]
    assert [tick.seq for tick in taken] == list(range(10))
    assert not source.behind
    source.close()


def test_what_is_read_again_is_not_damaged_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "r.netlat", 10)
    data = bytearray(path.read_bytes())
    offsets = [at for at in range(len(data)) if data.startswith(SYNC, at)]
    data[offsets[4] + 40] ^= 0xFF  # tick 4: a header comes first
    path.write_bytes(data)
    source = ReplaySource(path)
    source.pause()
    source.survey()
    timeline = source.timeline
    assert timeline is not None
    assert timeline.count == 10, "the index still knows of it"
    source.seek(4)
    ticks = source.ticks()
    assert [next(ticks).seq for _ in range(3)] == [0, 1, 2]
    assert not source.behind, "the tick sought cannot be read: what is before it is what is shown"
    source.seek(2)
    assert [next(ticks).seq for _ in range(2)] == [0, 1]
    source.seek(6)
    assert [next(ticks).seq for _ in range(3)] == [2, 4, 5]
    assert len(source.damage) == 1
    source.close()


@pytest.mark.parametrize("end", ["cut", "no index", "wrong index", "more behind it"])
def test_a_lost_index_is_made_again(recording: Path, tmp_path: Path, end: str) -> None:
    whole = survey(recording, ORIGIN)
    data = recording.read_bytes()
    index = data.rindex(SYNC)
    path = tmp_path / "r.netlat"
    if end == "wrong index":
        other = write(tmp_path / "other.netlat", COUNT - 1).read_bytes()
        path.write_bytes(data[:index] + other[other.rindex(SYNC) :])
    else:
        path.write_bytes({"cut": data[:-5], "no index": data[:index], "more behind it": data + b"xyz"}[end])
    assert survey(path, ORIGIN) == whole
    assert whole.times_ns == tuple(tick.time_ns for tick in TICKS)
    assert whole.marks == (Mark(TICKS[5].time_ns, "here"),)


def test_a_clock_that_was_set_back() -> None:
    from netlat_tui.recording.timeline import timeline_of

    timeline = timeline_of([(10, 100), (20, 200), (30, 50), (40, 300)])
    assert timeline.times_ns == (100, 200, 200, 300)
    assert timeline.at_time(200) == 3


def test_a_pipe_cannot_be_gone_through(recording: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    import os

    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(recording.read_bytes()), daemon=True).start()
    source = ReplaySource(pipe, speed=None)
    source.survey()
    assert source.timeline is None
    assert not source.seek(3)
    assert not source.move(-1)
    assert not source.keeps
    assert len(list(source.ticks())) == COUNT
    source.close()


def test_a_loop_can_be_gone_through(recording: Path) -> None:
    source = ReplaySource(recording, speed=None, loop=True)
    source.survey()
    ticks = source.ticks()
    for _ in range(COUNT + 7):
        next(ticks)
    assert source.number == 7
    source.seek(3)
    assert [next(ticks).seq for _ in range(3)] == [0, 1, 2]
    assert not source.behind
    assert [next(ticks).seq for _ in range(COUNT)][-1] == COUNT + 2, "and goes on from there, round after round"
    source.close()


def test_a_stopped_source_no_longer_waits_to_be_sought(recording: Path) -> None:
    source = ReplaySource(recording, speed=None)
    list(source.ticks())
    told: list[bool] = []
    thread = threading.Thread(target=lambda: told.append(source.wait_for_seek()))
    thread.start()
    source.stop()
    thread.join(timeout=5)
    assert told == [False]
    source.close()


def test_numbers_beyond_the_ends(recording: Path) -> None:
    timeline = survey(recording, ORIGIN)
    assert isinstance(timeline, Timeline)
    assert timeline.at_time(0) == 1
    assert timeline.at_time(1 << 62) == COUNT
    assert timeline.at_share(0.5) == 20
    source = ReplaySource(recording, speed=None)
    source.survey()
    for number in (-5, 0, COUNT + 9):
        assert source.seek(number)
    assert source.number == COUNT
    source.close()
