"""The view as a process on a terminal of its own: how it ends, and that the terminal is as before."""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Iterator

import pytest

from tests.screens.ptys import MODES, Terminal


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
    assert set(terminal.left_on()) == set(MODES)
    if isinstance(ending, signal.Signals):
        terminal.process.send_signal(ending)
    else:
        os.write(terminal.ours, {"q": b"q", "ctrl+c": b"\x03"}[ending])
    assert terminal.end() == code
    assert termios.tcgetattr(terminal.theirs) == terminal.before
    assert terminal.left_on() == []
    assert b"Traceback" not in terminal.output


FAILING = """
import sys
from netlat_tui.cli import main
from netlat_tui.screens.main import MainScreen
def broken(self, step):
    raise RuntimeError("something is wrong")
MainScreen.action_next_pane = broken
main()
"""


def test_the_terminal_is_as_before_when_something_was_wrong() -> None:
    terminal = Terminal("-c", FAILING)
    try:
        terminal.until(b"rx delays")
        os.write(terminal.ours, b"\t")
        assert terminal.end() == 1
        assert termios.tcgetattr(terminal.theirs) == terminal.before
        assert terminal.left_on() == []
        said = terminal.output[terminal.output.rfind(b"\x1b[?1049l") :]
        assert b"something is wrong" in said
        assert said.rstrip().endswith(b"this is a mistake in it.")
    finally:
        terminal.close()


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
