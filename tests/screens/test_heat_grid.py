"""The cells of a heatmap: every packet is in one of them, and what is drawn says so."""

from __future__ import annotations

import operator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.model.heat import Heat
from netlat_tui.model.histogram import EDGES, N_BUCKETS
from netlat_tui.widgets.glyphs import ASCII, UNICODE, Glyphs
from netlat_tui.widgets.heat_grid import Grid, grid, runs, scale_of
from netlat_tui.widgets.heat_lines import LABEL_CELLS, Frame, heat_lines, span_words
from netlat_tui.widgets.lines import Role, plain, width

SECOND = 1_000_000_000


def made(cells: dict[tuple[int, int], int], ticks: int, resting: tuple[int, ...] = (), window: int = 5) -> Heat:
    """Ticks of a second with these counts by tick and bucket."""
    counts = np.zeros((ticks, N_BUCKETS), dtype=np.uint64)
    for (tick, bucket), count in cells.items():
        counts[tick, bucket] = count
    until = (1 + np.arange(ticks, dtype=np.int64)) * SECOND
    measured = np.array([tick not in resting for tick in range(ticks)], dtype=np.bool_)
    return Heat(0, until - SECOND, until, measured, counts, min(window, ticks))


def drawn(found: Grid, frame: Frame, glyphs: Glyphs = UNICODE) -> list[str]:
    return [plain(line) for line in heat_lines(found, frame, glyphs, "12:00:00")]


CELLS = st.dictionaries(
    st.tuples(st.integers(0, 19), st.integers(0, N_BUCKETS - 1)), st.integers(1, 10_000), min_size=1, max_size=30
)


@settings(max_examples=150, deadline=None)
@given(CELLS, st.integers(1, 40), st.integers(1, 60))
def test_every_packet_on_screen_is_in_the_cell_of_its_time_and_duration(
    cells: dict[tuple[int, int], int], columns: int, rows: int
) -> None:
    heat = made(cells, 20)
    found = grid(heat, columns, rows)
    shown = found.columns
    seen = {key: count for key, count in cells.items() if key[0] >= shown.first[0]}
    if not seen:
        assert found.rows == 0
        return
    assert 1 <= found.rows <= rows
    assert len(shown) <= columns
    expected = np.zeros(found.counts.shape, dtype=np.uint64)
    for (tick, bucket), count in seen.items():
        row, column = found.row_of(bucket), shown.find(tick)
        assert found.low_ns(row) <= EDGES[bucket]
        high = found.high_ns(row)
        assert high is None or EDGES[bucket] < high
        expected[row, column] += np.uint64(count)
    assert np.array_equal(found.counts, expected)
    assert np.array_equal(found.densities > 0, expected > 0)


@settings(max_examples=100, deadline=None)
@given(CELLS, st.integers(1, 200), st.integers(1, 60), st.sampled_from([UNICODE, ASCII]), st.sets(st.integers(0, 19)))
def test_a_drawing_stays_within_its_size(
    cells: dict[tuple[int, int], int], across: int, down: int, glyphs: Glyphs, resting: set[int]
) -> None:
    frame = Frame(across, down)
    found = grid(made(cells, 20, tuple(resting)), max(1, frame.columns), max(1, frame.rows))
    if not found.rows:
        return
    lines = heat_lines(found, frame, glyphs, "12:00:00", cursor=(len(found.columns) - 1, 0))
    assert len(lines) <= max(down, 3)
    if frame.columns:
        assert max(width(line) for line in lines) <= across
    if glyphs.ascii_only:
        assert all(plain(line).isascii() for line in lines)
    assert sum(role is Role.CURSOR for line in lines for _, role in line) == 1


@pytest.mark.parametrize("most", [1, 7, 8, 30, 99, 1_000, 123_456, 10**9])
def test_the_scale_has_four_steps_of_one_ratio_and_uses_the_last_where_it_can(most: int) -> None:
    scale = scale_of(most)
    assert scale[0] == 1
    assert scale[2] == scale[1] ** 2
    assert scale[3] == scale[1] ** 3
    assert scale[3] <= max(most, 8)


