"""Memory of large arrays goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

KEPT = """
import numpy as np, psutil
from netlat_tui.system.memory import return_large
{call}
process = psutil.Process()
np.ones(24 << 20, dtype=np.uint8)  # glibc has seen one as large as that freed
before = process.memory_info().rss
arrays, pins = [], []
for _ in range(10):
    arrays.append(np.ones(8 << 20, dtype=np.uint8))
    pins.append(np.ones(1 << 10, dtype=np.uint8))
del arrays
print(process.memory_info().rss - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do as they like")
def test_arrays_that_are_freed_are_gone() -> None:
    command = [sys.executable, "-c", KEPT.format(call="return_large()")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 4 << 20
