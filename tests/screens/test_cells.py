"""Columns give way in the documented order: trend, max, rate, ..., the change; the name and p99 stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.screens.panes import cpus, irqs, layers, paths, scope, way
from netlat_tui.widgets.cells import KEEP, Cell, Column, Row, place

TABLES = {
    "layers": layers.COLUMNS,
    "cpus": cpus.COLUMNS,
    "irqs": irqs.COLUMNS,
    "paths": paths.COLUMNS,
    "where": scope.WHERE_COLUMNS,
    "way": way.COLUMNS,
}


def shown(columns: tuple[Column, ...], cells: int, rows: tuple[Row, ...] = ()) -> list[str]:
    return [placed.column.key for placed in place(columns, rows, cells)]


def full(columns: tuple[Column, ...]) -> tuple[Row, ...]:
    """A row that has something in every column, also in those that are there only then."""
    return (Row("row", tuple(Cell("x") for _ in columns)),)


@pytest.mark.parametrize("name", TABLES)
@given(cells=st.integers(1, 220), some=st.booleans())
def test_columns_fit_and_the_ones_to_keep_stay(name: str, cells: int, some: bool) -> None:
    columns = TABLES[name]
    placed = place(columns, full(columns) if some else (), cells)
    keys = [one.column.key for one in placed]
    assert [column.key for column in columns if column.drop == KEEP and column.key not in keys] == []
    least = sum(column.cells for column in columns if column.drop == KEEP)
    if cells >= least + len(columns):
        assert sum(one.cells + one.column.banded for one in placed) + len(placed) - 1 <= cells


def test_stages_give_way_in_order() -> None:
    rows, gone = full(layers.COLUMNS), list[str]()
    for cells in range(130, 10, -1):
        now = shown(layers.COLUMNS, cells, rows)
        gone += [column.key for column in layers.COLUMNS if column.key not in now and column.key not in gone]
    assert gone == ["trend", "max", "rate", "share", "p50", "change"]


def test_a_column_that_is_optional_is_there_with_what_is_in_it() -> None:
    assert "change" in shown(layers.COLUMNS, 120, full(layers.COLUMNS))
    heading = Row("h", (Cell("a heading"),), heading=True)
    for rows in ((), (heading,), (Row("row", tuple(Cell() for _ in layers.COLUMNS)), heading)):
        assert "change" not in shown(layers.COLUMNS, 120, rows)


@pytest.mark.parametrize("columns", TABLES.values(), ids=TABLES)
def test_every_column_explains_itself(columns: tuple[Column, ...]) -> None:
    assert all(column.help and column.title for column in columns)


def test_a_column_is_as_wide_as_its_widest_field_up_to_its_most() -> None:
    columns = (Column("name", "N", 4, 12, right=False), Column("rest", "R", 3))
    for texts, width in ((["a", "abcdef", "ab"], 6), (["a" * 30, "b"], 12), (["a"], 4), ([], 4), (["日本日本"], 8)):
        rows = [Row(text, (Cell(text), Cell())) for text in texts] + [Row("h", (Cell("a heading " * 9),), heading=True)]
        assert [placed.cells for placed in place(columns, rows, 40)] == [width, 3]
        assert place(columns, rows, 10)[0].cells == min(width, 6)


def test_a_row_knows_which_of_its_cells_are_trends() -> None:
    cells = (Cell("a"), Cell(trend=(1.0, None)), Cell(trend=()))
    assert Row("key", cells).trends == (1, 2)
    assert Row("key", cells, heading=True).trends == ()
    assert Row("key", (Cell(),)).trends == ()
