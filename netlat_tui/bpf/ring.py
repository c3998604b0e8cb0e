"""The ring buffer of path records, read in batches.

``MappedRing`` maps the kernel's ring (Documentation/bpf/ringbuf.rst): consumer position in the first page, producer
position in the second, then the data, mapped twice in a row so that nothing wraps. Records have one size, so a batch is
one numpy view. It relies on loads being done in order, which x86 and s390 guarantee; elsewhere ``LibraryRing`` uses
libbpf's own reader.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any, Protocol

import numpy as np

from netlat_tui.model.ticks import PATH, Rows

ORDERED_MACHINES = ("x86_64", "i686", "i386", "s390x")
_BUSY, _DISCARD = 1 << 31, 1 << 30
_RECORD = np.dtype([("length", "<u4"), ("page", "<u4"), ("path", PATH)])


class Ring(Protocol):
    def read(self) -> Rows:
        """All whole records since the last call, as ``PATH`` rows of the caller's own."""
        ...

    def close(self) -> None: ...


class MappedRing:
    """Reads the ring through a mapping: no system call, 0.1 µs per record."""

    def __init__(self, fd: int, pages: int) -> None:
        page = os.sysconf("SC_PAGESIZE")
        self._size = pages * page
        self._consumer_map = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._data_map = mmap.mmap(fd, page + 2 * self._size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        self._consumer = np.frombuffer(self._consumer_map, dtype=np.uint64, count=1)
        self._producer = np.frombuffer(self._data_map, dtype=np.uint64, count=1)
        self._data = np.frombuffer(self._data_map, dtype=np.uint8, offset=page)

    def read(self) -> Rows:
        start, end = int(self._consumer[0]), int(self._producer[0])
        available = (end - start) // _RECORD.itemsize
        offset = start % self._size
        records = np.ndarray((available,), dtype=_RECORD, buffer=self._data.data, offset=offset)
        headers = records["length"].copy()
        busy = np.flatnonzero(headers & _BUSY)
        whole = int(busy[0]) if busy.size else available
        headers = headers[:whole]
        paths: Rows = records["path"][:whole][headers & _DISCARD == 0].copy()
        self._consumer[0] = start + whole * _RECORD.itemsize
        return paths

    def close(self) -> None:
        # The views must go before the maps they look into.
        del self._consumer, self._producer, self._data
        self._consumer_map.close()
        self._data_map.close()


class LibraryRing:
    """Reads the ring through BCC: slower, right on every machine."""

    def __init__(self, bpf: Any, table: Any) -> None:
        self._bpf = bpf
        self._records: list[bytes] = []
        # The reference keeps the callback alive: BCC does not.
        self._callback = self._take
        table.open_ring_buffer(self._callback)

    def _take(self, _context: object, data: int, size: int) -> None:
        if size == PATH.itemsize:
            self._records.append(ctypes.string_at(data, size))

    def read(self) -> Rows:
        self._bpf.ring_buffer_consume()
        records, self._records = self._records, []
        return np.frombuffer(bytearray(b"".join(records)), dtype=PATH)

    def close(self) -> None:
        self._records = []
