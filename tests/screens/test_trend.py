"""Trends share a scale, start at zero and never hide what was counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.widgets.glyphs import ASCII, UNICODE
from netlat_tui.widgets.lines import Role, plain, width
from netlat_tui.widgets.trend import bar, scale_of, trend

VALUES = st.lists(st.one_of(st.none(), st.integers(0, 10**12)), max_size=80)


@given(st.lists(VALUES, max_size=5), st.integers(1, 40))
def test_a_shared_scale_is_never_exceeded_and_rises_with_the_value(rows: list[list[int | None]], cells: int) -> None:
    top = scale_of(rows, cells)
    for row in rows:
        shown = plain(trend(row, top, cells, UNICODE))
        assert len(shown) == cells
        seen = [
            (value, glyph)
            for value, glyph in zip(row[-cells:], shown[-len(row[-cells:]) :] if row else "", strict=True)
        ]
        for value, glyph in seen:
            assert (value is None or top == 0) == (glyph == " ")
        for value, glyph in seen:
            for other, other_glyph in seen:
                if value is not None and other is not None and value <= other:
                    assert glyph <= other_glyph


def test_zero_is_the_base_so_a_small_change_of_a_large_value_looks_small() -> None:
    assert plain(trend([1000, 1010], 1010, 2, UNICODE)) == "██"
    assert plain(trend([10, 1010], 1010, 2, UNICODE)) == "▁█"


def test_rows_of_one_scale_can_be_compared() -> None:
    rows = [[100, 200], [1000, 2000]]
    top = scale_of(rows, 10)
    assert plain(trend(rows[0], top, 2, UNICODE)) == "▁▁"
    assert plain(trend(rows[1], top, 2, UNICODE)) == "▄█"


def test_only_what_is_visible_sets_the_scale() -> None:
    assert scale_of([[9000, 10, 20]], 2) == 20


def test_the_newest_value_is_at_the_right_edge() -> None:
    assert plain(trend([5], 5, 4, UNICODE)) == "   █"


def test_slow_ticks_have_the_colour_of_their_band() -> None:
    line = trend([50_000, 500_000, 5_000_000], 5_000_000, 3, UNICODE)
    assert [role for _, role in line] == [Role.DIM, Role.WARM, Role.HOT]


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 100), st.sampled_from([ASCII, UNICODE]))
def test_a_bar_is_always_to_be_seen_and_stays_inside(a: float, b: float, cells: int, glyphs: object) -> None:
    line = bar(min(a, b), max(a, b), cells, glyphs, Role.HOT)  # type: ignore[arg-type]
    assert width(line) == cells
    assert any(role is Role.HOT for _, role in line)
