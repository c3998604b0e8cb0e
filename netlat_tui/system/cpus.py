"""CPUs, and what the kernel's backlog says of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netlat_tui.system.host import ROOT, read


def parse_list(text: str) -> tuple[int, ...]:
    """A kernel CPU list (``0-3,8``) as numbers; what is not a number is left out."""
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit():
            numbers.extend(range(int(first), int(last if last.isdigit() else first) + 1))
    return tuple(numbers)


def online(root: Path = ROOT) -> tuple[int, ...]:
    """Numbers of the CPUs that are online."""
    return parse_list(read(root / "sys/devices/system/cpu/online")) or (0,)


@dataclass(frozen=True, slots=True)
class Softnet:
    """A CPU's line of /proc/net/softnet_stat, counted since boot."""

    processed: int
    dropped: int
    squeezed: int


def softnet(root: Path = ROOT) -> dict[int, Softnet]:
    """By CPU. The thirteenth column names the CPU (5.10); before, the lines are those of the online CPUs in order."""
    found: dict[int, Softnet] = {}
    numbers = online(root)
    for index, line in enumerate(read(root / "proc/net/softnet_stat").splitlines()):
        try:
            columns = [int(word, 16) for word in line.split()]
        except ValueError:
            continue
        if len(columns) < 3:
            continue
        cpu = columns[12] if len(columns) > 12 else numbers[index] if index < len(numbers) else index
        found[cpu] = Softnet(*columns[:3])
    return found
