"""The view as a process on a pseudoterminal: what it writes, and what becomes of the terminal."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping

from tests.screens.conftest import DEMO

DEADLINE_S = 60.0

MODES = {
    "alternate screen": (b"\x1b[?1049h", b"\x1b[?1049l"),
    "hidden cursor": (b"\x1b[?25l", b"\x1b[?25h"),
    "mouse": (b"\x1b[?1000h", b"\x1b[?1000l"),
    "mouse that moves": (b"\x1b[?1003h", b"\x1b[?1003l"),
    "mouse beyond column 223": (b"\x1b[?1006h", b"\x1b[?1006l"),
    "focus": (b"\x1b[?1004h", b"\x1b[?1004l"),
    "bracketed paste": (b"\x1b[?2004h", b"\x1b[?2004l"),
    "keys of the Kitty protocol": (b"\x1b[>", b"\x1b[<u"),
    "no line wrap": (b"\x1b[?7l", b"\x1b[?7h"),
}
"""What the view switches on, and what switches it off."""


class Terminal:
    """The view of the bundled recording. ``python``: what to run instead of the command, as arguments of Python."""

    def __init__(self, *python: str, env: Mapping[str, str] | None = None, columns: int = 80, lines: int = 24) -> None:
        self.ours, self.theirs = os.openpty()
        termios.tcsetwinsize(self.theirs, (lines, columns))
        self.before = termios.tcgetattr(self.theirs)
        self.output = b""
        command = [sys.executable, *(python or ("-m", "netlat_tui")), "replay", str(DEMO)]
        said = ("LC_", "LANG", "COLOR", "NO_COLOR", "SSH_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(said)}
        self.process = subprocess.Popen(
            command, stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, env=clean | (env or {"LANG": "C.UTF-8"})
        )

    def read(self) -> None:
        """What is there to be read, or comes within a moment."""
        if select.select([self.ours], [], [], 0.05)[0]:
            self.output += os.read(self.ours, 65536)

    def until(self, words: bytes, after: int = 0) -> None:
        """Read until these words were written; ``after``: only what came after so many bytes counts."""
        deadline = time.monotonic() + DEADLINE_S
        while words not in self.output[after:]:
            assert time.monotonic() < deadline, f"{words!r} never came"
            assert self.process.poll() is None, self.output
            self.read()

    def resize(self, columns: int, lines: int) -> None:
        termios.tcsetwinsize(self.theirs, (lines, columns))
        self.process.send_signal(signal.SIGWINCH)  # the kernel sends it only to who was started as a terminal's own

    def end(self) -> int:
        """Read on until the process has ended; its exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it never ended"
            self.read()
        while select.select([self.ours], [], [], 0)[0]:
            self.read()
        return self.process.returncode

    def left_on(self) -> list[str]:
        """What the view switched on and did not switch off."""
        return [name for name, (on, off) in MODES.items() if self.output.rfind(on) > self.output.rfind(off)]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)
