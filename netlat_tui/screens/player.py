"""What a recording offers beside its ticks: to be paused, stepped and played faster; and what of it is damaged."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from netlat_tui.recording import Damage, Mark, Timeline


@runtime_checkable
class Player(Protocol):
    """A source whose time can be held and gone through. All are safe from any thread, but for ``rewound`` and
    ``behind``, which are of the tick that ``ticks`` gave last."""

    @property
    def timeline(self) -> Timeline | None:
        """Where everything is, once ``survey`` has found out."""
        ...

    @property
    def number(self) -> int:
        """The tick it is at, or going to; counted from 1."""
        ...

    @property
    def progress(self) -> float | None:
        """How much of the way to a place sought is done, 0…1; ``None`` when there."""
        ...

    @property
    def rewound(self) -> bool:
        """What was given before the last tick no longer counts."""
        ...

    @property
    def behind(self) -> bool:
        """More ticks come at once."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether a mark can be kept with the recording at all."""
        ...

    def pause(self) -> None: ...

    def play(self) -> None: ...

    def step(self) -> None:
        """While paused: one more tick."""
        ...

    def set_speed(self, speed: float) -> None:
        """Times as fast as it was recorded."""
        ...

    def survey(self) -> None:
        """Find out where everything is; may take long."""
        ...

    def seek(self, number: int) -> bool:
        """Go to a tick; false where that cannot be."""
        ...

    def move(self, ticks: int) -> bool:
        """Go so many ticks on or back; false where that cannot be."""
        ...

    def wait_for_seek(self) -> bool:
        """After the end: wait until a place is sought; false where the source was stopped."""
        ...

    def keep(self, mark: Mark) -> None:
        """Keep a mark with the recording. ``SourceError`` where that cannot be."""
        ...


def damage_words(source: object) -> str:
    """A sentence about what of a recording could not be read so far, "" where all is well."""
    damage: list[Damage] = list(getattr(source, "damage", ()))
    if not damage:
        return ""
    places = "a place" if len(damage) == 1 else f"{len(damage)} places"
    return f"the recording is damaged in {places}; what is whole is shown. At byte {damage[0].offset}: {damage[0].text}"
