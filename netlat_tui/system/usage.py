"""What this process itself uses."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time since the process began, in ns, and resident memory in bytes."""

    cpu_ns: int
    rss_bytes: int


def own() -> Usage:
    process = psutil.Process()
    times = process.cpu_times()
    return Usage(round((times.user + times.system) * 1e9), process.memory_info().rss)
