"""Marks: notes at moments. Those made while recording are frames of the recording; later ones are kept beside it.

A finished recording is never written to again: it may still be another process's to write, and a disk may fill up in
the middle of a frame. ``FILE.marks`` holds frames of the same format, appended one at a time, each with the recording's
``started_ns``, so that those of another recording that had the name before are not taken for this one's. What a crash
cut short is skipped.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netlat_tui.model.ticks import Origin
from netlat_tui.recording.format import (
    HEAD_SIZE,
    SYNC,
    FrameError,
    FrameType,
    RecordingError,
    decode,
    encode,
    parse_head,
)
from netlat_tui.system.host import sudo_owner

MOST_TEXT = 200
"""Characters of a note; what is longer in a file is cut."""

MOST_MARKS = 10_000
_MOST_BYTES = 8 << 20
_MOST_TIME_NS = 1 << 62
"""Later than any clock: what claims to be is damaged."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A note, at a UNIX time."""

    time_ns: int
    text: str


def mark_content(mark: Mark) -> dict[str, Any]:
    return {"time_ns": mark.time_ns, "text": mark.text}


def parse_mark(content: Mapping[str, Any]) -> Mark | None:
    """``None`` where it is no mark."""
    time_ns, text = content.get("time_ns"), content.get("text")
    if not isinstance(time_ns, int) or not 0 <= time_ns < _MOST_TIME_NS or not isinstance(text, str):
        return None
    return Mark(time_ns, text[:MOST_TEXT])


def side_file(recording: Path) -> Path:
    """Where the marks are that were made after the recording was."""
    return recording.with_name(f"{recording.name}.marks")


def read_beside(recording: Path, origin: Origin) -> list[Mark]:
    """What ``FILE.marks`` holds of this recording; nothing where there is no such file or it cannot be read."""
    try:
        with os.fdopen(os.open(side_file(recording), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return []
            data = file.read(_MOST_BYTES)
    except OSError:
        return []
    marks: list[Mark] = []
    for content in _contents(data):
        mark = parse_mark(content)
        if mark is not None and content.get("started_ns") == origin.started_ns and len(marks) < MOST_MARKS:
            marks.append(mark)
    return marks


def _contents(data: bytes) -> Iterator[dict[str, Any]]:
    """The content of every whole mark."""
    at = 0
    while (at := data.find(SYNC, at)) >= 0 and at + HEAD_SIZE <= len(data):
        try:
            head = parse_head(data[at : at + HEAD_SIZE])
            end = at + HEAD_SIZE + head.length
            content = decode(head, data[at + HEAD_SIZE : end])
        except FrameError:
            at += 1
            continue
        if head.kind == FrameType.MARK:
            yield content
        at = end


def keep_beside(recording: Path, origin: Origin, mark: Mark) -> None:
    """Append a mark to ``FILE.marks``. ``RecordingError`` where that cannot be."""
    path = side_file(recording)
    frame = encode(FrameType.MARK, mark_content(mark) | {"started_ns": origin.started_ns})
    try:
        descriptor = _opened(path)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise RecordingError(f"The mark is kept for this session only: {path} is no ordinary file.")
            if os.write(descriptor, frame) != len(frame):
                raise RecordingError(f"The mark is kept for this session only: there is no room for {path}.")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RecordingError(
            f"The mark is kept for this session only: {path} cannot be written ({error.strerror})."
        ) from None


def _opened(path: Path) -> int:
    """Made for its owner alone, who is whoever called sudo; never through a symbolic link, never waited for."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    os.fchmod(descriptor, 0o600)
    owner = sudo_owner()
    if owner:
        os.fchown(descriptor, *owner)
    return descriptor
