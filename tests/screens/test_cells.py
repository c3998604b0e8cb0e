"""Columns give way in the documented order: trend, max, rate; the name and p99 stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.screens.panes import cpus, irqs, layers, paths, scope, way
from netlat_tui.widgets.cells import KEEP, Column, place

TABLES = {
    "layers": layers.COLUMNS,
    "cpus": cpus.COLUMNS,
    "irqs": irqs.COLUMNS,
    "paths": paths.COLUMNS,
    "where": scope.WHERE_COLUMNS,
    "way": way.COLUMNS,
}


def shown(columns: tuple[Column, ...], cells: int) -> list[str]:
    return [placed.column.key for placed in place(columns, (), cells)]


@pytest.mark.parametrize("name", TABLES)
@given(cells=st.integers(1, 220))
def test_columns_fit_and_the_ones_to_keep_stay(name: str, cells: int) -> None:
    columns = TABLES[name]
    placed = place(columns, (), cells)
    keys = [one.column.key for one in placed]
    assert [column.key for column in columns if column.drop == KEEP and column.key not in keys] == []
    least = sum(column.cells for column in columns if column.drop == KEEP)
    if cells >= least + len(columns):
        assert sum(one.cells + one.column.banded for one in placed) + len(placed) - 1 <= cells


def test_stages_give_way_in_order() -> None:
    gone: list[str] = []
    for cells in range(120, 10, -1):
        now = shown(layers.COLUMNS, cells)
        gone += [column.key for column in layers.COLUMNS if column.key not in now and column.key not in gone]
    assert gone == ["trend", "max", "rate", "share", "p50"]


@pytest.mark.parametrize("columns", TABLES.values(), ids=TABLES)
def test_every_column_explains_itself(columns: tuple[Column, ...]) -> None:
    assert all(column.help and column.title for column in columns)
