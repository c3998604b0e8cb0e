"""What a finding is: a sentence, the figures it rests on, what to look at next, and which rows show it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum, IntEnum

from netlat_tui.model.paths import Path
from netlat_tui.model.text import duration, percent, quantity


class Severity(IntEnum):
    """As the bands of latencies: something to know, something to look at, something that hurts."""

    NOTE = 0
    WARM = 1
    HOT = 2


class Unit(Enum):
    NS = "ns"
    COUNT = "count"
    PER_SECOND = "per second"
    SHARE = "share"  # 0…1
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that a finding rests on. ``value`` is ``None`` where it was not measured."""

    name: str
    value: float | str | None
    unit: Unit = Unit.COUNT
    estimated: bool = False

    def words(self, ascii_only: bool = False) -> str:
        """The value for people."""
        if self.value is None:
            return "-"
        if isinstance(self.value, str):
            return self.value
        if self.unit is Unit.NS:
            return duration(self.value, ascii_only)
        if self.unit is Unit.SHARE:
            return percent(self.value)
        return quantity(self.value, self.estimated)


class View(Enum):
    """What kind of thing shows a finding; ``Finding.at`` says which."""

    STAGE = "stage"  # its id
    CPU = "cpu"  # its number
    IRQ = "irq"  # its number
    DROP = "drop"  # DropRow.key
    PATH = "path"  # its id
    PANE = "pane"  # its key


@dataclass(frozen=True, slots=True)
class Finding:
    """``kind`` names the rule, ``subject`` what it is about. ``cost_ns`` is the time that packets of the window lost
    by it, as far as it was counted: 0 where it cannot be told, not where there was none."""

    kind: str
    severity: Severity
    subject: str
    sentence: str
    figures: tuple[Figure, ...]
    view: View
    at: Hashable
    look: tuple[str, ...] = ()
    cost_ns: int = 0
    path: Path | None = None  # where one shows it

    @property
    def key(self) -> tuple[str, str, Hashable]:
        """The same in every snapshot."""
        return self.kind, self.subject, self.at
