"""Who waits is woken at once, by threads and by signals, and is not woken for nothing."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from pathlib import Path

from netlat_tui.sources.alarm import Alarm

LONG_S = 20.0


def waited(alarm: Alarm, seconds: float | None = LONG_S) -> float:
    began = time.monotonic()
    alarm.wait(seconds)
    return time.monotonic() - began


def test_a_wait_is_as_long_as_it_may_be() -> None:
    assert 0.05 <= waited(Alarm(), 0.05) < LONG_S / 2


def test_a_ring_ends_the_wait_or_the_next_one() -> None:
    alarm = Alarm()
    alarm.ring()
    alarm.ring()
    assert waited(alarm) < LONG_S / 2
    assert waited(alarm, 0.05) >= 0.05  # two rings are one
    threading.Timer(0.05, alarm.ring).start()
    assert waited(alarm, None) < LONG_S / 2


def test_a_signal_handler_may_ring() -> None:
    alarm = Alarm()
    before = signal.signal(signal.SIGUSR1, lambda *_: alarm.ring())
    try:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        assert waited(alarm) < LONG_S / 2
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_its_file_goes_with_it() -> None:
    alarm = Alarm()
    file = Path(f"/proc/self/fd/{alarm._file}")
    assert file.exists()
    del alarm
    gc.collect()
    assert not file.exists()
