"""Writes recordings, a frame at a time."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from netlat_tui.model.ticks import Origin, Tick
from netlat_tui.recording import content
from netlat_tui.recording.format import FrameType, RecordingError, encode
from netlat_tui.recording.marks import Mark, mark_content
from netlat_tui.system.host import sudo_owner


class Writer:
    """A recording being written; every frame is handed to the system at once, so that it can be read meanwhile.

    ``target`` is a path, ``-`` for standard output, or an open binary file. Files are made for their owner alone
    (0600), belong to whoever called sudo, and are never written through a symbolic link or over an existing file
    unless ``overwrite`` is set. ``RecordingError`` where that fails.
    """

    def __init__(self, target: str | Path | BinaryIO, origin: Origin, overwrite: bool = False) -> None:
        self.bytes_written = 0
        self._index: list[tuple[int, int]] = []
        self._closed = False
        self._owns = isinstance(target, str | Path) and str(target) != "-"
        if not isinstance(target, str | Path):
            self._file = target
        elif str(target) == "-":
            self._file = sys.stdout.buffer
        else:
            self._file = _create(Path(target), overwrite)
        self._put(FrameType.HEADER, content.header(origin))

    def write(self, tick: Tick) -> None:
        self._index.append((self.bytes_written, tick.time_ns))
        self._put(FrameType.TICK, content.tick(tick))

    def mark(self, mark: Mark) -> None:
        self._put(FrameType.MARK, mark_content(mark))

    def _put(self, kind: FrameType, what: dict[str, object]) -> None:
        frame = encode(kind, what)
        try:
            self._file.write(frame)
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            text = f"The recording cannot be written ({error.strerror}): make room or name another file."
            raise RecordingError(text) from None
        self.bytes_written += len(frame)

    def close(self) -> None:
        """Write the index and close the file. Idempotent."""
        if self._closed:
            return
        self._closed = True
        try:
            self._put(FrameType.INDEX, {"ticks": self._index})
        finally:
            if self._owns:
                self._file.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _create(path: Path, overwrite: bool) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_TRUNC if overwrite else os.O_EXCL)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise RecordingError(f"{path} exists already: name another file or remove it first.") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be written ({error.strerror}): name another file.") from None
    os.fchmod(descriptor, 0o600)
    owner = sudo_owner()
    if owner:
        os.fchown(descriptor, *owner)
    return os.fdopen(descriptor, "wb")
