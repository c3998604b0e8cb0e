"""From the command to the first figures on the screen, compiled before or not; and from the last key to the end."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.figures import Figure, Result, Table, median, number
from benchmarks.load import Unavailable, flood
from benchmarks.net import Net, net
from benchmarks.options import Options
from benchmarks.pty import Terminal
from benchmarks.watchers import REPO, application, attached

FIRST_FIGURES_S = 1.0
EXIT_S = 0.5
"""DESIGN's bounds."""

_MOST_S = 60.0
_SHOWN = ("interface→data link".encode(), b"p99")
_EVENTS = ("first byte", "attached", "first figures", "CPU time", "exit")


def _session(made: Net, cache: Path, interval: float) -> dict[str, float]:
    """Seconds from the start of the process to each event; ``exit``: from the key to its end."""
    words = application("--interval", f"{interval:g}", made.filter)
    began = time.monotonic()
    happened: dict[str, float] = {}
    with Terminal(words, 120, 40, REPO, {"XDG_CACHE_HOME": str(cache)}) as terminal:
        terminal.keep = True
        while "attached" not in happened or "first byte" not in happened:
            now = time.monotonic() - began
            if terminal.bytes:
                happened.setdefault("first byte", now)
            if attached(terminal.pid):
                happened.setdefault("attached", now)
            if not terminal.alive or now > _MOST_S:
                raise Unavailable("netlat-tui did not start on a terminal")
            time.sleep(0.005)
        if not terminal.wait_for(*_SHOWN, seconds=_MOST_S):
            raise Unavailable("netlat-tui's screen showed no figures")
        happened["first figures"] = time.monotonic() - began
        times = psutil.Process(terminal.pid).cpu_times()
        happened["CPU time"] = times.user + times.system + times.children_user + times.children_system
        time.sleep(1.0)
        pressed = time.monotonic()
        terminal.write(b"q")
        if not terminal.wait(_MOST_S):
            raise Unavailable("netlat-tui did not end")
        happened["exit"] = time.monotonic() - pressed
    return happened


def run(options: Options) -> Result:
    cases: dict[str, list[dict[str, float]]] = {"compiled before": [], "compiled now": [], "interval 0.25 s": []}
    with net() as made, flood(made, 1_000), tempfile.TemporaryDirectory(prefix="netlat-tui-bench-") as folder:
        warm = Path(folder) / "warm"
        warm.mkdir()
        _session(made, warm, 1.0)
        for number_ in range(options.rounds):
            cold = Path(folder) / f"cold{number_}"
            cold.mkdir()
            cases["compiled now"].append(_session(made, cold, 1.0))
            cases["compiled before"].append(_session(made, warm, 1.0))
            cases["interval 0.25 s"].append(_session(made, warm, 0.25))

    def middle(case: str, event: str) -> float | None:
        return median([one[event] for one in cases[case]])

    figures = (
        Figure("start to first figures", middle("compiled before", "first figures"), "s", FIRST_FIGURES_S),
        Figure("start to first figures, first start after an update", middle("compiled now", "first figures"), "s"),
        Figure("exit", middle("compiled before", "exit"), "s", EXIT_S),
    )
    rows = tuple((case, *(number(middle(case, event)) for event in _EVENTS)) for case in cases)
    conditions = (
        f"Medians of {options.rounds} starts of the live view in a terminal of 120×40, while 1,000 datagrams per "
        f"second "
        "come: seconds from the command to its first byte, to the moment everything is attached, to the first "
        "figures on the "
        "screen, and what all of it took in CPU time; and from the key q to the end of the process."
    )
    return Result("Start and exit", conditions, figures, (Table("Seconds:", ("", *_EVENTS), rows),))
