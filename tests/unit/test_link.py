"""Programs and the functions they share are put together so that every call arrives."""

from __future__ import annotations

import struct

import pytest

from netlat_tui.bpf.link import FIRST_SHARED, calls_of, function_info, function_types, link
from netlat_tui.bpf.program import FILES, KERNEL_DIR, SHARED

CALL, EXIT, NOTHING = 0x85, struct.pack("<BBhi", 0x95, 0, 0, 0), struct.pack("<BBhi", 0xB7, 0, 0, 0)
HELPER = struct.pack("<BBhi", CALL, 0, 0, 5)


def call(number: int) -> bytes:
    return struct.pack("<BBhi", CALL, 0, 0, FIRST_SHARED + number)


def targets(code: bytes) -> list[int]:
    """Where the calls within a program lead, in its order."""
    found = []
    for at in range(len(code) // 8):
        opcode, registers, _, value = struct.unpack_from("<BBhi", code, at * 8)
        if opcode == CALL and registers >> 4 == 1:
            found.append(at + 1 + value)
    return found


def test_a_program_without_calls_stays_as_it_is() -> None:
    code = HELPER + NOTHING + EXIT
    linked = link(code, [EXIT])
    assert linked.code == code
    assert linked.functions == ()


def test_called_functions_follow_once_each_and_calls_lead_there() -> None:
    shared = [NOTHING + EXIT, call(0) + HELPER + EXIT, EXIT]
    linked = link(call(1) + call(0) + call(1) + EXIT, shared)
    assert linked.code[32:] == linked.code[32:40] + HELPER + EXIT + NOTHING + EXIT
    assert targets(linked.code) == [4, 7, 4, 7]
    assert calls_of(linked.code) == []
    assert linked.functions == ((0, 3), (4, 5), (7, 4))


def test_a_call_of_nothing_known_is_no_program() -> None:
    with pytest.raises(IndexError):
        link(call(3) + EXIT, [EXIT])


def test_types_name_each_function_and_say_that_it_is_global() -> None:
    data = function_types(["one", "two"])
    _, _, _, header, _, length, strings_at, _ = struct.unpack_from("<HBBIIIII", data)
    strings = data[header + strings_at :]
    at, found = header + 16 + 20, []
    while at < header + length:
        name, info, proto = struct.unpack_from("<III", data, at)
        found.append((strings[name:].split(b"\0")[0], info >> 24, info & 0xFFFF, proto))
        at += 12
    assert found == [(b"program", 12, 0, 2), (b"shared_one", 12, 1, 2), (b"shared_two", 12, 1, 2)]
    assert function_info(((0, 3), (7, 4))) == struct.pack("<4I", 0, 3, 7, 4)


def test_every_shared_function_is_in_the_source_and_called() -> None:
    text = "\n".join((KERNEL_DIR / name).read_text() for name in FILES)
    for name in SHARED:
        assert f"int shared_{name}(u64 " in text
        assert f"call_{name}(" in text
