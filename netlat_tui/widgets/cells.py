"""What a table shows: columns, rows and cells, and how columns share a width."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from netlat_tui.widgets.bands import Band
from netlat_tui.widgets.lines import Role, cells_of
from netlat_tui.widgets.trend import Values

KEEP = 0
"""Drop rank of the columns that stay whatever the width."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a time line: from and to as shares (0…1) of the whole."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One field. ``sort`` is what the column sorts by (``None``: last); a trend or a bar is drawn instead of text."""

    text: str = ""
    short: str = field(default="", kw_only=True)  # instead of a text that does not fit
    role: Role = Role.PLAIN
    band: Band = Band.CALM
    sort: float | str | None = None
    trend: Values | None = None
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``least`` and ``most`` are widths in cells; ``drop`` is the order of giving way, 1 first.
    ``gap`` cells set it off from the column before.

    A ``banded`` column keeps a cell for the band's glyph; an ``optional`` one is there only while a row has something
    in it. Trends are of durations, or of ``counts``, which have no bands. ``help`` is one sentence for the help screen.
    """

    key: str
    title: str
    least: int
    most: int = 0
    right: bool = True
    drop: int = KEEP
    banded: bool = False
    gap: int = 1
    counts: bool = False
    optional: bool = False
    help: str = ""

    @property
    def cells(self) -> int:
        return self.least + (1 if self.banded else 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. ``key`` names what it shows over refreshes; ``item`` is that thing itself.

    A ``heading`` names a group, cannot be selected, and goes when the table is sorted. A ``note`` stands in
    place of all fields but the first.
    """

    key: Hashable
    cells: tuple[Cell, ...]
    item: object = field(default=None, compare=False)
    heading: bool = False
    note: str = ""
    trends: tuple[int, ...] = field(init=False, compare=False)  # the cells that have one: many rows have none

    def __post_init__(self) -> None:
        found = () if self.heading else tuple(at for at, cell in enumerate(self.cells) if cell.trend is not None)
        object.__setattr__(self, "trends", found)


@dataclass(frozen=True, slots=True)
class Placed:
    """A column with the place it got: its index among all columns and its width in cells, without the glyph's."""

    index: int
    column: Column
    cells: int


def place(
    columns: Sequence[Column], rows: Sequence[Row], cells: int, order: Sequence[int] | None = None
) -> tuple[Placed, ...]:
    """The columns that fit, in this order if one is given, with their widths.

    Columns give way in the order of their ``drop`` until the rest fits at its least width; what is left over goes to
    the flexible ones, from the left, up to what they need (bars: all they may have).
    """
    chosen = range(len(columns)) if order is None else order
    kept = [index for index in chosen if not columns[index].optional or used(rows, index)]
    for index in sorted((i for i in kept if columns[i].drop), key=lambda i: columns[i].drop):
        if _least(columns, kept) <= cells:
            break
        kept.remove(index)
    spare = cells - _least(columns, kept)
    widths = {index: columns[index].least for index in kept}
    for index in kept:
        if spare > 0 and columns[index].most > columns[index].least:
            most = min(columns[index].most, columns[index].least + spare)
            extra = max(0, _wanted(rows, index, columns[index], most) - columns[index].least)
            widths[index] += extra
            spare -= extra
    if spare < 0 and kept:  # narrower than the columns that must stay: the first one gives
        widths[kept[0]] = max(1, widths[kept[0]] + spare)
    return tuple(Placed(index, columns[index], widths[index]) for index in kept)


def used(rows: Sequence[Row], index: int) -> bool:
    """Whether a row has something in this column."""
    return any(index < len(row.cells) and row.cells[index].text for row in rows)


def _least(columns: Sequence[Column], kept: Sequence[int]) -> int:
    return sum(columns[index].cells for index in kept) + sum(columns[index].gap for index in kept[1:])


def _wanted(rows: Sequence[Row], index: int, column: Column, most: int) -> int:
    """The width that a column's fields need, up to ``most``: what is not needed of many rows is not looked at."""
    wanted = 0
    for row in rows:
        if row.heading or index >= len(row.cells):
            continue
        cell = row.cells[index]
        if cell.trend is not None:
            needed = len(cell.trend)
        else:
            needed = column.most if cell.bar is not None else cells_of(cell.text)
        if needed >= most:
            return most
        wanted = max(wanted, needed)
    return wanted
