"""Where everything is in a recording: its ticks by number and time, and its marks. What seeking goes by."""

from __future__ import annotations

import bisect
import io
import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import msgspec

from netlat_tui.model.ticks import Origin
from netlat_tui.recording.format import HEAD_SIZE, FrameError, FrameType, Head, decode, parse_head
from netlat_tui.recording.marks import MOST_MARKS, Mark, parse_mark, read_beside
from netlat_tui.recording.reader import Reader


@dataclass(frozen=True, slots=True)
class Timeline:
    """Ticks are numbered from 1. ``offsets`` and ``times_ns`` rise; ``times_ns`` is when each tick ended."""

    offsets: tuple[int, ...]
    times_ns: tuple[int, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def count(self) -> int:
        return len(self.offsets)

    @property
    def start_ns(self) -> int:
        return self.times_ns[0]

    @property
    def end_ns(self) -> int:
        return self.times_ns[-1]

    def at_time(self, time_ns: int) -> int:
        """The number of the tick that had ended by then; the first or the last where that lies outside."""
        return min(max(bisect.bisect_right(self.times_ns, time_ns), 1), self.count)

    def at_share(self, share: float) -> int:
        """The number of the tick at this share (0…1) of the whole length."""
        return self.at_time(self.start_ns + int((self.end_ns - self.start_ns) * min(max(share, 0.0), 1.0)))

    def at_offset(self, offset: int) -> int:
        """The number of the tick at this place of the file, or of the one before; 0 before all of them."""
        return bisect.bisect_right(self.offsets, offset)

    def share(self, time_ns: int) -> float:
        """How far into the whole length a time is, 0…1."""
        length = self.end_ns - self.start_ns
        return min(max((time_ns - self.start_ns) / length, 0.0), 1.0) if length else 1.0


def timeline_of(places: Iterable[tuple[int, int]], marks: Iterable[Mark] = ()) -> Timeline:
    """Of (offset, time) in the order of the file. A clock that was set back does not make time go back here."""
    pairs = list(places)
    times = accumulate((time_ns for _, time_ns in pairs), max)
    in_order = sorted(marks, key=lambda mark: mark.time_ns)[:MOST_MARKS]
    return Timeline(tuple(offset for offset, _ in pairs), tuple(times), tuple(in_order))


def survey(path: Path, origin: Origin) -> Timeline:
    """By the file's own index where it is there and fits the frames, else by reading everything."""
    found = _indexed(path)
    if found is None:
        found = _read(path)
    return timeline_of(found[0], [*found[1], *read_beside(path, origin)])


_Found = tuple[list[tuple[int, int]], list[Mark]]


def _read(path: Path) -> _Found:
    with closing(Reader(path)) as reader:
        places = [(reader.at, tick.time_ns) for tick in reader]
        return places, reader.marks


def _indexed(path: Path) -> _Found | None:
    """``None`` where the index is missing, damaged, or of other frames than there are."""
    offsets: list[int] = []
    marks: list[Mark] = []
    index: tuple[int, Head] | None = None
    try:
        with path.open("rb", buffering=0) as file:
            at, size = 0, os.fstat(file.fileno()).st_size
            while at < size:
                head = parse_head(_bytes(file, at, HEAD_SIZE))
                if head.kind == FrameType.TICK:
                    offsets.append(at)
                elif head.kind == FrameType.INDEX:
                    index = at, head
                elif head.kind == FrameType.MARK and len(marks) < MOST_MARKS:
                    mark = parse_mark(decode(head, _bytes(file, at + HEAD_SIZE, head.length)))
                    marks += [mark] if mark is not None else []
                at += HEAD_SIZE + head.length
            if index is None or at != size:
                return None
            content = decode(index[1], _bytes(file, index[0] + HEAD_SIZE, index[1].length))
        places = msgspec.convert(content.get("ticks"), list[tuple[int, int]])
    except (OSError, FrameError, msgspec.ValidationError):
        return None
    whole = [offset for offset, _ in places] == offsets and all(0 <= time_ns < 1 << 63 for _, time_ns in places)
    return (places, marks) if whole else None


def _bytes(file: io.FileIO, at: int, length: int) -> bytes:
    data = os.pread(file.fileno(), length, at)
    if len(data) < length:
        raise FrameError("a frame is cut short")
    return data
