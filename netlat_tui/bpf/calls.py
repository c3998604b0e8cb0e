"""The kernel's bpf() call (include/uapi/linux/bpf.h): maps, programs, raw tracepoints and what it says of programs.

BCC compiles (``compiler``); what it compiled is loaded from here, so that the process that watches for days carries no
compiler, and what was compiled once can be loaded again.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterable
from dataclasses import dataclass

_SYS_BPF = {"x86_64": 321, "aarch64": 280, "s390x": 351, "ppc64le": 361, "riscv64": 280}
_SYS_MEMBARRIER = {"x86_64": 324, "aarch64": 283, "s390x": 356, "ppc64le": 365, "riscv64": 283}
_SYS_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241, "s390x": 331, "ppc64le": 319, "riscv64": 241}
ARGUMENTS = {"x86_64": (112, 104, 96, 88, 72, 64), "aarch64": (0, 8, 16, 24, 32, 40)}
"""Where a kprobe's struct pt_regs keeps the first arguments of a function (bytes)."""
_PERF_FLAG_FD_CLOEXEC = 8
_PERF_EVENT_IOC_SET_BPF, _PERF_EVENT_IOC_ENABLE = 0x40042408, 0x2400
_MAP_CREATE, _PROG_LOAD, _PROG_TEST_RUN, _BTF_LOAD = 0, 5, 10, 18
_OBJ_GET_INFO_BY_FD, _RAW_TRACEPOINT_OPEN, _ENABLE_STATS = 15, 17, 32
_ATTRIBUTES = 144  # bytes; the kernel takes more than it knows as long as the rest is zero
_INFO_SIZE = 256
_RUN_TIME_AT = 192  # struct bpf_prog_info: run_time_ns, run_cnt, recursion_misses (5.12)
_NAME_SIZE = 15
_LOG_SIZE = 1 << 20

KPROBE, TRACEPOINT, RAW_TRACEPOINT, TRACING = 2, 5, 17, 26  # BPF_PROG_TYPE_*
TRACE_RAW_TP, TRACE_FENTRY, TRACE_FEXIT = 23, 24, 25  # BPF_TRACE_*
_FUNC_INFO_SIZE = 8  # struct bpf_func_info
_PERF_TYPE_TRACEPOINT = 2
_SYS_FSOPEN, _SYS_FSCONFIG, _SYS_FSMOUNT = 430, 431, 432  # the same on every machine
_FSCONFIG_CMD_CREATE = 6
_MEMBARRIER_GLOBAL = 1

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
    return _checked(_libc.syscall(number, command, buffer, _ATTRIBUTES))


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


@dataclass(frozen=True, slots=True)
class Target:
    """What a program is for. ``place``, ``function``: of TRACING, BPF_TRACE_* and the BTF id of the kernel function, or
    of the tracepoint's type."""

    kind: int = RAW_TRACEPOINT
    place: int = 0
    function: int = 0


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions in a program's instructions: a descriptor of BTF, and ``struct bpf_func_info`` of each."""

    btf: int
    info: bytes


def load_btf(data: bytes) -> int:
    """Give the kernel type information; its descriptor. ``OSError`` where refused."""
    held = ctypes.create_string_buffer(data, len(data))
    return _bpf(_BTF_LOAD, bytearray(struct.pack("<QQI", ctypes.addressof(held), 0, len(data))))


def load_program(name: str, code: bytes, target: Target | None = None, functions: Functions | None = None) -> int:
    """Load a program's instructions, maps' descriptors filled in; its descriptor. ``LoadError`` where refused."""
    target = target or Target()
    try:
        return _load(name, code, target, None, functions)
    except OSError:
        log = ctypes.create_string_buffer(_LOG_SIZE)
    try:
        return _load(name, code, target, log, functions)  # again, for the verifier's reason
    except OSError as error:
        lines = [line for line in log.value.decode("utf-8", "replace").splitlines() if line.strip()]
        said = [line for line in lines if not line.startswith("processed ")]
        raise LoadError(error.errno, said[-1].strip() if said else str(error.strerror)) from None


