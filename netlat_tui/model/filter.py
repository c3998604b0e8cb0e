"""The filter language: parsing, what goes down to the kernel, what selects paths. (Stub of the agreed interface.)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from netlat_tui.model.filter_program import empty_program
from netlat_tui.model.ticks import Rows


class FilterError(ValueError):
    """A mistake in a filter. ``column`` counts from 0; ``expected`` lists what could stand there."""

    def __init__(self, message: str, column: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Names:
    """What a predicate needs to know beside the rows: interface names by (netns inode, ifindex), drop reasons."""

    ifaces: Mapping[tuple[int, int], str] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter.

    ``program`` (dtype ``INSTRUCTION``) is the part the kernel decides, never narrower than the filter;
    ``kernel_text`` says it in the language. ``user_text`` is what only selects paths; "" where there is nothing left.
    """

    text: str
    program: Rows
    kernel_text: str
    user_text: str

    def matches(self, paths: Rows, names: Names) -> npt.NDArray[np.bool_]:
        """Which PATH rows the whole filter selects."""
        return np.ones(len(paths), dtype=np.bool_)


EVERYTHING = Filter("", empty_program(), "", "")


def parse(text: str) -> Filter:
    """Parse a filter; ``FilterError`` where it has a mistake. Blank text is ``EVERYTHING``."""
    return EVERYTHING
