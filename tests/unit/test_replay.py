"""A recording as a source."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from netlat_tui.recording import Writer
from netlat_tui.sources.base import SourceError
from netlat_tui.sources.replay import ReplaySource
from tests.synth import ORIGIN, make_ticks


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "r.netlat"
    with Writer(path, ORIGIN) as writer:
        for tick in make_ticks(3, paths=2, sent=1):
            writer.write(tick)
    return path


def test_it_plays_what_was_recorded(recording: Path) -> None:
    source = ReplaySource(recording, speed=None)
    assert source.origin == ORIGIN
    assert [tick.seq for tick in source.ticks()] == [0, 1, 2]
    source.close()


def test_a_loop_goes_on_without_going_back(recording: Path) -> None:
    source = ReplaySource(recording, speed=None, loop=True)
    ticks = source.ticks()
    taken = [next(ticks) for _ in range(8)]
    assert [tick.seq for tick in taken] == list(range(8))
    times = [tick.mono_ns for tick in taken]
    assert times == sorted(set(times))
    ids = [int(row["id"]) for tick in taken for row in tick.paths]
    assert len(ids) == len(set(ids))
    for tick in taken:  # each round's peers are of that round
        peers = tick.paths["peer"][tick.paths["peer"] != 0]
        assert len(peers) == 2
        assert set(peers.tolist()) <= set(tick.paths["id"].tolist())
    source.close()


def test_it_keeps_the_recordings_time(recording: Path) -> None:
    source = ReplaySource(recording, speed=20.0)
    began = time.monotonic()
    assert len(list(source.ticks())) == 3
    assert time.monotonic() - began >= 3 / 20.0
    source.close()


def test_paused_it_gives_a_tick_a_step(recording: Path) -> None:
    source = ReplaySource(recording, speed=None)
    source.pause()
    seen: list[int] = []
    arrived = threading.Semaphore(0)

    def drain() -> None:
        for tick in source.ticks():
            seen.append(tick.seq)
            arrived.release()

    thread = threading.Thread(target=drain)
    thread.start()
    assert not arrived.acquire(timeout=0.3), "nothing comes while paused"
    source.step()
    assert arrived.acquire(timeout=5)
    assert not arrived.acquire(timeout=0.3)
    assert seen == [0]
    source.play()
    thread.join(timeout=5)
    assert seen == [0, 1, 2]
    source.close()


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("end", ["stop", "close"])
def test_a_waiting_source_ends_at_once(recording: Path, paused: bool, end: str) -> None:
    """It does not look for that now and then."""
    source = ReplaySource(recording, speed=0.001)
    if paused:
        source.pause()
    thread = threading.Thread(target=lambda: list(source.ticks()))
    thread.start()
    thread.join(timeout=0.2)
    assert thread.is_alive()
    getattr(source, end)()
    thread.join(timeout=5)
    assert not thread.is_alive()
    source.close()


def test_another_speed_holds_from_now_on(recording: Path) -> None:
    source = ReplaySource(recording, speed=0.001)
    thread = threading.Thread(target=lambda: list(source.ticks()))
    thread.start()
    thread.join(timeout=0.2)
    assert thread.is_alive()
    source.set_speed(1000)
    thread.join(timeout=5)
    assert not thread.is_alive()
    source.close()


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read") as caught:
        ReplaySource(tmp_path / "none")
    assert caught.value.exit_code == 1
