"""What a recording offers beside its ticks: to be paused, stepped and played faster; and what of it is damaged."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from netlat_tui.recording import Damage


@runtime_checkable
class Player(Protocol):
    """A source whose time can be held. All are safe from any thread."""

    def pause(self) -> None: ...

    def play(self) -> None: ...

    def step(self) -> None:
        """While paused: one more tick."""
        ...

    def set_speed(self, speed: float) -> None:
        """Times as fast as it was recorded."""
        ...


def damage_words(source: object) -> str:
    """A sentence about what of a recording could not be read so far, "" where all is well."""
    damage: list[Damage] = list(getattr(source, "damage", ()))
    if not damage:
        return ""
    places = "a place" if len(damage) == 1 else f"{len(damage)} places"
    return f"the recording is damaged in {places}; what is whole is shown. At byte {damage[0].offset}: {damage[0].text}"
