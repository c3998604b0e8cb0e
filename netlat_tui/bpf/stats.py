"""What the kernel says of our programs: run time, runs, and runs it skipped.

Run time is counted only while someone holds a ``BPF_ENABLE_STATS`` descriptor (5.8); the kernel drops it with the
process, however that ends.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from dataclasses import dataclass

_SYS_BPF = {"x86_64": 321, "aarch64": 280, "s390x": 351, "ppc64le": 361, "riscv64": 280}
_OBJ_GET_INFO_BY_FD, _ENABLE_STATS, _PROG_TEST_RUN = 15, 32, 10
_INFO_SIZE = 256
_RUN_TIME_AT = 192  # struct bpf_prog_info: run_time_ns, run_cnt, recursion_misses (5.12)

_libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command: int, attributes: bytearray) -> int:
    """The bpf system call; ``OSError`` where the kernel refuses."""
    buffer = (ctypes.c_char * len(attributes)).from_buffer(attributes)
    number = _SYS_BPF.get(platform.machine())
    if number is None:
        raise OSError(0, f"the number of the bpf call on {platform.machine()} is not known")
    result = int(_libc.syscall(number, command, buffer, len(attributes)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


@dataclass(frozen=True, slots=True)
class Runs:
    """Of one program since it was loaded. ``ns`` and ``count`` stand still while statistics are off."""

    ns: int
    count: int
    misses: int


def runs(fd: int) -> Runs:
    """Statistics of the program behind a descriptor; ``OSError`` where the kernel refuses."""
    info = ctypes.create_string_buffer(_INFO_SIZE)
    _bpf(_OBJ_GET_INFO_BY_FD, bytearray(struct.pack("<IIQ", fd, _INFO_SIZE, ctypes.addressof(info)) + bytes(104)))
    return Runs(*struct.unpack_from("<QQQ", info.raw, _RUN_TIME_AT))


def enable() -> int:
    """Turn run-time statistics on; they stay on until the descriptor is closed. ``OSError`` where refused."""
    return _bpf(_ENABLE_STATS, bytearray(120))


def run_once(fd: int, args: tuple[int, ...]) -> None:
    """Run a raw-tracepoint program on this CPU with these arguments (5.10); ``OSError`` where refused."""
    context = (ctypes.c_uint64 * 12)(*args)
    attributes = bytearray(120)
    # prog_fd, retval, data sizes in and out, data in and out, repeat, duration, ctx sizes in and out, ctx_in
    struct.pack_into(
        "<IIIIQQIIIIQ", attributes, 0, fd, 0, 0, 0, 0, 0, 0, 0, ctypes.sizeof(context), 0, ctypes.addressof(context)
    )
    _bpf(_PROG_TEST_RUN, attributes)
