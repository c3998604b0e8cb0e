"""What the process itself uses, headless and with its screen, while packets come at several rates."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from benchmarks.figures import Figure, Result, Table, median, number
from benchmarks.load import counting, flood
from benchmarks.net import Net, net
from benchmarks.options import Options
from benchmarks.watchers import headless, screen

RATES = (0, 1_000, 200_000)
RESIDENT_MB = 150.0
"""DESIGN's bound."""

_LEAST_S = 5.0  # a process that looks once a second is not measured in less
_SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Used:
    cpu_pct: float  # of one core
    rss_mb: float
    rate: float  # datagrams per second that came


def used(pid: int, seconds: float) -> tuple[float, float]:
    """(% of one core over so many seconds, resident MB at their end) of a process and its children."""
    family = [psutil.Process(pid)]
    family += family[0].children(recursive=True)
    before, began = [one.cpu_times() for one in family], time.monotonic()
    time.sleep(seconds)
    after, ended = [one.cpu_times() for one in family], time.monotonic()
    spent = sum(now.user + now.system for now in after) - sum(then.user + then.system for then in before)
    return spent * 100 / (ended - began), sum(one.memory_info().rss for one in family) / 1e6


def _measure(made: Net, kind: str, rate: int, seconds: float) -> Used:
    with (headless if kind == "report" else screen)(made.filter) as pid, flood(made, rate):
        time.sleep(_SETTLE_S)
        with counting(made) as counted:
            cpu, resident = used(pid, seconds)
        return Used(cpu, resident, counted.rate)


def run(options: Options) -> Result:
    seconds = max(_LEAST_S, options.seconds)
    figures, rows = [], []
    with net() as made:
        for kind in ("report", "screen"):
            for rate in RATES:
                found = [_measure(made, kind, rate, seconds) for _ in range(max(1, options.rounds // 2))]
                reached = median([one.rate for one in found])
                note = f"{number(reached)}/s came" if rate else ""
                cpu, resident = median([one.cpu_pct for one in found]), max(one.rss_mb for one in found)
                figures.append(Figure(f"resident, {kind}, {rate:,} packets/s", resident, "MB", RESIDENT_MB, note=note))
                rows.append((kind, f"{rate:,}", number(reached), f"{number(cpu)} %", f"{number(resident)} MB"))
    head = ("netlat-tui as", "datagrams/s asked", "came", "CPU of one core", "resident")
    conditions = (
        f"The real process over {seconds:g} s, medians of {max(1, options.rounds // 2)}; the largest resident size. "
        "A filter lets only the benchmark's packets through; each datagram is a packet sent and a packet received."
    )
    return Result("The process", conditions, tuple(figures), (Table("CPU and memory:", head, tuple(rows)),))
