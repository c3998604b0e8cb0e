"""What the process keeps of memory it has given back."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE = 512 << 10


def return_large() -> None:
    """Have the memory of arrays above half a megabyte go back to the system when they are freed.

    glibc alone keeps it: with each one that is freed it raises the size from which on it does not (mallopt(3)). Other C
    libraries have nothing of the kind.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
