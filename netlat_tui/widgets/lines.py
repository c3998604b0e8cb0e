"""Lines of styled text before they meet a terminal: spans with a role each, kept run-length."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from netlat_tui.widgets.bands import Band


class Role(Enum):
    """What a span of text is; the style sheet says what it looks like (component class ``line--<value>``)."""

    PLAIN = "plain"
    DIM = "dim"
    HEAD = "head"
    SORTED = "sorted"
    STRONG = "strong"
    GROUP = "group"
    ACCENT = "accent"
    TREND = "trend"
    WARM = "warm"
    HOT = "hot"
    MODE = "mode"
    HALTED = "halted"
    RECORDING = "recording"
    CURSOR = "cursor"


Span = tuple[str, Role]
Line = tuple[Span, ...]

BAND_ROLE = {Band.CALM: Role.PLAIN, Band.WARM: Role.WARM, Band.HOT: Role.HOT}


_NARROW = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u2013\u2014\u2022\u2026\u203a\u2190-\u2193\u2265\u2500-\u259f\u25b2]*"
)
"""Texts of which each character takes one cell: nearly all there are."""


@lru_cache(maxsize=1 << 13)
def cells_of(text: str) -> int:
    """How many cells a text takes. Rich knows that of all texts, but goes through every new one for it."""
    return len(text) if _NARROW.fullmatch(text) else cell_len(text)


def join(spans: Iterable[Span]) -> Line:
    """The spans with neighbours of one role merged and empty ones left out."""
    merged: list[Span] = []
    for text, role in spans:
        if not text:
            continue
        if merged and merged[-1][1] is role:
            merged[-1] = (merged[-1][0] + text, role)
        else:
            merged.append((text, role))
    return tuple(merged)


def width(line: Iterable[Span]) -> int:
    return sum(cells_of(text) for text, _ in line)


def plain(line: Iterable[Span]) -> str:
    return "".join(text for text, _ in line)


def fit(text: str, cells: int, ellipsis: str, right: bool = False) -> str:
    """The text in exactly this many cells: padded, or cut with an ellipsis."""
    length = cells_of(text)
    if length > cells:
        return set_cell_size(text, cells - 1) + ellipsis if cells > 0 else ""
    return " " * (cells - length) + text if right else text + " " * (cells - length)


def paragraph(name: Span, text: str, cells: int, indent: int, role: Role = Role.PLAIN) -> list[Line]:
    """A name, and a text broken between words to its right, all of it ``indent`` columns in."""
    lines: list[list[Span]] = [[(fit(name[0], indent, ""), name[1])]]
    for word in text.split():
        used = width(lines[-1])
        if used > indent and used + cells_of(word) >= cells:  # a space follows
            lines.append([(" " * indent, Role.PLAIN)])
        lines[-1].append((f"{word} ", role))
    return [join(line) for line in lines]


def wrap(groups: Iterable[Iterable[Span]], cells: int) -> list[Line]:
    """Groups of spans one after the other, each whole on a line where it fits."""
    lines: list[list[Span]] = [[]]
    for group in groups:
        spans = list(group)
        if lines[-1] and width((*lines[-1], *spans)) > cells:
            lines.append([])
        lines[-1] += spans
    return [join(line) for line in lines]


_APART = 12
"""Cells that are equal between two changes: fewer are sent again, for moving the cursor is as long."""


def filler(line: Line) -> Role:
    """What a line goes on with to the edge: a cursor covers all of it."""
    return Role.CURSOR if len(line) == 1 and line[0][1] is Role.CURSOR else Role.PLAIN


def changes(old: Line, new: Line, cells: int) -> list[tuple[int, int]]:
    """Where on screen ``new`` differs from ``old``, from the first cell to before the last; all of it where some
    characters take more than a cell, or none."""
    texts = [text for line in (old, new) for text, _ in line]
    if not all(_NARROW.fullmatch(text) for text in texts):
        return [(0, cells)]
    before, after = (
        [*((char, role) for text, role in line for char in text), *[(" ", filler(line))] * (cells - width(line))]
        for line in (old, new)
    )
    found: list[tuple[int, int]] = []
    for at, (one, other) in enumerate(zip(before, after, strict=True)):
        if one != other:
            if found and at - found[-1][1] < _APART:
                found[-1] = found[-1][0], at + 1
            else:
                found.append((at, at + 1))
    return found


def clip(line: Iterable[Span], cells: int, ellipsis: str) -> Line:
    """The line cut to at most this many cells."""
    kept: list[Span] = []
    left = cells
    line = tuple(line)
    if width(line) <= cells:
        return join(line)
    for text, role in line:
        length = cells_of(text)
        if length >= left:
            kept.append((fit(text + " ", left, ellipsis), role))
            break
        kept.append((text, role))
        left -= length
    return join(kept)
