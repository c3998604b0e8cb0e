"""Programs and the functions they share, put together.

The compiler sees a call of a shared function as that of a helper with a number no helper has; here the function is
appended and the call made one within the program (BPF_PSEUDO_CALL). The kernel verifies a global function by itself,
once, if BTF tells it that it is one (5.6).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

FIRST_SHARED = 0x4E540000
"""Number of the first shared function; the kernel's helpers count from 1."""

_CALL, _PSEUDO_CALL = 0x85, 1
_MAGIC, _HEADER = 0xEB9F, 24
_INT, _FUNC, _FUNC_PROTO = 1, 12, 13
_GLOBAL = 1
_NUMBER, _PROTO, _FIRST_FUNC = 1, 2, 3  # types of the BTF


@dataclass(frozen=True, slots=True)
class Linked:
    """Instructions, and where functions begin in them: (instruction, type in ``function_types``); none if alone."""

    code: bytes
    functions: tuple[tuple[int, int], ...]


def calls_of(code: bytes) -> list[tuple[int, int]]:
    """(instruction, number) of each call of a shared function."""
    found = []
    for at in range(0, len(code), 8):
        opcode, registers, _offset, value = struct.unpack_from("<BBhi", code, at)
        if opcode == _CALL and registers >> 4 == 0 and value >= FIRST_SHARED:
            found.append((at // 8, value - FIRST_SHARED))
    return found


def link(code: bytes, shared: Sequence[bytes]) -> Linked:
    """The program with all it calls, directly or not, behind it; ``IndexError`` if that is not in ``shared``."""
    begins: dict[int, int] = {}
    parts, pending = [code], calls_of(code)
    length = len(code) // 8
    while pending:
        _, number = pending.pop(0)
        if number in begins:
            continue
        begins[number] = length
        parts.append(shared[number])
        length += len(shared[number]) // 8
        pending += calls_of(shared[number])
    whole = bytearray(b"".join(parts))
    for at, number in calls_of(bytes(whole)):
        struct.pack_into("<BBhi", whole, at * 8, _CALL, _PSEUDO_CALL << 4, 0, begins[number] - at - 1)
    if not begins:
        return Linked(bytes(whole), ())
    functions = [(0, _FIRST_FUNC), *((at, _FIRST_FUNC + 1 + number) for number, at in begins.items())]
    return Linked(bytes(whole), tuple(sorted(functions)))


def function_types(names: Sequence[str]) -> bytes:
    """BTF of a program's own function and of these global ones: each takes a number and returns one."""
    strings = bytearray(b"\0")
    offsets: dict[str, int] = {}

    def text(name: str) -> int:
        if name not in offsets:
            offsets[name] = len(strings)
            strings.extend(name.encode() + b"\0")
        return offsets[name]

    types = struct.pack("<IIII", text("u64"), _INT << 24, 8, 64)
    types += struct.pack("<III", 0, _FUNC_PROTO << 24 | 1, _NUMBER) + struct.pack("<II", text("argument"), _NUMBER)
    types += struct.pack("<III", text("program"), _FUNC << 24, _PROTO)
    for name in names:
        types += struct.pack("<III", text(f"shared_{name}"), _FUNC << 24 | _GLOBAL, _PROTO)
    header = struct.pack("<HBBIIIII", _MAGIC, 1, 0, _HEADER, 0, len(types), len(types), len(strings))
    return header + types + bytes(strings)


def function_info(functions: Sequence[tuple[int, int]]) -> bytes:
    """``struct bpf_func_info`` of each."""
    return b"".join(struct.pack("<II", at, kind) for at, kind in functions)
