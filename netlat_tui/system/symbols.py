"""Names of kernel addresses, from /proc/kallsyms.

Whether this process may see addresses is decided when the file is *opened*, so that is done while there are rights. It
is read only when there is something to name, and of its many megabytes nothing is kept but the names asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from netlat_tui.model.paths import HIDDEN
from netlat_tui.system.host import ROOT

_AGAIN_NS = 1_000_000_000  # a read takes a tenth of a second: not more often, whatever comes
_LARGEST = 1 << 16  # no function is longer: beyond it an address belongs to something without a name
_TEXT = np.frombuffer(b"tTwW", dtype=np.uint8)


class Symbols:
    """Opened at once; used from one thread. ``now_ns`` is a monotonic clock."""

    def __init__(self, root: Path = ROOT, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._now_ns = now_ns
        self._file: BinaryIO | None = None
        try:
            self._file = (root / "proc/kallsyms").open("rb")
        except OSError:
            return  # a kernel without it: nothing has a name
        self._read_ns: int | None = None
        self._known: dict[int, str] = {}

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def names(self, addresses: Iterable[int]) -> dict[int, str]:
        """``ip_rcv_core+0x1a``, ``nft_do_chain+0x5 [nf_tables]`` or ``HIDDEN`` by address; the kernel's own text.

        Left out: what has no name, and what was asked for the first time less than a second after the last read.
        """
        if self._file is None:
            return {}
        wanted = {address for address in addresses if address}
        unknown = sorted(wanted - self._known.keys())
        now = self._now_ns()
        if unknown and (self._read_ns is None or now - self._read_ns >= _AGAIN_NS):
            self._read_ns = now
            # What has no name is remembered as such: a module's functions may come and go, an address stays odd.
            self._known |= dict.fromkeys(unknown, "") | self._look_up(unknown)
        return {address: name for address in wanted if (name := self._known.get(address))}

    def _look_up(self, addresses: list[int]) -> dict[int, str]:
        assert self._file is not None  # noqa: S101 - for mypy
        try:
            self._file.seek(0)
            data = self._file.read()
        except OSError:
            return {}
        return look_up(data, addresses)


def look_up(data: bytes, addresses: Iterable[int]) -> dict[int, str]:
    """Names of those addresses that lie in a function of a kallsyms text (``ffffffff81000000 T name\\t[module]``)."""
    width = data.find(b" ")
    if width <= 0:
        return {}
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    whole = ends - starts > width + 3
    starts, ends = starts[whole], ends[whole]
    functions = np.isin(text[starts + width + 1], _TEXT)
    starts, ends = starts[functions], ends[functions]
    if not len(starts):
        return {}
    values = _numbers(text, starts, width)
    if not values.any():  # the kernel shows zeros: it wants CAP_SYSLOG, or kptr_restrict below 2
        return dict.fromkeys(addresses, HIDDEN)
    order = np.argsort(values, kind="stable")
    values = values[order]
    found = {}
    for address in addresses:
        before = int(np.searchsorted(values, np.uint64(address), side="right")) - 1
        if before < 0 or address - int(values[before]) >= _LARGEST:
            continue
        first = int(order[np.searchsorted(values, values[before], side="left")])  # of several names, the kernel's first
        line = data[int(starts[first]) + width + 3 : int(ends[first])]
        name, _, module = line.decode("utf-8", "replace").partition("\t")
        offset = address - int(values[before])
        found[address] = f"{name}+{offset:#x} {module}".rstrip()
    return found


def _numbers(text: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.uint64]:
    """The hexadecimal numbers of ``width`` digits that begin at these places."""
    values = np.zeros(len(starts), dtype=np.uint64)
    for place in range(width):
        digit = text[starts + place]
        values = values << np.uint64(4) | np.where(digit >= ord("a"), digit - (ord("a") - 10), digit - ord("0"))
    return values
