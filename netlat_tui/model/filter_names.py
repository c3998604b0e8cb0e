"""The conditions on names that others chose: of interfaces and of processes, and the kernel's reasons for drops."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netlat_tui.model.filter_base import Mask, Names, Term, Test, quote
from netlat_tui.model.filter_program import Field
from netlat_tui.model.points import Outcome
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import Rows

_STAND_IN = re.compile(r"if[0-9]+|.*[?�].*", re.DOTALL)
"""Names that may be what a screen shows for another name: see ``paths.decode`` and ``text.printable``."""


@dataclass(frozen=True, slots=True)
class Ifaces(Term):
    """``iface eth0,eth1``. A name as shown on screen will do, also where the true one is not known or not printable."""

    names: tuple[str, ...]

    def text(self) -> str:
        return "iface " + ",".join(map(quote, self.names))

    def matches(self, paths: Rows, names: Names) -> Mask:
        keys = _iface_key(paths["netns"].astype(np.uint64), paths["ifindex"].astype(np.uint64))
        named = {key for key, name in names.ifaces.items() if name in self.names or printable(name) in self.names}
        mask = np.isin(keys, _iface_keys(named))
        numbers = [int(name[2:]) for name in self.names if re.fullmatch("if[0-9]+", name)]
        if numbers:
            mask |= np.isin(paths["ifindex"], numbers) & ~np.isin(keys, _iface_keys(set(names.ifaces)))
        return mask

    def tests(self) -> tuple[Test, ...]:
        if any(_STAND_IN.fullmatch(name) for name in self.names):
            return ()
        return tuple(Test(Field.IFNAME, value=name.encode("utf-8", "surrogateescape")) for name in self.names)


def _iface_key(netns: npt.NDArray[np.uint64], ifindex: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return netns << np.uint64(32) | ifindex


def _iface_keys(pairs: set[tuple[int, int]]) -> npt.NDArray[np.uint64]:
    return np.array([netns << 32 | ifindex for netns, ifindex in pairs], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Comms(Term):
    """``comm nginx``: the whole name, as the kernel holds it or as it is shown."""

    names: tuple[str, ...]

    def text(self) -> str:
        return "comm " + ",".join(map(quote, self.names))

    def matches(self, paths: Rows, names: Names) -> Mask:
        mask = np.zeros(len(paths), dtype=np.bool_)
        comms = np.ascontiguousarray(paths["comm"])
        for name in self.names:
            mask |= comms == name.encode("utf-8", "surrogateescape")
        if any(_STAND_IN.fullmatch(name) for name in self.names):
            distinct, which = np.unique(comms, return_inverse=True)
            shown = np.array([printable(bytes(comm)) in self.names for comm in distinct], dtype=np.bool_)
            mask |= shown[which]
        return mask


@dataclass(frozen=True, slots=True)
class Reasons(Term):
    """``reason NO_SOCKET``: dropped for it. In upper or lower case; the number of one that has no name."""

    names: tuple[str, ...]

    def text(self) -> str:
        return "reason " + ",".join(map(quote, self.names))

    def matches(self, paths: Rows, names: Names) -> Mask:
        wanted = {name.lower() for name in self.names}
        numbers = [number for number, name in names.reasons.items() if {name.lower(), printable(name).lower()} & wanted]
        numbers += [int(name) for name in wanted if re.fullmatch("[0-9]{1,9}", name) and int(name) not in names.reasons]
        return np.asarray((paths["outcome"] == Outcome.DROPPED) & np.isin(paths["reason"], numbers))
