"""Interfaces by network namespace: a packet carries numbers, people know names."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netlat_tui.system.host import ROOT

_MOST_NAMESPACES = 1000


@dataclass(frozen=True, slots=True)
class Iface:
    """An interface. ``netns`` is the namespace's inode number; ``name`` is hostile text."""

    ifindex: int
    netns: int
    name: str


def own_namespace() -> int:
    """Inode number of this process's network namespace; 0 where /proc does not say."""
    try:
        return os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116 - follows the magic link
    except OSError:
        return 0


def _here(netns: int) -> tuple[Iface, ...]:
    try:
        return tuple(Iface(index, netns, name) for index, name in socket.if_nameindex())
    except OSError:
        return ()


def _namespaces(root: Path) -> Iterator[tuple[int, Path]]:
    """(inode, a path that leads there) of every namespace that can be seen, each once."""
    seen: set[int] = set()
    for pattern in ("run/netns/*", "proc/[0-9]*/ns/net"):
        for path in root.glob(pattern):
            try:
                inode = path.stat().st_ino
            except OSError:
                continue
            if inode not in seen and len(seen) < _MOST_NAMESPACES:
                seen.add(inode)
                yield inode, path


def survey(root: Path = ROOT) -> tuple[Iface, ...]:
    """The interfaces of this namespace and of every other that can be entered."""
    own = own_namespace()
    found = list(_here(own))
    others = [(inode, path) for inode, path in _namespaces(root) if inode != own]
    if others and hasattr(os, "setns"):
        _visit(others, found, os.setns)
    elif others:
        _visit(others, found, _setns)
    return tuple(found)


def _setns(descriptor: int, kind: int) -> None:
    """os.setns for Python 3.11."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(descriptor, kind):
        raise OSError(ctypes.get_errno(), "setns")


def _visit(others: list[tuple[int, Path]], found: list[Iface], setns: object) -> None:
    """Look into other namespaces from a thread of its own: only that thread moves, and it ends here."""
    enter = setns if callable(setns) else _setns

    def visit() -> None:
        for inode, path in others:
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    enter(descriptor, 0x40000000)  # CLONE_NEWNET
                finally:
                    os.close(descriptor)
                found.extend(_here(inode))

    thread = threading.Thread(target=visit, name="namespaces")
    thread.start()
    thread.join()


def names(root: Path = ROOT) -> set[str]:
    """Names of all interfaces that can be seen, in whichever namespace."""
    return {iface.name for iface in survey(root)}
