"""What is made only when somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """Asks ``make`` once, when it is first called; what that makes must not depend on when."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []

    def __call__(self) -> T:
        if not self._made:  # two threads may both make it: it is the same
            self._made.append(self._make())
        return self._made[0]
