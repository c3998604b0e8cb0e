"""The ring buffer of path records, read in batches through a mapping of the kernel's ring.

Documentation/bpf/ringbuf.rst: consumer position in the first page, producer position in the second, then the data,
mapped twice in a row so that nothing wraps. Records have one size, so a batch is one numpy view.
"""

from __future__ import annotations

import mmap
import os
import threading

import numpy as np

from netlat_tui.model.rows import chosen, copied
from netlat_tui.model.ticks import PATH, Rows

_BUSY, _DISCARD = 1 << 31, 1 << 30
_RECORD = np.dtype([("length", "<u4"), ("page", "<u4"), ("path", PATH)])

_mutex = threading.Lock()


def _fence() -> None:
    """What is read and written before stays before: unlocking, then locking one mutex is a barrier on every machine."""
    with _mutex:
        pass
    with _mutex:
        pass


class Ring:
    """Reads without a system call, some 0.1 µs per record. ``pages`` as the map was made with."""

    def __init__(self, fd: int, pages: int) -> None:
        page = os.sysconf("SC_PAGESIZE")
        self._size = pages * page
        self._consumer_map = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._data_map = mmap.mmap(fd, page + 2 * self._size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        self._consumer = np.frombuffer(self._consumer_map, dtype=np.uint64, count=1)
        self._producer = np.frombuffer(self._data_map, dtype=np.uint64, count=1)
        self._data = np.frombuffer(self._data_map, dtype=np.uint8, offset=page)

    @property
    def room(self) -> int:
        """How many records it holds."""
        return self._size // _RECORD.itemsize

    def read(self) -> Rows:
        """All whole records since the last call, as ``PATH`` rows of the caller's own."""
        start, end = int(self._consumer[0]), int(self._producer[0])
        _fence()
        available = (end - start) // _RECORD.itemsize
        offset = start % self._size
        records = np.ndarray((available,), dtype=_RECORD, buffer=self._data.data, offset=offset)
        headers = records["length"].copy()
        _fence()
        busy = np.flatnonzero(headers & _BUSY)
        whole = int(busy[0]) if busy.size else available
        headers = headers[:whole]
        paths = records["path"][:whole]
        kept = headers & _DISCARD == 0
        paths = copied(paths) if kept.all() else chosen(paths, kept)
        _fence()
        self._consumer[0] = start + whole * _RECORD.itemsize
        return paths

    def close(self) -> None:
        # The views must go before the maps they look into.
        del self._consumer, self._producer, self._data
        self._consumer_map.close()
        self._data_map.close()
