"""Recordings: ticks in a file. The format is described in ``netlat_tui.recording.format``."""

from netlat_tui.recording.format import RecordingError
from netlat_tui.recording.marks import MOST_TEXT, Mark, keep_beside, read_beside
from netlat_tui.recording.reader import Damage, Reader, read_all
from netlat_tui.recording.timeline import Timeline, survey
from netlat_tui.recording.writer import Writer

__all__ = [
    "MOST_TEXT",
    "Damage",
    "Mark",
    "Reader",
    "RecordingError",
    "Timeline",
    "Writer",
    "keep_beside",
    "read_all",
    "read_beside",
    "survey",
]
