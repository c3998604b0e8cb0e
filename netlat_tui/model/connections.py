"""Which paths belong to one connection: both directions of a 5-tuple as this host's socket sees it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netlat_tui.model.points import Direction
from netlat_tui.model.ticks import PathFlag, Rows

KEY = np.dtype(
    [
        ("local", "u1", (16,)), ("remote", "u1", (16,)), ("netns", "<u4"), ("ifindex", "<u4"),
        ("lport", "<u2"), ("rport", "<u2"), ("proto", "u1"), ("family", "u1"), ("fragment", "u1"), ("pad", "u1"),
    ]
)  # fmt: skip
"""A connection: what came in for ``local`` and what went out of it, by network namespace and interface."""

_WORDS = KEY.itemsize // 8
_MIX = np.random.default_rng().integers(1, 1 << 63, _WORDS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def keys_of(rows: Rows) -> Rows:
    """The connection of each path. Only TCP and UDP have ports; a later fragment has none either."""
    keys: Rows = np.zeros(len(rows), dtype=KEY)
    out = rows["direction"] == Direction.TX
    family, proto = rows["family"], rows["proto"]
    source, destination = _address(rows["saddr"], family), _address(rows["daddr"], family)
    keys["local"] = np.where(out[:, None], source, destination).view(np.uint8)
    keys["remote"] = np.where(out[:, None], destination, source).view(np.uint8)
    ports = ((proto == 6) | (proto == 17)) & ((family == 4) | (family == 6))
    sport, dport = np.where(ports, rows["sport"], 0), np.where(ports, rows["dport"], 0)
    keys["lport"], keys["rport"] = np.where(out, sport, dport), np.where(out, dport, sport)
    keys["fragment"] = ports & ((rows["flags"] & PathFlag.FRAGMENT) != 0) & (sport == 0) & (dport == 0)
    keys["netns"], keys["ifindex"] = rows["netns"], rows["ifindex"]
    keys["family"] = family
    keys["proto"] = np.where(family != 0, proto, 0)
    return keys


def _address(field: npt.NDArray[np.uint8], family: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """As two words, with nothing in them that is not part of the address."""
    words = np.ascontiguousarray(field).view("<u8")
    words[:, 0] = np.where(family == 6, words[:, 0], np.where(family == 4, words[:, 0] & 0xFFFF_FFFF, 0))
    words[:, 1] = np.where(family == 6, words[:, 1], 0)
    return words


_ORDER = np.random.default_rng(1).integers(1, 1 << 63, _WORDS, dtype=np.uint64)


def order_of(keys: Rows) -> npt.NDArray[np.uint64]:
    """A number for each connection that does not change: the order of those that nothing else tells apart."""
    ordered: npt.NDArray[np.uint64] = (keys.view("<u8").reshape(len(keys), _WORDS) * _ORDER).sum(
        axis=1, dtype=np.uint64
    )
    return ordered


def numbered(keys: Rows) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """(the number of each path's connection, the first path of each connection)."""
    words = keys.view("<u8").reshape(len(keys), _WORDS)
    _, first, number = np.unique((words * _MIX).sum(axis=1, dtype=np.uint64), return_index=True, return_inverse=True)
    if not np.array_equal(words, words[first[number]]):  # two connections of one sum: slower, but right
        _, first, number = np.unique(
            keys.view(np.dtype((np.void, KEY.itemsize))), return_index=True, return_inverse=True
        )
    return number.reshape(-1), first
