"""What the rules ask of a snapshot more than once; paths are decoded only if one of them does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from netlat_tui.model.derive import decode_rows
from netlat_tui.model.findings.limits import MOST_RECORDS, NAMES, WAIT_NS
from netlat_tui.model.heat import Span
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction
from netlat_tui.model.rows import chosen
from netlat_tui.model.snapshot import Snapshot, StageRow
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import Rows
from netlat_tui.model.took import took_ns


class Slow(NamedTuple):
    """Paths, and how long each was in the stage asked for. They are not decoded: that is dear, at every tick."""

    rows: Rows
    took_ns: list[int]


class Facts:
    """A snapshot, asked."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._slow: dict[int, Slow] = {}

    @property
    def packets_sent(self) -> int:
        """In the window."""
        return round(sum(row.sent_rate for row in self.snapshot.cpus) * self.snapshot.window_ns / 1e9)

    @cached_property
    def slowest(self) -> list[Path]:
        return decode_rows(self.snapshot, self.snapshot.slowest)

    def decoded(self, rows: Rows) -> list[Path]:
        return decode_rows(self.snapshot, rows)

    def ending_at(self, direction: Direction, start: str, *ends: str) -> list[StageRow]:
        """The stages from one point to any of the others (keys)."""
        return [
            row
            for row in self.snapshot.stages
            if row.direction is direction and row.stage.start.key == start and row.stage.end.key in ends
        ]

    def slow_in(self, row: StageRow) -> Slow:
        """The recorded paths of the window that had a long wait in this stage, the longest of them."""
        snapshot, stage = self.snapshot, row.stage.id
        if stage in self._slow:
            return self._slow[stage]
        span = Span(stage, snapshot.mono_ns - snapshot.window_ns, snapshot.mono_ns, WAIT_NS, None)
        rows = snapshot.paths_in(span)
        _, took, _ = took_ns(rows, stage)
        most = np.argsort(-took, kind="stable")[:MOST_RECORDS]
        self._slow[stage] = Slow(chosen(rows, most), took[most].tolist())
        return self._slow[stage]

    def readers(self, slow: Slow) -> list[str]:
        """The processes of these paths, the one that had the longest waits first."""
        ran = zip(slow.rows["pid"].tolist(), slow.rows["comm"].tolist(), strict=True)
        names = (_process(printable(comm), pid) for pid, comm in ran)
        return ranked(zip(names, slow.took_ns, strict=True))

    def ifaces(self, slow: Slow) -> list[str]:
        """Their interfaces, in the same order."""
        known = {(info.netns, info.ifindex): info.name for info in self.snapshot.ifaces}
        places = zip(slow.rows["netns"].tolist(), slow.rows["ifindex"].tolist(), strict=True)
        names = (printable(known.get((netns, ifindex), f"if{ifindex}")) for netns, ifindex in places)
        return ranked(zip(names, slow.took_ns, strict=True))


def ranked(weights: Iterable[tuple[str, int]]) -> list[str]:
    """Names by the sum of their weights, heaviest first; "" is no name."""
    sums: Counter[str] = Counter()
    for name, weight in weights:
        if name:
            sums[name] += weight
    return [name for name, _ in sums.most_common()]


def listed(names: Sequence[str]) -> str:
    """Names as words: "a, b and 3 others"."""
    shown, rest = names[:NAMES], len(names) - NAMES
    if rest > 0:
        return f"{', '.join(shown)} and {rest} other{'s' if rest > 1 else ''}"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def process(path: Path) -> str:
    """``nginx/812``; "" where no process is known."""
    return _process(path.comm, path.pid or 0)


def _process(comm: str, pid: int) -> str:
    return f"{comm or '?'}/{pid}" if pid else ""


def share_of(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
