"""Writes what is collected to a file while somebody looks at it. Asked by the screen, done in the drain's thread."""

from __future__ import annotations

import threading
from pathlib import Path

from netlat_tui.model.text import size
from netlat_tui.model.ticks import Origin, Tick
from netlat_tui.recording import Mark, RecordingError, Writer


class Recorder:
    """``begin`` and ``end`` say what is wanted; the next tick does it. ``news`` is a sentence to show, once."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._lock = threading.Lock()
        self._wanted: Path | None = None
        self._writer: Writer | None = None
        self._path: Path | None = None
        self._news: list[tuple[str, bool]] = []
        self._marks: list[Mark] = []

    @property
    def wanted(self) -> Path | None:
        return self._wanted

    def begin(self, path: Path) -> None:
        self._wanted = path

    def end(self) -> None:
        self._wanted = None

    def mark(self, mark: Mark) -> None:
        """Into the file with the next tick, or when it ends."""
        with self._lock:
            self._marks.append(mark)

    def news(self) -> list[tuple[str, bool]]:
        """Sentences since the last call, and whether each is bad."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def take(self, tick: Tick) -> None:
        """Called with every tick, from the thread that drains the source."""
        wanted = self._wanted
        try:
            if self._path is not None and self._path != wanted:
                self._close()
            if wanted is None:
                return
            if self._writer is None:
                self._writer, self._path = Writer(wanted, self._origin), wanted
            self._write_marks(self._writer)
            self._writer.write(tick)
        except RecordingError as error:
            self._give_up(str(error))

    def close(self) -> None:
        """Finish the file; for when no tick will come any more."""
        self._wanted = None
        try:
            self._close()
        except RecordingError as error:
            self._give_up(str(error))

    def _close(self) -> None:
        writer, path, self._writer, self._path = self._writer, self._path, None, None
        if writer is not None:
            self._write_marks(writer)
            writer.close()
            self._tell(f"recorded {size(writer.bytes_written)} to {path}", bad=False)

    def _write_marks(self, writer: Writer) -> None:
        with self._lock:
            marks, self._marks = self._marks, []
        for mark in marks:
            writer.mark(mark)

    def _give_up(self, sentence: str) -> None:
        self._wanted, self._writer, self._path = None, None, None
        self._tell(sentence, bad=True)

    def _tell(self, sentence: str, *, bad: bool) -> None:
        with self._lock:
            self._news.append((sentence, bad))
