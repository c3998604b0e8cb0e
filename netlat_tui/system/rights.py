"""Giving up what is not needed any more once everything is attached."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import struct
import sys

from netlat_tui.system.host import CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, sudo_owner

_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_SYS_PTRACE = 1, 2, 19
KEPT = (
    CAP_BPF,  # run the sweep, ask for the programs' statistics
    CAP_PERFMON,
    CAP_SYS_ADMIN,  # turn these statistics on; look up interfaces of other namespaces
    _CAP_SYS_PTRACE,  # find the namespaces of other users' processes
)
_PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 8, 38
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def drop() -> None:
    """Keep the capabilities in ``KEPT`` and no others; under sudo, become whoever called it.

    Files written from here on are the caller's own. Root without sudo stays root, and may write where it likes. Call it
    from the only thread: capabilities are a thread's own, and its children's. What the kernel refuses to give up stays.
    """
    if os.geteuid():
        return
    kept = set(KEPT)
    owner = sudo_owner()
    if owner is not None and owner[0]:
        _become(*owner)
        if not _can_read_itself():
            kept.add(_CAP_DAC_READ_SEARCH)
    else:
        kept.add(_CAP_DAC_OVERRIDE)
    _keep(kept & _permitted())
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _become(uid: int, gid: int) -> None:
    _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    with contextlib.suppress(OSError):
        groups = [gid]
        with contextlib.suppress(KeyError):
            groups = os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def _can_read_itself() -> bool:
    """Whether this program's own modules can still be imported: it may lie in a folder that is root's alone."""
    return all(os.access(entry, os.R_OK | os.X_OK) for entry in sys.path if _lies_there(entry))


def _lies_there(entry: str) -> bool:
    """Whether modules come from here. Asked of those that are loaded: what cannot be read does not seem to exist."""
    files = (str(getattr(module, "__file__", None) or "") for module in tuple(sys.modules.values()))
    return bool(entry) and any(file.startswith(entry.rstrip("/") + "/") for file in files)


def _permitted() -> set[int]:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        line = next((line for line in file if line.startswith("CapPrm:")), "CapPrm: 0")
    held = int(line.split()[1], 16)
    return {bit for bit in range(64) if held >> bit & 1}


def _keep(bits: set[int]) -> None:
    mask = sum(1 << bit for bit in bits)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = ctypes.create_string_buffer(struct.pack("<Ii", _CAPABILITY_VERSION_3, 0))
    data = ctypes.create_string_buffer(struct.pack("<6I", low, low, 0, high, high, 0))
    _libc.capset(header, data)
