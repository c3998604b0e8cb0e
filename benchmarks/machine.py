"""What the figures were taken on, in general terms: no names of machines."""

from __future__ import annotations

import os
import platform
import re
import time
from pathlib import Path

QUIET = 1.5  # the load average from which on figures are marked


def cpu_model() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1) if found else platform.machine()


def virtual() -> bool:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    return re.search(r"^flags\s*:.*\bhypervisor\b", text, re.MULTILINE) is not None


def kernel() -> str:
    """The version without what a builder added."""
    found = re.match(r"\d+\.\d+(\.\d+)?", platform.release())
    return found.group() if found else platform.release()


def describe() -> dict[str, str]:
    memory = os.sysconf("SC_PAGESIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {
        "cpu": cpu_model() + (" (a virtual machine's)" if virtual() else ""),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.0f} GiB",
        "kernel": f"Linux {kernel()}, {platform.machine()}",
        "python": platform.python_version(),
    }


def load() -> float:
    return os.getloadavg()[0]


def wait_until_quiet(minutes: float) -> bool:
    """Whether the load fell below ``QUIET`` within this time."""
    deadline = time.monotonic() + minutes * 60
    while load() >= QUIET:
        if time.monotonic() >= deadline:
            return False
        time.sleep(2)
    return True
