"""Every terminal: kinds, locales and colours on a pseudoterminal; sizes and keys in tmux."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from benchmarks.process import used
from benchmarks.pty import Terminal as Counting
from benchmarks.terminal import BYTES_PER_S, CPU_PCT
from netlat_tui.app import NetlatApp
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.view import ViewScreen
from netlat_tui.widgets.filter_bar import FilterBar
from netlat_tui.widgets.table import Table
from tests.screens.conftest import DEMO
from tests.screens.ptys import DEADLINE_S, Terminal

REPO = Path(__file__).parents[2]

# --- Kinds of terminals ---

UTF8 = {"LANG": "C.UTF-8"}
KINDS: dict[str, Mapping[str, str]] = {
    "xterm-256color, true colour": {"TERM": "xterm-256color", "COLORTERM": "truecolor", **UTF8},
    "xterm": {"TERM": "xterm", **UTF8},
    "screen, light": {"TERM": "screen", "COLORFGBG": "0;15", **UTF8},
    "tmux, no colour": {"TERM": "tmux-256color", "NO_COLOR": "1", **UTF8},
    "linux": {"TERM": "linux", **UTF8},
    "vt100": {"TERM": "vt100", **UTF8},
    "C locale": {"TERM": "xterm-256color", "LANG": "C"},
}
ASCII = ("linux", "vt100", "C locale")


@pytest.fixture(scope="module")
def written() -> dict[str, bytes]:
    """What each kind of terminal is sent, on several views. All at once: most of it is waiting."""
    with ExitStack() as stack:
        terminals = {name: stack.enter_context(closing(Terminal(env=env))) for name, env in KINDS.items()}
        views = ((b"", b"rx delays"), (b"?", b"Columns"), (b"?", b"pkt/s"), (b"4", b"FLOW"), (b"\r", b"POINT"))
        for keys, words in views:
            marks = {name: len(terminal.output) for name, terminal in terminals.items()}
            for name, terminal in terminals.items():
                if keys:
                    os.write(terminal.ours, keys)
                terminal.until(words, after=marks[name])
        for terminal in terminals.values():
            os.write(terminal.ours, b"q")
        codes = {name: terminal.end() for name, terminal in terminals.items()}
        assert codes == dict.fromkeys(KINDS, 0)
        assert {name: terminal.left_on() for name, terminal in terminals.items()} == {name: [] for name in KINDS}
        return {name: terminal.output for name, terminal in terminals.items()}


def colours(output: bytes) -> set[str]:
    """Numbers of the SGR sequences that set a colour."""
    numbers: set[str] = set()
    for found in re.findall(rb"\x1b\[([0-9;]*)m", output):
        numbers.update(number for number in found.decode().split(";") if re.fullmatch(r"[349]\d|10\d", number))
    return numbers - {"39", "49"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_terminal_gets_what_it_can_show(kind: str, written: dict[str, bytes]) -> None:
    output = written[kind]
    assert (kind in ASCII) == output.isascii()
    assert b"Traceback" not in output
    assert "38" not in colours(output), "its own sixteen colours are enough: 256 or more are never asked for"
    assert "48" not in colours(output)
    if "no colour" in kind:
        assert colours(output) == set()
    else:
        accent, other = ("34", "36") if "light" in kind else ("36", "34")
        assert accent in colours(output)
        assert other not in colours(output)


def test_a_terminal_without_a_cursor_is_told_what_to_do() -> None:
    with closing(Terminal(env={"TERM": "dumb"})) as terminal:
        assert terminal.end() == 2
        assert b"netlat-tui report" in terminal.output
        assert b"\x1b" not in terminal.output


def test_an_exported_size_is_not_believed() -> None:
    """Of another time or window: shells and test runners export it, and it must not stop a resize."""
    with closing(Terminal(env={**UTF8, "COLUMNS": "60", "LINES": "15"})) as terminal:
        terminal.until(b"Filter")
        before = len(terminal.output)
        terminal.resize(120, 40)
        terminal.until(b"\x1b[40;", after=before)
        os.write(terminal.ours, b"q")
        assert terminal.end() == 0


# --- Keys ---

EATEN = {"ctrl+b", "ctrl+a", "ctrl+s", "ctrl+q", "ctrl+z", "ctrl+backslash"}
"""By tmux, by screen, by terminals that still stop and go, and by job control."""
PLAIN = re.compile(r"(ctrl\+[a-z]|shift\+tab|[a-z]|[A-Z]|\d|f\d|[a-z]+(_[a-z]+)*)")
"""What every terminal can send: no Alt, no other keys with Shift or Ctrl."""


def test_no_action_needs_a_key_that_tmux_eats() -> None:
    for where in (NetlatApp, ViewScreen, MainScreen, PathScreen, HelpScreen, Table, FilterBar):
        ways: dict[str, set[str]] = {}
        for binding in where.BINDINGS:
            keys = binding.key if hasattr(binding, "key") else binding[0]  # type: ignore[union-attr]
            action = binding.action if hasattr(binding, "action") else binding[1]  # type: ignore[union-attr]
            ways.setdefault(action, set()).update(keys.split(","))
        assert ways or where is PathScreen
        for action, keys in ways.items():
            assert any(key not in EATEN and PLAIN.fullmatch(key) for key in keys), (where, action)


# --- Sizes ---

_servers = itertools.count()

SIZES = [*((300, 80), (200, 50), (120, 40), (80, 24), (100, 20), (60, 15)), (80, 9), (80, 3), (80, 1), (300, 1), (1, 1)]


class Tmux:
    """The view in a tmux of its own, in a shell that says when it has ended."""

    def __init__(self, socket: str) -> None:
        self._tmux = ["tmux", "-L", socket, "-f", "/dev/null"]
        view = f"'{sys.executable}' -m netlat_tui replay '{DEMO}'; echo ended $?; exec sh"
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TMUX")}
        subprocess.run(
            [*self._tmux, "-u", "new-session", "-d", "-x80", "-y24", view],
            cwd=REPO,
            env=environment | UTF8 | {"SHELL": "/bin/sh", "PS1": "$ "},
            check=True,
        )

    def __call__(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, encoding="utf-8", check=True, timeout=60)
        return done.stdout

    def lines(self) -> list[str]:
        return self("capture-pane", "-p").removesuffix("\n").split("\n")

    def until(self, condition: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + DEADLINE_S
        while not condition(lines := self.lines()):
            assert time.monotonic() < deadline, "\n".join(lines)
            time.sleep(0.03)
        return lines

    def resize(self, columns: int, lines: int) -> None:
        self("resize-window", f"-x{columns}", f"-y{lines}")

    def pid(self) -> int:
        """Of the view."""
        (shell,) = map(int, self("list-panes", "-F", "#{pane_pid}").split())
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text(encoding="ascii").split()
        return int(children[0])

    def modes(self) -> str:
        return self("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{wrap_flag}").strip()


WHOLE = "0 1 0 1"
"""No alternate screen, a cursor, no mouse, lines wrap."""


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    if not shutil.which("tmux"):
        pytest.skip("takes tmux")
    made = Tmux(f"netlat-test-{os.getpid()}-{next(_servers)}")  # one that ends may hold its name for a while
    try:
        # Some ticks in: a resize while Textual starts up may be lost to it.
        made.until(lambda lines: any(re.search(r"tick ([3-9]|\d\d) of", line) for line in lines))
        yield made
    finally:
        made("kill-server")


def is_whole(columns: int, lines: int) -> Callable[[list[str]], bool]:
    """Whether the screen fills this size: its first line, its last, rows between them."""

    def whole(shown: list[str]) -> bool:
        first = "PAUSED" in shown[0] or columns < 10
        if lines < 3 or columns < 40:
            return first and len(shown) == lines
        rows = any(line.startswith(("▌", "│▌")) for line in shown)
        last = "Filter" in shown[-1] if lines >= 10 else bool(shown[-1].strip())
        return first and rows and last and len(shown) == lines and max(map(len, shown)) > columns * 0.7

    return whole


def test_it_is_whole_at_every_size(tmux: Tmux) -> None:
    """A replay that stands still, through all sizes and back: the picture is the same as before."""
    tmux("send-keys", "Space")
    looks: list[list[str]] = []

    def stands(lines: list[str]) -> bool:
        """What was on its way when it was halted has been drawn: it looks the same ten times in a row."""
        looks.append(lines)
        paused = "PAUSED" in lines[0] and "Filter" in lines[-1]
        return paused and len(looks) >= 10 and all(look == lines for look in looks[-10:])

    before = tmux.until(stands)
    for size in SIZES:
        tmux.resize(*size)
        tmux.until(is_whole(*size))
    for columns, lines in SIZES * 3:  # as fast as a window is drawn larger with the mouse
        tmux.resize(columns, lines)
    tmux.resize(80, 24)
    tmux.until(lambda lines: lines == before)
    assert tmux.modes() == "1 0 1 1" or tmux.modes() == "1 0 1 0"
    tmux("send-keys", "q")
    lines = tmux.until(lambda lines: any(line.startswith("ended") for line in lines))
    assert "ended 0" in lines
    assert tmux.modes() == WHOLE


def test_resizing_while_packets_come(tmux: Tmux) -> None:
    for number in range(40):
        columns, lines = SIZES[number % len(SIZES)]
        tmux.resize(columns, lines)
        if number % 5 == 0:
            tmux("send-keys", str(1 + number % 5))
    tmux.resize(120, 40)
    tmux.until(lambda lines: bool(re.search("REPLAY|ENDED", lines[0])) and "Filter" in lines[-1] and len(lines) == 40)
    tmux("send-keys", "C-c")
    assert "ended 0" in tmux.until(lambda lines: any(line.startswith("ended") for line in lines))
    assert tmux.modes() == WHOLE


def test_reset_makes_a_terminal_whole_after_kill_9(tmux: Tmux) -> None:
    """What nobody can catch leaves the terminal as it was: the documents say what to type."""
    os.kill(tmux.pid(), signal.SIGKILL)
    tmux.until(lambda lines: any("ended 137" in line for line in lines))
    assert tmux.modes() != WHOLE
    tmux("send-keys", "-l", "reset; tput rmcup; echo 'wh''ole'")
    tmux("send-keys", "C-j")  # Enter is no end of a line until then
    tmux.until(lambda lines: any(line.startswith("whole") for line in lines))
    assert tmux.modes() == WHOLE


# --- What it costs ---


def test_what_a_terminal_is_sent_and_what_that_takes() -> None:
    """At the default refresh, with figures that all change. The better of two windows: others use this machine too."""
    command = [sys.executable, "-m", "netlat_tui", "replay", str(DEMO)]
    with Counting(command, 120, 40, REPO) as terminal:
        terminal.keep = True
        assert terminal.wait_for(b"rx delays", seconds=DEADLINE_S)
        time.sleep(2.0)  # the start is not what this is about
        sent, shares = [], []
        for _ in range(2):
            before, began = terminal.bytes, time.monotonic()
            share, _ = used(terminal.pid, 6.0)
            sent.append((terminal.bytes - before) / (time.monotonic() - began))
            shares.append(share)
        assert terminal.alive
        assert 500 < max(sent) < BYTES_PER_S, "something changes, and little is sent for it"
        assert min(shares) < CPU_PCT
        for key, words in ((b"6", b"a column"), (b"7", b"PROCESS"), (b"8", b"FIGURES")):
            terminal.text.clear()
            terminal.write(key)
            assert terminal.wait_for(words, seconds=DEADLINE_S)
            time.sleep(0.5)
            before, began = terminal.bytes, time.monotonic()
            share, _ = used(terminal.pid, 4.0)
            assert (terminal.bytes - before) / (time.monotonic() - began) < BYTES_PER_S, key
            assert share < 2 * CPU_PCT, "in so short a time: what is looked at is derived at every tick"
        terminal.write(b"1")
        terminal.write(b"?")
        assert terminal.wait_for(b"Columns", seconds=DEADLINE_S)
        time.sleep(0.5)
        before = terminal.bytes
        time.sleep(2.2)
        assert terminal.bytes == before, "a page that stands is sent once"
        terminal.text.clear()
        terminal.write(b"?")
        assert terminal.wait_for(b"REPLAY", b"STAGE", seconds=DEADLINE_S)
