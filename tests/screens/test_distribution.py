"""The drawing of a distribution."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.model import histogram
from netlat_tui.model.snapshot import Distribution
from netlat_tui.widgets.distribution import distribution, figures
from netlat_tui.widgets.glyphs import ASCII, UNICODE
from netlat_tui.widgets.lines import plain, width


def of(*values: int) -> Distribution:
    """The distribution of these durations in ns."""
    buckets = histogram.empty()
    for value in values:
        buckets[histogram.bucket_of(value)] += np.uint64(1)
    low, high = (min(values), max(values)) if values else (None, None)
    p50, p90, p99, p999 = histogram.quantiles(buckets, (0.5, 0.9, 0.99, 0.999), low, high)
    return Distribution(len(values), sum(values), low, high, p50, p90, p99, p999, buckets)


@given(
    st.lists(st.integers(0, 10**12), max_size=50),
    st.integers(1, 160),
    st.integers(1, 30),
    st.sampled_from([ASCII, UNICODE]),
)
def test_it_fits_its_place(values: list[int], cells: int, rows: int, glyphs: object) -> None:
    lines = distribution(of(*values), cells, rows, glyphs)  # type: ignore[arg-type]
    assert 1 <= len(lines) <= max(rows, 1)
    if values and cells >= 34:  # where the figures that stay have room
        assert all(width(line) <= cells for line in lines)


def test_nothing_counted_is_said() -> None:
    assert plain(distribution(of(), 60, 10, UNICODE)[0]) == "nothing counted in this window"


def test_a_single_slow_packet_among_a_million_is_seen() -> None:
    values = of(1_000, 5_000_000)
    values.buckets[histogram.bucket_of(1_000)] += np.uint64(1_000_000)
    lines = [plain(line) for line in distribution(values, 60, 10, UNICODE)]
    ground = lines[next(index for index, line in enumerate(lines) if "┬" in line) - 1]
    assert ground.startswith("█")
    assert ground.rstrip().endswith("▁")


def test_decades_and_percentiles_are_named() -> None:
    lines = [plain(line) for line in distribution(of(*([2_000] * 99), 40_000), 80, 12, UNICODE)]
    text = "\n".join(lines)
    assert "10µs" in text
    assert "^p50" in text
    assert text.index("^p50") < text.index("^p99.9")


def test_two_peaks_are_two_peaks() -> None:
    lines = distribution(of(*([1_000] * 50), *([1_000_000] * 50)), 60, 12, UNICODE)
    top = plain(lines[0])
    assert len(top.split()) == 2


def test_the_figures_keep_p50_and_p99_on_a_narrow_screen() -> None:
    words = plain(figures(of(1_000, 2_000), 34, UNICODE))
    assert "p50" in words
    assert "p99 " in words
    assert "mean" not in words
    assert "mean" in plain(figures(of(1_000, 2_000), 120, UNICODE))
