"""The view as a process on a terminal of its own: how it ends, and that the terminal is as before."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from tests.screens.conftest import DEMO

DEADLINE_S = 60.0


class Terminal:
    """The view of the bundled recording, on a pseudoterminal."""

    def __init__(self, *python: str) -> None:
        self.ours, self.theirs = os.openpty()
        termios.tcsetwinsize(self.theirs, (24, 80))
        self.before = termios.tcgetattr(self.theirs)
        self.output = b""
        command = [sys.executable, *(python or ("-m", "netlat_tui")), "replay", str(DEMO)]
        self.process = subprocess.Popen(command, stdin=self.theirs, stdout=self.theirs, stderr=self.theirs)

    def read(self) -> None:
        """What is there to be read, or comes within a moment."""
        if select.select([self.ours], [], [], 0.05)[0]:
            self.output += os.read(self.ours, 65536)

    def until(self, words: bytes) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while words not in self.output:
            assert time.monotonic() < deadline, f"{words!r} never came"
            assert self.process.poll() is None, self.output
            self.read()

    def end(self) -> int:
        """Read on until the process has ended; its exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it never ended"
            self.read()
        while select.select([self.ours], [], [], 0)[0]:
            self.read()
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("ending", "code"), [("q", 0), ("ctrl+c", 0), (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_terminal_is_as_before(ending: str | signal.Signals, code: int, terminal: Terminal) -> None:
    terminal.until(b"\x1b[?1049h")
    terminal.until("link→network".encode())
    assert termios.tcgetattr(terminal.theirs) != terminal.before
    if isinstance(ending, signal.Signals):
        terminal.process.send_signal(ending)
    else:
        os.write(terminal.ours, {"q": b"q", "ctrl+c": b"\x03"}[ending])
    assert terminal.end() == code
    assert termios.tcgetattr(terminal.theirs) == terminal.before
    for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?1000h", b"\x1b[?1000l")):
        assert terminal.output.rfind(off) > terminal.output.rfind(on)
    assert b"Traceback" not in terminal.output


COUNTED = """
import gc, sys
from netlat_tui.cli import main
try:
    main()
finally:
    print("for good:", gc.get_freeze_count() > len(gc.get_objects()))
"""


def test_what_stays_is_not_gone_through_for_garbage() -> None:
    terminal = Terminal("-c", COUNTED)
    try:
        terminal.until("link→network".encode())
        os.write(terminal.ours, b"q")
        assert terminal.end() == 0
        assert b"for good: True" in terminal.output
    finally:
        terminal.close()
