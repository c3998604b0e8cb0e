"""A live session in a terminal of its own, driven by its keys alone, as over SSH: tmux has the terminal."""

from __future__ import annotations

import itertools
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.conftest import DEADLINE_S

_numbers = itertools.count()
_REPO = Path(__file__).parent.parent.parent


class Session:
    """``netlat-tui`` with these words, in ``columns`` × ``lines``. What its user pressed is counted."""

    def __init__(self, size: tuple[int, int], *words: str) -> None:
        self._tmux = ("tmux", "-L", f"netlat-{os.getpid()}-{next(_numbers)}", "-f", os.devnull)
        columns, lines = size
        command = shlex.join([sys.executable, "-m", "netlat_tui", *words])
        self.pressed: list[str] = []
        environment = {**os.environ, "LANG": "C.UTF-8", "PYTHONPATH": str(_REPO), "HOME": "/nonexistent"}
        environment.pop("NO_COLOR", None)
        self._run("new-session", "-d", "-x", str(columns), "-y", str(lines), command, environment=environment)

    def _run(self, *words: str, environment: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [*self._tmux, *words], env=environment, check=False, capture_output=True, text=True, encoding="utf-8"
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        """tmux's names of keys; each counts."""
        for key in keys:
            self.pressed.append(key)
            self._run("send-keys", key)

    @property
    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def until(self, condition: Callable[[str], bool], what: str) -> str:
        """Wait until the screen is so; what it then shows."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition(screen := self.screen):
            if time.monotonic() > deadline:
                pytest.fail(f"after {self.pressed}, {what} never came:\n{screen}")
            time.sleep(0.1)
        return screen

    def shows(self, *words: str) -> str:
        """Wait until the screen shows all of these."""
        return self.until(lambda screen: all(word in screen for word in words), " and ".join(map(repr, words)))

    def close(self) -> None:
        self._run("send-keys", "q")
        deadline = time.monotonic() + 5
        while self._run("list-sessions") and time.monotonic() < deadline:
            time.sleep(0.05)
        self._run("kill-server")
