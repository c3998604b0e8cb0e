"""Bytes per second to the terminal and CPU of the screen, beside htop's and btop's on terminals of the same sizes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure, Result, Table, median, number
from benchmarks.load import Unavailable, need
from benchmarks.options import Options
from benchmarks.process import used
from benchmarks.pty import Terminal
from benchmarks.watchers import REPO, application, wait_until_attached
from scripts.demo_net import demo

SIZES = ((80, 24), (120, 40), (200, 50))
BYTES_PER_S = 10_000.0
CPU_PCT = 3.0
"""DESIGN's bounds, at 120×40 and the default refresh."""

_LEAST_S = 8.0  # several refreshes of each
_SETTLE_S = 4.0  # the trends begin to move


def _measure(command: list[str], size: tuple[int, int], seconds: float, ours: bool) -> tuple[float, float]:
    """(bytes per second, % of one core)"""
    with tempfile.TemporaryDirectory() as home:  # others' settings are as they come
        environment = {} if ours else {"HOME": home, "XDG_CONFIG_HOME": home}
        with Terminal(command, *size, REPO, environment) as terminal:
            if ours:
                wait_until_attached(terminal.pid)
            time.sleep(_SETTLE_S)
            if not terminal.alive:
                raise Unavailable(f"{Path(command[0]).name} ended at once")
            before, began = terminal.bytes, time.monotonic()
            cpu, _ = used(terminal.pid, seconds)
            return (terminal.bytes - before) / (time.monotonic() - began), cpu


def run(options: Options) -> Result:
    seconds = max(_LEAST_S, options.seconds)
    rounds = max(1, options.rounds // 2)
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    lasts = int((seconds + 2 * _SETTLE_S + 20) * rounds * len(SIZES) * 4) + 60
    with demo(lasts) as made:
        programs: dict[str, Callable[[], list[str]]] = {
            "netlat-tui": lambda: application(made.words),
            "netlat-tui, 4 Hz": lambda: application("--interval", "0.25", made.words),
            "htop": lambda: [need("htop")],
            "btop": lambda: [need("btop")],
        }
        for name, command in programs.items():
            for size in SIZES:
                label = f"{size[0]}×{size[1]}"
                try:
                    found = [_measure(command(), size, seconds, name.startswith("netlat-tui")) for _ in range(rounds)]
                except Unavailable as error:
                    rows.append((name, label, "–", str(error)))
                    continue
                sent, cpu = median([one[0] for one in found]), median([one[1] for one in found])
                rows.append((name, label, number(sent), f"{number(cpu)} %"))
                if name == "netlat-tui" and size == (120, 40):
                    figures.append(Figure("to a 120×40 terminal", sent, "bytes/s", BYTES_PER_S))
                    figures.append(Figure("CPU of a core, live view at 120×40", cpu, "%", CPU_PCT))
    conditions = (
        f"Medians of {rounds} times {seconds:g} s, in true colour, of the traffic of `scripts/demo_net.py` (HTTP, "
        f"datagrams, "
        "a slow reader, drops). CPU is the whole process's, tracing and figures included. htop refreshes every 1.5 "
        "s, btop "
        "every 2 s."
    )
    head = ("program", "terminal", "bytes/s", "CPU of one core")
    return Result("The screen", conditions, tuple(figures), (Table("By size:", head, tuple(rows)),))
