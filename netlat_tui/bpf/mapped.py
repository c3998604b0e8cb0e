"""BPF arrays mapped into this process: numpy looks straight at what the kernel writes."""

from __future__ import annotations

import mmap
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from netlat_tui.bpf.build import LoadedMap


class MappedArray:
    """A memory-mapped ``BPF_MAP_TYPE_ARRAY`` of structs; ``rows`` is a live view of the kernel's memory."""

    def __init__(self, loaded: LoadedMap, dtype: npt.DTypeLike | None = None) -> None:
        spec = loaded.made_of.spec
        kind = np.dtype(dtype if dtype is not None else loaded.made_of.leaf)
        stride = (spec.value_size + 7) // 8 * 8
        if kind.itemsize > stride:
            raise ValueError(f"{kind.itemsize} bytes do not fit a map's {stride}")
        page = os.sysconf("SC_PAGESIZE")
        size = (stride * spec.entries + page - 1) // page * page
        self._map = mmap.mmap(loaded.fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self.rows: npt.NDArray[Any] = np.ndarray((spec.entries,), dtype=kind, buffer=self._map, strides=(stride,))

    def close(self) -> None:
        del self.rows
        self._map.close()
