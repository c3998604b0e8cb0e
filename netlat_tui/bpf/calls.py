"""The kernel's bpf() call (include/uapi/linux/bpf.h): maps, programs, raw tracepoints and what it says of programs.

BCC compiles (``compiler``); what it compiled is loaded from here, so that the process that watches for days carries no
compiler, and what was compiled once can be loaded again.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
from dataclasses import dataclass

_SYS_BPF = {"x86_64": 321, "aarch64": 280, "s390x": 351, "ppc64le": 361, "riscv64": 280}
_MAP_CREATE, _PROG_LOAD, _PROG_TEST_RUN = 0, 5, 10
_OBJ_GET_INFO_BY_FD, _RAW_TRACEPOINT_OPEN, _ENABLE_STATS = 15, 17, 32
_ATTRIBUTES = 144  # bytes; the kernel takes more than it knows as long as the rest is zero
_INFO_SIZE = 256
_RUN_TIME_AT = 192  # struct bpf_prog_info: run_time_ns, run_cnt, recursion_misses (5.12)
_NAME_SIZE = 15
_LOG_SIZE = 1 << 20

RAW_TRACEPOINT = 17  # BPF_PROG_TYPE_RAW_TRACEPOINT

_libc = ctypes.CDLL(None, use_errno=True)


class LoadError(OSError):
    """The kernel refused a program; the text is the last line of its verifier's log, or the errno's."""


@dataclass(frozen=True, slots=True)
class MapSpec:
    """What a map is made of; sizes in bytes."""

    kind: int
    key_size: int
    value_size: int
    entries: int
    flags: int


@dataclass(frozen=True, slots=True)
class Runs:
    """Of one program since it was loaded. ``ns`` and ``count`` stand still while statistics are off."""

    ns: int
    count: int
    misses: int


def _bpf(command: int, attributes: bytearray) -> int:
    """The call itself; ``OSError`` where the kernel refuses."""
    attributes.extend(bytes(_ATTRIBUTES - len(attributes)))
    buffer = (ctypes.c_char * _ATTRIBUTES).from_buffer(attributes)
    number = _SYS_BPF.get(platform.machine())
    if number is None:
        raise OSError(0, f"the number of the bpf call on {platform.machine()} is not known")
    result = int(_libc.syscall(number, command, buffer, _ATTRIBUTES))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _name(name: str) -> bytes:
    return name.encode()[:_NAME_SIZE]


def create_map(name: str, spec: MapSpec) -> int:
    """Make a map; its descriptor. ``OSError`` where refused."""
    # map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node, map_name
    attributes = struct.pack(
        "<7I16s", spec.kind, spec.key_size, spec.value_size, spec.entries, spec.flags, 0, 0, _name(name)
    )
    try:
        return _bpf(_MAP_CREATE, bytearray(attributes))
    except PermissionError:
        # Before 5.11 maps count as locked memory, of which even root has little.
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return _bpf(_MAP_CREATE, bytearray(attributes))


def map_spec(fd: int) -> MapSpec:
    """What the map behind a descriptor is made of; ``OSError`` where the kernel refuses."""
    kind, _id, key, value, entries, flags = struct.unpack_from("<6I", _info(fd))
    return MapSpec(kind, key, value, entries, flags)


def load_program(name: str, code: bytes, kind: int = RAW_TRACEPOINT) -> int:
    """Load a program's instructions, maps' descriptors filled in; its descriptor. ``LoadError`` where refused."""
    try:
        return _load(name, code, kind, None)
    except OSError:
        log = ctypes.create_string_buffer(_LOG_SIZE)
    try:
        return _load(name, code, kind, log)  # again, for the verifier's reason
    except OSError as error:
        lines = [line for line in log.value.decode("utf-8", "replace").splitlines() if line.strip()]
        said = [line for line in lines if not line.startswith("processed ")]
        raise LoadError(error.errno, said[-1].strip() if said else str(error.strerror)) from None


def _load(name: str, code: bytes, kind: int, log: ctypes.Array[ctypes.c_char] | None) -> int:
    held = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"GPL")
    # prog_type, insn_cnt, insns, license, log_level, log_size, log_buf, kern_version, prog_flags, prog_name
    attributes = struct.pack(
        "<IIQQIIQII16s",
        kind,
        len(code) // 8,
        ctypes.addressof(held),
        ctypes.addressof(licence),
        1 if log is not None else 0,
        len(log) if log is not None else 0,
        ctypes.addressof(log) if log is not None else 0,
        0,
        0,
        _name(name),
    )
    return _bpf(_PROG_LOAD, bytearray(attributes))


def takes_cmpxchg() -> bool:
    """Whether the kernel knows BPF_CMPXCHG (5.12): it is asked with a program of five instructions."""
    code = (
        "b700000000000000"  # r0 = 0
        "b701000000000000"  # r1 = 0
        "7b0af8ff00000000"  # *(u64 *)(r10 - 8) = r0
        "db1af8fff1000000"  # r0 = cmpxchg(r10 - 8, r0, r1)
        "b700000000000000"
        "9500000000000000"
    )
    try:
        os.close(_load("cmpxchg", bytes.fromhex(code), RAW_TRACEPOINT, None))
    except OSError:
        return False
    return True


def attach_raw_tracepoint(event: str, program: int) -> int:
    """Attach; the attachment lasts as long as the descriptor that is returned. ``OSError`` where refused."""
    held = ctypes.create_string_buffer(event.encode())
    return _bpf(_RAW_TRACEPOINT_OPEN, bytearray(struct.pack("<QI", ctypes.addressof(held), program)))


def _info(fd: int) -> bytes:
    info = ctypes.create_string_buffer(_INFO_SIZE)
    _bpf(_OBJ_GET_INFO_BY_FD, bytearray(struct.pack("<IIQ", fd, _INFO_SIZE, ctypes.addressof(info))))
    return info.raw


def runs(fd: int) -> Runs:
    """Statistics of the program behind a descriptor; ``OSError`` where the kernel refuses."""
    return Runs(*struct.unpack_from("<QQQ", _info(fd), _RUN_TIME_AT))


def enable_stats() -> int:
    """Turn run-time statistics on (5.8); they stay on until the descriptor is closed, or the process is gone."""
    return _bpf(_ENABLE_STATS, bytearray())


def run_once(fd: int, args: tuple[int, ...]) -> None:
    """Run a raw-tracepoint program on this CPU with these arguments (5.10); ``OSError`` where refused."""
    context = (ctypes.c_uint64 * 12)(*args)
    # prog_fd, retval, data sizes in and out, data in and out, repeat, duration, ctx sizes in and out, ctx_in
    attributes = struct.pack(
        "<IIIIQQIIIIQ", fd, 0, 0, 0, 0, 0, 0, 0, ctypes.sizeof(context), 0, ctypes.addressof(context)
    )
    _bpf(_PROG_TEST_RUN, bytearray(attributes))
