"""What all conditions of the filter language have in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from netlat_tui.model.filter_program import Field
from netlat_tui.model.ticks import Rows

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Names:
    """What a predicate needs to know beside the rows: interface names by (netns inode, ifindex), drop reasons."""

    ifaces: Mapping[tuple[int, int], str] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Test:
    """A ``TEST`` instruction, as ``filter_program`` describes it."""

    __test__ = False  # not one of pytest's

    field: Field
    lo: int = 0
    hi: int = 0
    prefix: int = 0
    family: int = 0
    value: bytes = b""


class Side(Enum):
    """Which end of the flow a condition looks at; the value is how it is written."""

    EITHER = ""
    SRC = "src "
    DST = "dst "


class Term(ABC):
    """One condition."""

    __slots__ = ()

    @abstractmethod
    def text(self) -> str:
        """The condition in the language; parsing it gives the same condition."""

    @abstractmethod
    def matches(self, paths: Rows, names: Names) -> Mask:
        """Which PATH rows it selects."""

    def tests(self) -> tuple[Test, ...]:
        """One of these must hold for a packet; none where the kernel cannot decide the condition."""
        return ()

    def widened(self, tests: int) -> Term | None:
        """A condition of at most this many tests that selects what this one selects and more, if there is one."""
        return None


_BARE = re.compile(r"""[^\s()<>=!&|,"'\\]+""")


def quote(name: str) -> str:
    """A name as it must stand in a filter: in quotes where it holds something else than the characters of a word."""
    if _BARE.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
