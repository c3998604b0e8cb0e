"""Recordings: ticks in a file. The format is described in ``netlat_tui.recording.format``."""

from netlat_tui.recording.format import RecordingError
from netlat_tui.recording.reader import Damage, Mark, Reader, read_all
from netlat_tui.recording.writer import Writer

__all__ = ["Damage", "Mark", "Reader", "RecordingError", "Writer", "read_all"]
