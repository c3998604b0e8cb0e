"""Tracing that costs more than it may, and what becomes of its figures."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import numpy as np

from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.filter import parse
from netlat_tui.model.histogram import N_BUCKETS, quantiles
from netlat_tui.model.points import TOTAL, Direction
from netlat_tui.model.ticks import Rows, Scope, Tick
from netlat_tui.sources.live import LiveSource
from tests.live.conftest import FOREVER, Net, capture

__all__ = ["capture"]

BUDGET = 0.01
SETTLED = 6  # ticks of half a second after the flood began
CPUS = os.cpu_count() or 1


def totals(cells: Rows) -> np.ndarray:
    chosen = cells[(cells["dist"] == TOTAL[Direction.RX]) & (cells["scope"] == Scope.CPU)]
    return np.bincount(chosen["bucket"], weights=chosen["count"], minlength=N_BUCKETS).astype(np.uint64)


def test_a_part_of_the_packets_stands_for_all(net: Net, tracer: Tracer) -> None:
    """A reader that takes two milliseconds: one slice of four has the median of all, and a quarter of their number."""
    left, right = net.pair()
    reader = net.start(right, "udp-read", right.ip4, 3000, 64, 0.002)
    port = reader.expect("ready")
    program = parse(f"rx and udp and dst port {port}").program
    found = []
    for thin in (0, 2):
        tracer.set_program(program)
        tracer.set_thin(thin)
        tracer.collect()
        before = len(found)
        sender = net.start(left, "udp-send", right.ip4, port, 1500, 64, 0.004)
        sender.finish()
        sample = tracer.collect()
        found.append((totals(sample.cells), sample.counters["seen"] << thin))
        assert len(found) == before + 1
    tracer.set_thin(0)
    assert reader.finish() == 3000
    (every, all_seen), (some, estimated) = found
    assert all_seen == 1500
    assert abs(estimated - 1500) < 1500 * 0.25
    for of_all, of_some in zip(quantiles(every, (0.5,)), quantiles(some, (0.5,)), strict=True):
        assert of_some == np.clip(of_some, of_all / 1.25, of_all * 1.25)


def test_a_flood_is_kept_under_the_budget(net: Net) -> None:
    left, right = net.pair()
    reader = net.start(right, "udp-drain", right.ip4, 1, 14, 0)
    port = reader.expect("ready")
    ticks: list[Tick] = []
    flood = None
    with closing(
        LiveSource(budget=BUDGET, interval_s=0.5, filter=parse(f"netns {left.inode} or netns {right.inode}"))
    ) as source:
        for tick in source.ticks():
            ticks.append(tick)
            if tick.seq == 0:
                flood = net.start(left, "udp-flood", right.ip4, port, FOREVER, 14, 0)
            if tick.seq == 50:
                source.stop()
    assert flood is not None
    flood.end()
    began = next(tick.seq for tick in ticks if tick.counters["seen"] > 1000)
    after = [tick for tick in ticks if tick.seq >= began + SETTLED]
    measured = [tick for tick in after if not tick.rest]
    assert measured, "nothing was measured any more"
    kernel = [tick.self_cost.kernel_ns or 0 for tick in after if tick.rest or tick.self_cost.kernel_ns is not None]
    assert any(tick.every > 1 or tick.rest for tick in after)
    share = sum(kernel) / len(kernel) / 0.5e9 / CPUS
    assert share <= BUDGET * 1.5, [(tick.every, tick.rest, tick.self_cost.kernel_ns) for tick in ticks]


def test_a_trace_says_that_it_left_paths_out(net: Net, rights: None) -> None:
    left, right = net.pair()
    reader = net.start(right, "udp-drain", right.ip4, 1, 14, 0)
    port = reader.expect("ready")
    flood = net.start(left, "udp-flood", right.ip4, port, FOREVER, 14, 0)
    words = ("trace", "--budget", "0.1", "--duration", "4", f"udp and dst port {port}")
    done = subprocess.run(
        [sys.executable, "-m", "netlat_tui", *words], capture_output=True, text=True, check=False, timeout=120
    )
    flood.end()
    assert done.returncode == 0
    assert "paths were left out to stay within --budget" in done.stderr
    assert done.stdout.startswith("# time ")
