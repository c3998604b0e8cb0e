"""Where the kernel maps memory pages: needed to read headers that a driver left in one."""

from __future__ import annotations

import platform
import re
from pathlib import Path

_VARIABLE = re.compile(rb"^([0-9a-f]+) \w (vmemmap_base|page_offset_base)$", re.MULTILINE)


def page_map(kallsyms: Path = Path("/proc/kallsyms")) -> tuple[int, int]:
    """Addresses of the kernel's variables ``vmemmap_base`` and ``page_offset_base``.

    (0, 0) where they cannot be had: not x86-64, a kernel built without KALLSYMS_ALL, addresses hidden by kptr_restrict.
    """
    if platform.machine() != "x86_64":
        return 0, 0
    try:
        found = {name: int(address, 16) for address, name in _VARIABLE.findall(kallsyms.read_bytes())}
    except OSError:
        return 0, 0
    both = found.get(b"vmemmap_base", 0), found.get(b"page_offset_base", 0)
    return both if all(both) else (0, 0)
