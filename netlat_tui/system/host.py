"""What this machine is, and what it lets a tracer do."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
CAP_PERFMON, CAP_BPF, CAP_SYS_ADMIN = 38, 39, 21
SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies", "refined-jiffies")


def read(path: Path) -> str:
    """A file of /proc or /sys, stripped; "" where it is not there or may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Names as the kernel gives them."""

    host: str
    kernel: str
    architecture: str
    boot_id: str
    clocksource: str


def machine(root: Path = ROOT) -> Machine:
    clock = read(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")
    boot = read(root / "proc/sys/kernel/random/boot_id")
    return Machine(platform.node(), platform.release(), platform.machine(), boot, clock)


def effective_capabilities(root: Path = ROOT) -> int:
    """The capability bits this process has in force; 0 where they cannot be read."""
    for line in read(root / "proc/self/status").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def may_trace(root: Path = ROOT) -> bool:
    """CAP_BPF with CAP_PERFMON (5.8), or CAP_SYS_ADMIN."""
    held = effective_capabilities(root)
    both = 1 << CAP_BPF | 1 << CAP_PERFMON
    return bool(held >> CAP_SYS_ADMIN & 1) or held & both == both


def lockdown(root: Path = ROOT) -> str:
    """``none``, ``integrity`` or ``confidentiality``; "" where the kernel does not say."""
    text = read(root / "sys/kernel/security/lockdown")
    for word in text.split():
        if word.startswith("["):
            return word.strip("[]")
    return ""


def sudo_owner() -> tuple[int, int] | None:
    """(uid, gid) of whoever called sudo; ``None`` where nobody did."""
    if os.geteuid():
        return None
    try:
        return int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
    except (KeyError, ValueError):
        return None
