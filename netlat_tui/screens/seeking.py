"""Where to go in a recording, as somebody types it: a time, a step, a share, a tick's number, a mark."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from netlat_tui.model.text import printable
from netlat_tui.recording import Timeline
from netlat_tui.screens.panes.paths import clock

EXAMPLES = "12:03:07, +10s, -1m, 50%, tick 40, mark 2, a mark's note, start, end"

_UNITS = {"ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000}
_UNITS["min"] = _UNITS["m"]
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?")
_STEP = re.compile(r"([+-])\s*(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]*)")
_SHARE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*%")
_NUMBERED = re.compile(r"(tick|mark)?\s*(\d{1,9})")
_DAY = timedelta(days=1)


class SeekError(ValueError):
    """This is no place in the recording; the text says what is expected."""


def target(text: str, timeline: Timeline, now: int) -> int:
    """The number of the tick that is meant, ``now`` being the one it is at."""
    words = text.strip().lower()
    if not words:
        raise SeekError(f"where to? {EXAMPLES}")
    if words in ("start", "end"):
        return 1 if words == "start" else timeline.count
    if match := _STEP.fullmatch(words):
        return _stepped(match, timeline, now)
    if match := _SHARE.fullmatch(words):
        if float(match[1]) > 100:
            raise SeekError("a share is from 0% to 100%")
        return timeline.at_share(float(match[1]) / 100)
    if match := _TIME.fullmatch(words):
        return timeline.at_time(_time_of_day(match, timeline, now))
    if match := _NUMBERED.fullmatch(words):
        return _numbered(match[1] or "mark", int(match[2]), timeline)
    for mark in timeline.marks:
        if words in printable(mark.text).lower():
            return timeline.at_time(mark.time_ns)
    if words[0].isdigit() or words[0] in "+-":
        raise SeekError(f"expected one of {EXAMPLES}")
    raise SeekError("no mark has such a note" if timeline.marks else f"there are no marks; expected {EXAMPLES}")


def _stepped(match: re.Match[str], timeline: Timeline, now: int) -> int:
    unit = _UNITS.get(match[3])
    if unit is None:
        raise SeekError("expected a unit after the number: ms, s, m or h")
    ns = int(float(match[2]) * unit)
    at = timeline.times_ns[min(max(now, 1), timeline.count) - 1]
    return timeline.at_time(at + ns if match[1] == "+" else at - ns)


def _numbered(what: str, number: int, timeline: Timeline) -> int:
    if what == "tick":
        if not 1 <= number <= timeline.count:
            raise SeekError(f"ticks are numbered from 1 to {timeline.count}")
        return number
    if not timeline.marks:
        raise SeekError(f"there are no marks; expected {EXAMPLES}")
    if not 1 <= number <= len(timeline.marks):
        raise SeekError(f"marks are numbered from 1 to {len(timeline.marks)}")
    return timeline.at_time(timeline.marks[number - 1].time_ns)


def _time_of_day(match: re.Match[str], timeline: Timeline, now: int) -> int:
    """A local time of day as a UNIX time within the recording: of the day it is at, else of the first it is in."""
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise SeekError("a time of day is from 00:00:00 to 23:59:59")
    rest = int((match[4] or "").ljust(9, "0"))
    first, last = timeline.start_ns // 1_000_000_000, timeline.end_ns // 1_000_000_000 + 1
    at = datetime.fromtimestamp(timeline.times_ns[min(max(now, 1), timeline.count) - 1] // 1_000_000_000)
    day = datetime.fromtimestamp(first).replace(hour=0, minute=0, second=0)
    days = [at, *(day + _DAY * ahead for ahead in range(min(366, (last - first) // 86400 + 2)))]
    for candidate in days:
        seconds = int(candidate.replace(hour=hour, minute=minute, second=second).timestamp())
        if first <= seconds <= last:
            return seconds * 1_000_000_000 + rest
    between = f"{clock(timeline.start_ns, 0)[:8]} to {clock(timeline.end_ns, 0)[:8]}"
    raise SeekError(f"the recording is from {between}")