def _load(
    name: str,
    code: bytes,
    target: Target,
    log: ctypes.Array[ctypes.c_char] | None = None,
    functions: Functions | None = None,
) -> int:
    held = ctypes.create_string_buffer(code, len(code))
    info = ctypes.create_string_buffer(functions.info, len(functions.info)) if functions else None
    licence = ctypes.create_string_buffer(b"GPL")
    # prog_type, insn_cnt, insns, license, log_level, log_size, log_buf, kern_version, prog_flags, prog_name,
    # prog_ifindex, expected_attach_type, prog_btf_fd, func_info_rec_size, func_info, func_info_cnt, (line_info),
    # attach_btf_id
    attributes = struct.pack(
        "<IIQQIIQII16sIIIIQI16xI",
        target.kind,
        len(code) // 8,
        ctypes.addressof(held),
        ctypes.addressof(licence),
        1 if log is not None else 0,
        len(log) if log is not None else 0,
        ctypes.addressof(log) if log is not None else 0,
        0,
        0,
        _name(name),
        0,
        target.place,
        functions.btf if functions else 0,
        _FUNC_INFO_SIZE if functions else 0,
        ctypes.addressof(info) if info is not None else 0,
        len(functions.info) // _FUNC_INFO_SIZE if functions else 0,
        target.function,
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
        os.close(_load("cmpxchg", bytes.fromhex(code), Target()))
    except OSError:
        return False
    return True


_NOTHING = bytes.fromhex("b7000000000000009500000000000000")  # return 0


def refuses_fentry(function: int) -> str:
    """Why programs cannot be attached to functions by fentry; "" where they can. Asked with an empty one."""
    try:
        program = _load("trial", _NOTHING, Target(TRACING, TRACE_FENTRY, function))
        try:
            os.close(attach_tracing(program))
        finally:
            os.close(program)
    except OSError as error:
        return f"this kernel refuses fentry ({error.strerror})"
    return ""


def refuses_kprobe(function: str) -> str:
    """Why programs cannot be attached to functions by kprobes; "" where they can."""
    if platform.machine() not in ARGUMENTS:
        return f"the registers of {platform.machine()} are not known"
    try:
        program = _load("trial", _NOTHING, Target(KPROBE))
        try:
            os.close(attach_kprobe(function, program))
        finally:
            os.close(program)
    except OSError as error:
        text = str(error.strerror)
        return text if error.errno == errno.ENODEV else f"this kernel refuses kprobes ({text})"
    return ""


def attach_tracing(program: int) -> int:
    """Attach a TRACING program to what it was loaded for (5.5): as long as the descriptor that is returned is open.
    ``OSError`` where refused."""
    return _bpf(_RAW_TRACEPOINT_OPEN, bytearray(struct.pack("<QI", 0, program)))


def attach_kprobe(function: str, program: int) -> int:
    """Attach to the entry of a function through the kprobe PMU (4.17); as ``attach_tracing``."""
    try:
        with open("/sys/bus/event_source/devices/kprobe/type", encoding="ascii") as file:  # noqa: PTH123
            kind = int(file.read())
    except (OSError, ValueError) as error:
        raise OSError(errno.ENODEV, "this kernel has no kprobes") from error
    held = ctypes.create_string_buffer(function.encode())
    return _attach_perf(kind, 0, ctypes.addressof(held), program)


def wait_for_programs() -> None:
    """Return when no program that was detached before is running any more (membarrier(2) waits for that of RCU)."""
    number = _SYS_MEMBARRIER.get(platform.machine())
    if number is not None:
        _libc.syscall(number, _MEMBARRIER_GLOBAL, 0, 0)


def tracepoint_ids(events: Iterable[str]) -> dict[str, int]:
    """The numbers of tracepoints (``syscalls/sys_enter_sendto``), of those there are; none without rights."""
    found: dict[str, int] = {}
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        tracefs = _mount_of_our_own("tracefs")
        stack.callback(os.close, tracefs)
        for event in events:
            with contextlib.suppress(OSError, ValueError):
                file = os.open(f"events/{event}/id", os.O_RDONLY, dir_fd=tracefs)
                with open(file, encoding="ascii") as text:  # noqa: PTH123 - a descriptor
                    found[event] = int(text.read())
    return found


def _mount_of_our_own(kind: str) -> int:
    """A file system as a descriptor that is mounted nowhere (5.2); gone when it is closed."""
    name = ctypes.create_string_buffer(kind.encode())
    context = _checked(_libc.syscall(_SYS_FSOPEN, name, 1))
    try:
        _checked(_libc.syscall(_SYS_FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0))
        return _checked(_libc.syscall(_SYS_FSMOUNT, context, 1, 0))
    finally:
        os.close(context)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(result)


def attach_tracepoint(number: int, program: int) -> int:
    """Attach to a tracepoint by its number; as ``attach_tracing``. Runs on every CPU (4.7)."""
    return _attach_perf(_PERF_TYPE_TRACEPOINT, number, 0, program)


def _attach_perf(kind: int, config: int, config1: int, program: int) -> int:
    number = _SYS_PERF_EVENT_OPEN.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"the number of the perf_event_open call on {platform.machine()} is not known")
    # struct perf_event_attr: type, size, config, period, sample_type, read_format, flags, wakeup, bp_type, config1, 2
    attributes = ctypes.create_string_buffer(
        struct.pack("<IIQQQQQIIQQ", kind, 72, config, 1, 0, 0, 0, 0, 0, config1, 0)
    )
    event = _checked(_libc.syscall(number, attributes, -1, 0, -1, _PERF_FLAG_FD_CLOEXEC))
    for request, value in ((_PERF_EVENT_IOC_SET_BPF, program), (_PERF_EVENT_IOC_ENABLE, 0)):
        try:
            _checked(_libc.ioctl(event, request, value))
        except OSError:
            os.close(event)
            raise
    return event


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
