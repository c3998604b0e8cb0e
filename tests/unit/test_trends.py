"""Series of a value per tick: what was looked at stays as it was, however the ticks go on."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.model.trends import Series

TICKS = st.lists(st.dictionaries(st.integers(0, 6), st.integers(0, 99), max_size=4), max_size=30)


@settings(max_examples=60, deadline=None)
@given(TICKS, st.integers(1, 5))
def test_a_series_holds_the_last_values_of_each_row(ticks: list[dict[int, int]], length: int) -> None:
    series = Series(length, -1, np.int64)
    seen, views = 0, []
    for number, tick in enumerate(ticks):
        seen = max([seen, *(row + 1 for row in tick)])
        series.add(np.array(list(tick), dtype=np.intp), np.array(list(tick.values())), seen)
        views.append((number, series.view()))
    for number, view in views:  # all of them, after everything has come
        window = ticks[max(0, number + 1 - length) : number + 1]
        for row in range(8):
            assert view.of(row) == [tick.get(row, -1) for tick in window]
        assert view.of(None) == [-1] * len(window)
