"""How an interface hands out what it receives: RPS, and how long it holds interrupts back."""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from netlat_tui.system.host import ROOT, read

_SIOCETHTOOL = 0x8946
_GCOALESCE = 0x0000000E  # ETHTOOL_GCOALESCE: anyone may ask
_FIELDS, _RX_USECS, _ADAPTIVE_RX = 23, 1, 10  # of struct ethtool_coalesce, u32 each
_MOST = 256


@dataclass(frozen=True, slots=True)
class Setup:
    """Of an interface of this namespace. ``name`` is hostile text.

    ``rps``: the CPUs its receive queues are steered to, a hexadecimal mask of all queues, "" where it has none;
    ``rx_usecs`` is ``None`` where the driver does not say.
    """

    ifindex: int
    name: str
    rps: str = ""
    rx_usecs: int | None = None
    adaptive: bool = False


def survey(root: Path = ROOT) -> tuple[Setup, ...]:
    """The interfaces of this process's network namespace."""
    try:
        interfaces = socket.if_nameindex()[:_MOST]
    except OSError:
        return ()
    found = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for ifindex, name in interfaces:
            rx_usecs, adaptive = _coalescing(asking, name)
            found.append(Setup(ifindex, name, steering(name, root), rx_usecs, adaptive))
    return tuple(found)


def steering(name: str, root: Path = ROOT) -> str:
    """The RPS masks of an interface's receive queues, put together."""
    mask, known = 0, False
    for queue in (root / "sys/class/net" / name / "queues").glob("rx-*"):
        try:
            mask |= int(read(queue / "rps_cpus").replace(",", ""), 16)
        except ValueError:
            continue
        known = True
    return f"{mask:x}" if known else ""


def _coalescing(asking: socket.socket, name: str) -> tuple[int | None, bool]:
    """(rx-usecs, whether the card adapts it itself)."""
    wanted = array.array("I", [_GCOALESCE, *[0] * (_FIELDS - 1)])
    request = struct.pack("16sP", name.encode(errors="surrogateescape")[:15], wanted.buffer_info()[0])
    try:
        fcntl.ioctl(asking, _SIOCETHTOOL, request)
    except OSError:
        return None, False
    return wanted[_RX_USECS], bool(wanted[_ADAPTIVE_RX])
