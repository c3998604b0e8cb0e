"""What the screens share: the newest snapshot, what is selected, and which mode it is shown in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netlat_tui.model.baseline import Baseline
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.recording import Mark, Timeline
from netlat_tui.screens.feed import Selection
from netlat_tui.screens.player import Player
from netlat_tui.widgets.cells import Column

WINDOWS: tuple[tuple[int | None, str], ...] = (
    (0, "last tick"),
    (10_000_000_000, "10 s"),
    (60_000_000_000, "1 min"),
    (300_000_000_000, "5 min"),
    (None, "all"),
)
MESSAGE_SECONDS = 6.0

INTERVALS: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between ticks that can be chosen, live."""

SPEEDS: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
"""Times as fast as it was that a recording can be played."""


@dataclass
class State:
    """Changed by the application only; screens read it."""

    live: bool
    interval: float = 1.0
    speed: float = 1.0  # of a replay
    recorded_filter: str = ""  # what a recording was filtered by when it was made
    banner: str = ""
    selection: Selection = field(default_factory=Selection)
    snapshot: Snapshot | None = None
    frozen: bool = False
    ended: bool = False
    error: str = ""
    message: str = ""  # a sentence for a moment
    message_warns: bool = False
    recording: str = ""  # the file being written
    cpus: int = 1  # CPUs traced
    baseline: Baseline | None = None
    orders: Mapping[tuple[Column, ...], tuple[int, ...]] = field(default_factory=dict)  # of tables' columns, if chosen
    timeline: Timeline | None = None  # of a replay that can be gone through
    surveying: bool = False  # the timeline is being made
    player: Player | None = None  # what plays the replay
    marks: list[Mark] = field(default_factory=list)  # in the order of time

    @property
    def mode(self) -> str:
        if self.ended and not self.live:
            return "ENDED"
        if self.frozen:
            return "FROZEN" if self.live else "PAUSED"
        if self.ended:
            return "ENDED"
        return "LIVE" if self.live else "REPLAY"

    def marked(self, mark: Mark) -> None:
        if mark not in self.marks:
            self.marks = sorted([*self.marks, mark], key=lambda one: one.time_ns)

    @property
    def not_compared(self) -> str:
        """A sentence for a baseline that is not of the packets shown; "" where there is none."""
        if self.snapshot is None or self.snapshot.against is None or not self.snapshot.against.unlike:
            return ""
        return f"not compared with the baseline (b drops it): {self.snapshot.against.unlike}"

    @property
    def window(self) -> str:
        return dict(WINDOWS)[self.selection.window_ns]
