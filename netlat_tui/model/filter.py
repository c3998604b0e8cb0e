"""The filter language: parsing, what goes down to the kernel, what selects paths.

``filter.lark`` is the grammar; the ``filter_*`` modules are its workings, and only this one is for other rooms.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from netlat_tui.model.filter_base import Names, quote
from netlat_tui.model.filter_compile import program, split
from netlat_tui.model.filter_errors import FilterError
from netlat_tui.model.filter_names import Ifaces
from netlat_tui.model.filter_nodes import Node, selected, terms, written
from netlat_tui.model.filter_options import combine, from_options
from netlat_tui.model.filter_parser import parsed
from netlat_tui.model.filter_program import empty_program
from netlat_tui.model.filter_terms import Numbers, Range
from netlat_tui.model.ticks import Rows

__all__ = [
    "EVERYTHING",
    "Filter",
    "FilterError",
    "Names",
    "combine",
    "from_options",
    "interfaces",
    "namespaces",
    "parse",
    "quote",
]


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter.

    ``program`` (dtype ``INSTRUCTION``) is the part the kernel decides, never narrower than the filter;
    ``kernel_text`` says it in the language. ``user_text`` is what only selects paths; "" where there is nothing left.
    ``text`` is as the user wrote it. Filters compare by their texts.
    """

    text: str
    program: Rows = field(compare=False, repr=False)
    kernel_text: str
    user_text: str
    node: Node | None = field(default=None, compare=False, repr=False)

    def matches(self, paths: Rows, names: Names) -> npt.NDArray[np.bool_]:
        """Which PATH rows the whole filter selects."""
        if self.node is None:
            return np.ones(len(paths), dtype=np.bool_)
        return selected(self.node, paths, names)

    def __str__(self) -> str:
        return self.text


EVERYTHING = Filter("", empty_program(), "", "")


def parse(text: str) -> Filter:
    """Parse a filter; ``FilterError`` where it has a mistake. Blank text is ``EVERYTHING``."""
    if not text.strip():
        return EVERYTHING
    node = parsed(text).node
    parts = split(node)
    return Filter(text, program(parts.kernel), written(parts.kernel), written(parts.user), node)


def interfaces(chosen: Filter) -> tuple[str, ...]:
    """The interface names a filter mentions, each once, in the order written: hostile text, as typed."""
    mentioned = (name for term in terms(chosen.node) if isinstance(term, Ifaces) for name in term.names)
    return tuple(dict.fromkeys(mentioned))


def namespaces(chosen: Filter) -> tuple[Range, ...]:
    """The network namespaces a filter mentions: ranges of inode numbers, both ends included."""
    return _ranges(chosen, "netns")


def cpus(chosen: Filter) -> tuple[Range, ...]:
    """The softirq CPUs a filter mentions: ranges of their numbers, both ends included."""
    return _ranges(chosen, "cpu")


def _ranges(chosen: Filter, word: str) -> tuple[Range, ...]:
    return tuple(
        pair for term in terms(chosen.node) if isinstance(term, Numbers) and term.word == word for pair in term.ranges
    )
