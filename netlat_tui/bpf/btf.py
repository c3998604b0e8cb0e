"""Reader of BTF, the kernel's own description of its types (Documentation/bpf/btf.rst).

Only what a tracer needs: offsets of members (through nested anonymous structs and unions), values of enums, and the
arguments of raw tracepoints (``btf_trace_NAME`` typedefs). Types are of different lengths: they are walked once, and
looked up by the place of their name, of which the strings hold each once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

VMLINUX = Path("/sys/kernel/btf/vmlinux")

_MAGIC = 0xEB9F
_HEADER = struct.Struct("<HBBIIIII")
_TYPE = struct.Struct("<III")
_KIND_PTR, _KIND_STRUCT, _KIND_UNION, _KIND_ENUM, _KIND_TYPEDEF = 2, 4, 5, 6, 8
_KIND_FUNC, _KIND_FUNC_PROTO, _KIND_ENUM64 = 12, 13, 19
# Words that follow the three of each kind: (fixed, per element).
_TAIL: tuple[tuple[int, int] | None, ...] = (
    None, (1, 0), (0, 0), (3, 0), (0, 3), (0, 3), (0, 2), (0, 0), (0, 0), (0, 0),
    (0, 0), (0, 0), (0, 0), (0, 2), (1, 0), (0, 3), (0, 0), (1, 0), (0, 0), (0, 3),
    *(None,) * 12,
)  # fmt: skip
_MAX_DEPTH = 16


class BtfError(Exception):
    """The BTF cannot be read, or does not have what was asked for."""


@dataclass(frozen=True, slots=True)
class _Type:
    name: int
    kind: int
    flag: bool
    vlen: int
    size: int  # or type
    tail: int  # offset of what follows


class Btf:
    """One BTF blob. Raises ``BtfError`` for anything that is not whole and little-endian BTF version 1."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        if len(data) < _HEADER.size:
            raise BtfError("the BTF is cut short")
        magic, version, _flags, length, type_off, type_len, str_off, str_len = _HEADER.unpack_from(data)
        if magic != _MAGIC or version != 1:
            raise BtfError("this is not BTF version 1 in this machine's byte order")
        type_start, str_start = length + type_off, length + str_off
        if length < _HEADER.size or type_start + type_len > len(data) or str_start + str_len > len(data):
            raise BtfError("the BTF is cut short")
        self._strings = data[str_start : str_start + str_len]
        if type_len % 4:
            raise BtfError("the BTF's type section is cut short")
        words = np.frombuffer(data, dtype="<u4", count=type_len // 4, offset=type_start)
        starts = np.array(_starts(words), dtype=np.int64)
        self._at = starts * 4 + type_start  # of the types, which count from 1
        self._name_at, info = words[starts], words[starts + 1]
        self._kinds = (info >> 24 & 0x1F).astype(np.uint8)

    @classmethod
    def of_kernel(cls, path: Path = VMLINUX) -> Btf:
        """The running kernel's BTF."""
        try:
            return cls(path.read_bytes())
        except OSError as error:
            raise BtfError(f"{path} cannot be read ({error.strerror})") from error

    def _string(self, offset: int) -> str:
        end = self._strings.find(b"\0", offset)
        if offset < 0 or offset > len(self._strings) or end < 0:
            raise BtfError("the BTF refers to a name that is not there")
        return self._strings[offset:end].decode("ascii", "replace")

    def _type(self, index: int) -> _Type:
        if not 0 < index <= len(self._at):
            raise BtfError("the BTF refers to a type that is not there")
        at = int(self._at[index - 1])
        name, info, size = _TYPE.unpack_from(self._data, at)
        return _Type(name, info >> 24 & 0x1F, bool(info >> 31), info & 0xFFFF, size, at + _TYPE.size)

    def _named(self, kind: int, name: str) -> int | None:
        """The type of this kind and name; the first: later ones of the same name are another unit's private types."""
        at = self._strings.find(b"\0" + name.encode() + b"\0")
        if at < 0:
            return None
        found = np.flatnonzero((self._name_at == at + 1) & (self._kinds == kind))
        return int(found[0]) + 1 if found.size else None

    def _members(self, entry: _Type) -> Iterator[tuple[str, int, int]]:
        """(name, type, bit offset) of each member."""
        for i in range(entry.vlen):
            name, kind, offset = _TYPE.unpack_from(self._data, entry.tail + i * 12)
            yield self._string(name), kind, offset & 0xFFFFFF if entry.flag else offset

    def _find(self, entry: _Type, name: str, depth: int) -> int | None:
        if depth > _MAX_DEPTH:
            raise BtfError("the BTF nests its types too deeply")
        for member, kind, offset in self._members(entry):
            if member == name:
                return offset
            if not member:
                inner = self._type(kind)
                if inner.kind in (_KIND_STRUCT, _KIND_UNION):
                    found = self._find(inner, name, depth + 1)
                    if found is not None:
                        return offset + found
        return None

    def _member_type(self, entry: _Type, name: str, depth: int = 0) -> _Type | None:
        if depth > _MAX_DEPTH:
            raise BtfError("the BTF nests its types too deeply")
        for member, kind, _ in self._members(entry):
            if member == name:
                return self._type(kind)
            if not member:
                inner = self._type(kind)
                if inner.kind in (_KIND_STRUCT, _KIND_UNION):
                    found = self._member_type(inner, name, depth + 1)
                    if found is not None:
                        return found
        return None

    def offset(self, struct_name: str, path: str) -> int:
        """Byte offset of a member; ``a.b`` goes into named members. ``BtfError`` where there is no such member."""
        index = self._named(_KIND_STRUCT, struct_name)
        if index is None:
            raise BtfError(f"this kernel has no struct {struct_name}")
        entry, bits = self._type(index), 0
        parts = path.split(".")
        for i, part in enumerate(parts):
            found = self._find(entry, part, 0)
            if found is None:
                raise BtfError(f"this kernel's struct {struct_name} has no {path}")
            bits += found
            if i + 1 < len(parts):
                inner = self._member_type(entry, part)
                while inner is not None and inner.kind in (_KIND_TYPEDEF, 9, 10, 11):
                    inner = self._type(inner.size)
                if inner is None or inner.kind not in (_KIND_STRUCT, _KIND_UNION):
                    raise BtfError(f"this kernel's struct {struct_name} has no {path}")
                entry = inner
        if bits % 8:
            raise BtfError(f"{struct_name}.{path} is a bit field")
        return bits // 8

    def size(self, struct_name: str) -> int:
        """Bytes of a struct; ``BtfError`` where there is none of this name."""
        index = self._named(_KIND_STRUCT, struct_name)
        if index is None:
            raise BtfError(f"this kernel has no struct {struct_name}")
        return self._type(index).size

    def has_member(self, struct_name: str, path: str) -> bool:
        try:
            self.offset(struct_name, path)
        except BtfError:
            return False
        return True

    def enum(self, name: str) -> dict[str, int]:
        """Names and values of an enum (32 or 64 bit); ``BtfError`` where there is none of this name."""
        for kind in (_KIND_ENUM, _KIND_ENUM64):
            index = self._named(kind, name)
            if index is None:
                continue
            entry = self._type(index)
            values: dict[str, int] = {}
            for i in range(entry.vlen):
                if kind == _KIND_ENUM:
                    label, value = struct.unpack_from("<Ii" if entry.flag else "<II", self._data, entry.tail + i * 8)
                else:
                    label, low, high = _TYPE.unpack_from(self._data, entry.tail + i * 12)
                    value = high << 32 | low
                values[self._string(label)] = value
            return values
        raise BtfError(f"this kernel has no enum {name}")

    def function(self, name: str) -> int | None:
        """The id of a function's type; ``None`` where the kernel has no such function."""
        return self._named(_KIND_FUNC, name)

    def function_args(self, name: str) -> int | None:
        """How many arguments a kernel function takes; ``None`` where the kernel has no such function."""
        index = self.function(name)
        proto = self._type(self._type(index).size) if index is not None else None
        return proto.vlen if proto is not None and proto.kind == _KIND_FUNC_PROTO else None

    def tracepoint(self, name: str) -> int | None:
        """The id of a tracepoint's type; ``None`` where the kernel has no such tracepoint."""
        return self._named(_KIND_TYPEDEF, f"btf_trace_{name}")

    def tracepoint_args(self, name: str) -> int | None:
        """How many arguments a raw tracepoint hands over; ``None`` where the kernel has no such tracepoint."""
        index = self.tracepoint(name)
        if index is None:
            return None
        pointer = self._type(self._type(index).size)
        proto = self._type(pointer.size) if pointer.kind == _KIND_PTR else pointer
        if proto.kind != _KIND_FUNC_PROTO:
            raise BtfError(f"the BTF of the tracepoint {name} is damaged")
        return proto.vlen - 1  # the first is the tracepoint's private data


def _starts(words: npt.NDArray[np.uint32]) -> list[int]:
    """Where each type begins, in words."""
    infos, end, at = words.tolist(), len(words), 0
    found: list[int] = []
    while at < end:
        if at + 3 > end:
            raise BtfError("the BTF's type section is cut short")
        info = infos[at + 1]
        tail = _TAIL[info >> 24 & 0x1F]
        if tail is None:
            raise BtfError(f"the BTF holds a kind of type ({info >> 24 & 0x1F}) that is not known")
        found.append(at)
        at += 3 + tail[0] + tail[1] * (info & 0xFFFF)
    if at != end:
        raise BtfError("the BTF's type section is cut short")
    return found