def test_few_packets_are_seen_beside_many() -> None:
    found = grid(made({(0, 40): 1, (1, 40): 40, (2, 40): 1_200, (3, 40): 90_000}, 5), 20, 8)
    row = found.densities[found.row_of(40)].tolist()
    assert row == [1, 2, 3, 4, 0]


def test_a_rest_is_marked_and_a_tick_without_packets_is_blank() -> None:
    found = grid(made({(0, 40): 5, (3, 40): 5}, 4, resting=(1,)), 4, 6)
    frame = Frame(LABEL_CELLS + 4, 9)
    lines = drawn(found, frame)
    rows = [line[LABEL_CELLS:] for line in lines[2:-1]]
    assert [row[1] + row[2] for row in rows] == [f"{UNICODE.unmeasured} "] * found.rows
    assert sum(row[0] == row[3] == UNICODE.density[2] for row in rows) == 1
    assert "not measured" in drawn(found, Frame(100, 9))[0]
    assert "not measured" not in drawn(grid(made({(0, 40): 5}, 4), 4, 6), Frame(100, 9))[0]


def test_slow_rows_have_the_band_s_glyph_and_colour() -> None:
    slow, fast = (int(EDGES.searchsorted(ns)) for ns in (5_000_000, 2_000))
    found = grid(made({(0, slow): 3, (0, fast): 3}, 3), 10, 20)
    lines = heat_lines(found, Frame(60, 23), UNICODE, "")
    rows = {row: lines[2 + found.rows - 1 - row] for row in (found.row_of(slow), found.row_of(fast))}
    for row, role, glyph in ((found.row_of(slow), Role.HOT, "▲"), (found.row_of(fast), Role.TREND, " ")):
        assert plain(rows[row])[LABEL_CELLS - 1] == glyph
        assert [span_role for text, span_role in rows[row] if "█" in text or "░" in text or "▒" in text] == [role]


def test_totals_add_up() -> None:
    found = grid(made({(0, 40): 5, (2, 40): 7, (2, 90): 2}, 3), 40, 10)
    lines = drawn(found, Frame(60, 13))
    assert lines[1].split()[-1] == "14"
    assert sorted(int(line.split()[-1]) for line in lines[2:-1] if line.split()[-1] != "0") == [2, 12]


def test_the_columns_of_the_window_have_a_line_of_their_own() -> None:
    found = grid(made({(0, 40): 5}, 9, window=4), 9, 6)
    assert drawn(found, Frame(LABEL_CELLS + 9, 9))[-1].strip() == "─────════"


def test_ages_are_said_every_ten_columns() -> None:
    found = grid(made({(0, 40): 5}, 40, window=35), 40, 6)
    axis = drawn(found, Frame(LABEL_CELLS + 40, 9))[-1][LABEL_CELLS:]
    for age in ("-10s", "-20s", "-30s"):
        end = axis.index(age) + len(age) + 1  # a space behind it
        assert end == 40 - int(age[1:-1])


def test_what_stands_is_not_sent_again() -> None:
    """A tick more is a column more, at the same places, until there is no room: then an eighth goes at once."""
    frame = Frame(LABEL_CELLS + 40, 9)
    drawings = [
        "".join(drawn(grid(made({(at, 40): 5 + at % 3 for at in range(ticks)}, ticks, window=10), 40, 6), frame)[2:-1])
        for ticks in (39, 40, 41, 42)
    ]
    changed = [sum(map(operator.ne, one, other)) for one, other in pairwise(drawings)]
    assert changed[0] == changed[2] == 1
    assert changed[1] > 1


def test_where_nothing_was_counted_there_are_no_rows() -> None:
    assert grid(made({}, 5), 10, 10).rows == 0


@given(st.lists(st.booleans(), max_size=20))
def test_runs_are_the_flags_again(flags: list[bool]) -> None:
    found = runs(np.array(flags, dtype=np.bool_))
    assert [value for begin, end, value in found for _ in range(begin, end)] == flags
    assert all(a[2] != b[2] for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "100ms"), (0.5, "500ms"), (1, "1s"), (90, "90s"), (120, "2min"), (160, "2m40s"), (300, "5min")],
)
def test_spans_of_time(seconds: float, words: str) -> None:
    assert span_words(seconds) == words
