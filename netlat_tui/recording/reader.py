"""Reads recordings, whole or not: what is damaged is said and left out, what is whole is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from netlat_tui.model.ticks import Origin, Tick
from netlat_tui.recording.content import parse_header, parse_tick
from netlat_tui.recording.format import (
    HEAD_SIZE,
    SYNC,
    FrameError,
    FrameType,
    RecordingError,
    decode,
    parse_head,
)
from netlat_tui.recording.marks import MOST_MARKS, Mark, parse_mark
from netlat_tui.recording.tables import Tables

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that could not be read: where in the file it began, and what."""

    offset: int
    text: str


class Reader:
    """A recording being read. ``origin`` is there from the start; iterating gives ticks until the end of what is there.

    ``source`` is a path, ``-`` for standard input, or an open binary file. ``damage`` grows as one reads.
    ``RecordingError`` where there is no header to begin with.
    """

    def __init__(self, source: str | Path | BinaryIO) -> None:
        self.damage: list[Damage] = []
        self._noted: set[Damage] = set()
        self.marks: list[Mark] = []
        self._buffer = bytearray()
        self._at = 0  # file offset of the buffer's beginning
        self._ended = False
        self._file, self._owns = _open(source)
        try:
            self.origin, self._tables = self._header(str(source) if isinstance(source, str | Path) else "The input")
        except BaseException:
            self.close()
            raise

    def _header(self, name: str) -> tuple[Origin, Tables]:
        for kind, content in self._frames():
            if kind != FrameType.HEADER:
                self._note(self._at, "a frame came before the header")
                continue
            try:
                return parse_header(content)
            except FrameError as error:
                self._note(self._at, str(error))
        if not self._at and not self._buffer:
            raise RecordingError(f"{name} is empty: name a file written by `netlat-tui record`.")
        if not any("checksum" in damage.text or "cut" in damage.text for damage in self.damage):
            raise RecordingError(f"{name} is not a recording: name a file written by `netlat-tui record`.")
        raise RecordingError(f"{name} has lost its header and cannot be read: use another copy of it.")

    def __iter__(self) -> Iterator[Tick]:
        for kind, content in self._frames():
            start = self._at
            try:
                if kind == FrameType.TICK:
                    tick, left_out = parse_tick(content, self._tables)
                    if left_out:
                        self._note(start, f"{left_out} rows of a tick that cannot be were left out")
                    yield tick
                elif kind == FrameType.MARK:
                    mark = parse_mark(content)
                    if mark is not None and len(self.marks) < MOST_MARKS:
                        self.marks.append(mark)
            except FrameError as error:
                self._note(start, str(error))

    @property
    def at(self) -> int:
        """Where in the file the tick begins that was given last."""
        return self._at

    def rewind(self) -> None:
        """Begin again; only of a file that can be gone back in. Iterate anew after it."""
        self._file.seek(0)
        self._buffer.clear()
        self._at, self._ended = 0, False
        self.marks.clear()

    def _note(self, offset: int, text: str) -> None:
        damage = Damage(offset, text)
        if damage not in self._noted:  # what is read again is not damaged twice
            self._noted.add(damage)
            self.damage.append(damage)

    def _fill(self, size: int) -> bool:
        """Have at least ``size`` bytes in the buffer; False where the input ends before."""
        while len(self._buffer) < size and not self._ended:
            chunk = self._file.read(max(_CHUNK, size - len(self._buffer)))
            if not chunk:
                self._ended = True
            self._buffer += chunk
        enough = len(self._buffer) >= size
        self._ended = self._ended and not enough  # a file still being written may have grown by the next look
        return enough

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._at += size

    def _frames(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """(type, content) of every whole frame from here on; ``_at`` is where the frame began."""
        while self._fill(1):
            if not self._fill(HEAD_SIZE):
                if not SYNC.startswith(bytes(self._buffer[: len(SYNC)])):
                    self._skip("bytes that are no frame")
                    continue
                self._note(self._at, "the recording is cut short")
                return
            try:
                head = parse_head(bytes(self._buffer[:HEAD_SIZE]))
                if not self._fill(HEAD_SIZE + head.length):
                    if self._buffer.find(SYNC, 1) < 0:
                        self._note(self._at, "the recording is cut short")
                        return
                    raise FrameError("a frame is cut short")
                content = decode(head, bytes(self._buffer[HEAD_SIZE : HEAD_SIZE + head.length]))
            except FrameError as error:
                self._skip(str(error))
                continue
            yield head.kind, content
            self._drop(HEAD_SIZE + head.length)

    def _skip(self, why: str) -> None:
        """Note damage here and go to the next place a frame may begin."""
        start = self._at
        self._drop(1)
        while (found := self._buffer.find(SYNC)) < 0:
            # The end of what is there may be the beginning of the next sync.
            self._drop(max(0, len(self._buffer) - len(SYNC) + 1))
            if not self._fill(len(self._buffer) + 1):
                found = len(self._buffer)
                break
        self._drop(found)
        self._note(start, f"{why}: {self._at - start} bytes skipped")

    def close(self) -> None:
        if self._owns:
            self._file.close()


def _open(source: str | Path | BinaryIO) -> tuple[BinaryIO, bool]:
    if not isinstance(source, str | Path):
        return source, False
    if str(source) == "-":
        return sys.stdin.buffer, False
    try:
        return Path(source).open("rb"), True
    except OSError as error:
        raise RecordingError(f"{source} cannot be read ({error.strerror}): name a recording.") from None


def read_all(source: str | Path | BinaryIO) -> tuple[Origin, list[Tick], list[Damage]]:
    """Everything a recording holds. ``RecordingError`` where there is no header."""
    reader = Reader(source)
    try:
        return reader.origin, list(reader), reader.damage
    finally:
        reader.close()
