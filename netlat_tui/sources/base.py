"""What a source of ticks offers, whether it is the running kernel or a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from netlat_tui.model.filter import Filter
from netlat_tui.model.ticks import Origin, Tick


class SourceError(Exception):
    """A source cannot be had. The text is one sentence that says what to do; ``exit_code`` is DESIGN.md's."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Source(Protocol):
    """An iterator of ticks. ``ticks`` is called once, from the thread that drains it."""

    live: bool

    @property
    def origin(self) -> Origin: ...

    def ticks(self) -> Iterator[Tick]:
        """Yield ticks until the source ends or ``stop`` is called; blocks for at most one interval."""
        ...

    def set_filter(self, new: Filter) -> None:
        """Hand a filter down: takes effect within a tick; a replay ignores it. Safe from any thread."""
        ...

    def set_interval(self, seconds: float) -> None:
        """Change the time between ticks (replay: the speed). Safe from any thread."""
        ...

    def stop(self) -> None:
        """Make ``ticks`` end soon; safe from any thread and from a signal handler."""
        ...

    def close(self) -> None:
        """Give everything back: hooks detached, files closed. Idempotent."""
        ...
