"""Paths of a recording as lines of JSON or rows of CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from netlat_tui.export import trace, values
from netlat_tui.model.paths import Path
from netlat_tui.model.points import POINTS, Direction

_FIELDS = (
    "id", "time", "direction", "iface", "netns", "proto", "src", "sport", "dst", "dport", "length", "irq", "irq_class",
    "pid", "comm", "outcome", "reason", "symbol", "total_ns", "merged", "hops", "softirq_cpu", "peer", "socket", "seq",
    "segs", "queue",
)  # fmt: skip


def write_jsonl(paths: Iterable[Path], out: TextIO) -> int:
    """An object a line; returns how many."""
    count = 0
    for path in paths:
        out.write(trace.json_line(path) + "\n")
        count += 1
    return count


def write_csv(paths: Iterable[Path], out: TextIO) -> int:
    """A row a path, with a column of ns from the first point for each point there is; returns how many."""
    keys = [(direction, point) for direction in Direction for point in POINTS[direction]]
    columns = [f"{direction.label}_{point.key}_ns" for direction, point in keys]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_FIELDS, *columns])
    count = 0
    for path in paths:
        plain = values.path(path)
        at = {(passage.point.direction, passage.point.key): passage.t_ns for passage in path.points}
        times = [at.get((direction, point.key)) for direction, point in keys]
        writer.writerow([values.cell(plain[name]) for name in _FIELDS] + times)
        count += 1
    return count
