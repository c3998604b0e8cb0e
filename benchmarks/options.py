"""How long and how often is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    rounds: int = 5
    seconds: float = 2.0  # of each measurement

    @property
    def words(self) -> str:
        return f"{self.rounds} rounds of {self.seconds:g} s"
