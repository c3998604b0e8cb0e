"""Paths per second through the Python side on one core: from the ring buffer's memory to a snapshot."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from benchmarks.figures import Figure, Result, Table, median, number
from benchmarks.options import Options
from netlat_tui.bpf.program import Sizes
from netlat_tui.bpf.ring import _RECORD, Ring
from netlat_tui.cli_view import DEMO
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING, Filter, parse
from netlat_tui.model.rows import joined
from netlat_tui.model.ticks import Origin, Rows, Tick
from netlat_tui.recording import read_all
from netlat_tui.sources.surroundings import Surroundings

PATHS_PER_SECOND = 1_000_000.0
"""DESIGN's bound."""

_TICKS, _PATHS, _TICK_NS = 10, 100_000, 100_000_000


class _Kernel:
    """Memory like that of the kernel's ring, and its writer."""

    def __init__(self, paths: Rows) -> None:
        pages, page = Sizes(cpus=1).ring_pages, os.sysconf("SC_PAGESIZE")
        self._size, self._page = pages * page, page
        self.fd = os.memfd_create("ring")
        os.ftruncate(self.fd, 2 * page + 2 * self._size)
        self.batch = self._size // _RECORD.itemsize
        self._records = np.zeros(self.batch, dtype=_RECORD)
        self._paths = paths
        self._written = 0

    def write(self) -> None:
        """As many records as there is room for, each with an id of its own."""
        at = (np.arange(self.batch) + self._written // _RECORD.itemsize) % len(self._paths)
        self._records["path"] = self._paths[at]
        self._records["path"]["id"] = np.arange(self.batch) + self._written // _RECORD.itemsize
        self._records["length"] = self._paths.dtype.itemsize
        data = memoryview(self._records.tobytes())
        start = self._written % self._size
        rest = min(len(data), self._size - start)
        for base in (2 * self._page, 2 * self._page + self._size):  # mapped twice in a row
            os.pwrite(self.fd, data[:rest], base + start)
            os.pwrite(self.fd, data[rest:], base)
        self._written += len(data)
        os.pwrite(self.fd, self._written.to_bytes(8, "little"), self._page)


class _Clock:
    """CPU seconds of this thread, by step."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        self.spent[step] = self.spent.get(step, 0.0) + time.thread_time() - began


def measure(
    paths: Rows, template: list[Tick], origin: Origin, flt: Filter, wanted: int
) -> tuple[int, dict[str, float]]:
    """(paths that went through, CPU seconds by step)"""
    kernel = _Kernel(paths)
    ring = Ring(kernel.fd, Sizes(cpus=1).ring_pages)
    history, around = History(origin), Surroundings()
    clock, total = _Clock(), 0
    try:
        for number_ in range(_TICKS):
            read: list[Rows] = []
            while sum(map(len, read)) < wanted:
                kernel.write()
                with clock("ring"):
                    read.append(ring.read())
            with clock("concatenate"):
                rows = joined(read)
            total += len(rows)
            old = template[number_ % len(template)]
            with clock("names of interfaces and functions"):
                around.look(rows, old.cpus, old.irqs, old.drops)
            mono_ns = template[0].mono_ns + number_ * _TICK_NS
            tick = replace(old, seq=number_, mono_ns=mono_ns, duration_ns=_TICK_NS, paths=rows)
            with clock("History.add"):
                history.add(tick)
            with clock("snapshot"):
                history.snapshot(10_000_000_000, flt, None)
    finally:
        ring.close()
        os.close(kernel.fd)
        around.close()
    return total, clock.spent


def run(options: Options) -> Result:
    origin, ticks, _ = read_all(DEMO)
    paths = np.concatenate([tick.paths for tick in ticks])
    cases = {"no filter": EVERYTHING, "a filter on paths: total > 1ms": parse("total > 1ms")}
    figures, rows = [], []
    for label, flt in cases.items():
        found = [measure(paths, ticks, origin, flt, _PATHS) for _ in range(options.rounds)]
        rates = [total / sum(spent.values()) for total, spent in found]
        figures.append(Figure(f"paths per second of CPU time, {label}", median(rates), "/s", PATHS_PER_SECOND, False))
        for step in found[0][1]:
            each = median([spent[step] * 1e9 / total for total, spent in found])
            rows.append((label, step, number(each)))
    conditions = (
        f"Medians of {options.rounds} rounds of {_TICKS} ticks of {_TICK_NS / 1e9:g} s, as `trace` has them, with "
        f"{_PATHS:,} paths each: the bundled recording's over and over, each under an id of its own. CPU time of the "
        "one thread that does it."
    )
    head = ("case", "step", "ns/path")
    return Result("The Python side", conditions, tuple(figures), (Table("Step by step:", head, tuple(rows)),))
