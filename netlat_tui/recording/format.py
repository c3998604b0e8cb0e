"""The recording format, version 1.

A recording is a sequence of frames and nothing else; the first is a header. Every frame is::

    8 bytes  sync       d3 4e 4c 52 46 0d 0a 1a
    1        type       1 header, 2 tick, 3 mark, 4 index
    3        zero
    4        length     of the payload as it is stored, little endian
    4        size       of the payload when decompressed
    4        checksum   CRC-32 of type, length, size and the stored payload
    length   payload    one zstd frame holding one msgpack map

A reader that finds anything wrong looks for the next sync and goes on there: frames depend on no other but the
header. A recording can be read while it is written, and up to its last whole frame after a crash.

Header: ``format``, ``version``, the fields of ``Origin``, and the tables numbers refer to: ``points`` (keys by
direction, in order) and ``gauges``. A file written under other tables is read by these names.

Tick: the fields of ``Tick``; arrays are maps of ``n`` and ``columns``, each a field's little-endian bytes. ``t_ns`` and
``cpu`` of paths are stored as a column per point that occurs (``t_ns.6``). A column that is not there is zeros;
older files lack ``drops`` and ``symbols``.

Mark: ``time_ns`` (UNIX) and ``text``, anywhere between ticks. Frames of types a reader does not know are passed over.
Marks made when the recording is finished are in ``FILE.marks``, see ``marks.py``: frames of the same kind, with the
recording's ``started_ns``; appended to the recording they would be its own.

Index: ``ticks``, a list of (offset, time_ns); where it is not there, or is of other frames, it is rebuilt by reading.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec
import zstandard

FORMAT = "netlat-tui/recording"
VERSION = 1
SYNC = bytes.fromhex("d34e4c52460d0a1a")
MAX_PAYLOAD = 64 << 20
"""Nothing larger is written or read, compressed or not: a damaged length must not fill the memory."""

_HEAD = struct.Struct("<8sB3xIII")
HEAD_SIZE = _HEAD.size


class FrameType(IntEnum):
    HEADER = 1
    TICK = 2
    MARK = 3
    INDEX = 4


class RecordingError(Exception):
    """A recording cannot be read or written. One sentence that says what to do."""


class FrameError(Exception):
    """A frame is damaged; the text says how."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a payload."""

    kind: int
    length: int
    size: int
    checksum: int


def _checksum(kind: int, length: int, size: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack("<BII", kind, length, size)))


def encode(kind: FrameType, content: dict[str, Any]) -> bytes:
    """A whole frame. ``RecordingError`` where the content is too large."""
    raw = msgspec.msgpack.encode(content)
    payload = zstandard.ZstdCompressor(level=9).compress(raw)
    if max(len(raw), len(payload)) > MAX_PAYLOAD:
        raise RecordingError("A tick is too large to be recorded: record with a filter or a shorter --interval.")
    checksum = _checksum(kind, len(payload), len(raw), payload)
    return _HEAD.pack(SYNC, kind, len(payload), len(raw), checksum) + payload


def parse_head(data: bytes) -> Head:
    """The head at the beginning of ``data`` (``HEAD_SIZE`` bytes); ``FrameError`` where it cannot be one."""
    sync, kind, length, size, checksum = _HEAD.unpack(data)
    if sync != SYNC:
        raise FrameError("not the beginning of a frame")
    if length > MAX_PAYLOAD or size > MAX_PAYLOAD:
        raise FrameError("a frame claims to be too large")
    return Head(kind, length, size, checksum)


def decode(head: Head, payload: bytes) -> dict[str, Any]:
    """The content of a frame; ``FrameError`` where it is not what was written."""
    if _checksum(head.kind, head.length, head.size, payload) != head.checksum:
        raise FrameError("a frame's checksum is wrong")
    try:
        raw = zstandard.ZstdDecompressor().decompress(payload, max_output_size=head.size)
        content = msgspec.msgpack.decode(raw)
    except (zstandard.ZstdError, msgspec.DecodeError, RecursionError) as error:
        raise FrameError("a frame's content cannot be decoded") from error
    if not isinstance(content, dict):
        raise FrameError("a frame's content is not a map")
    return content
