"""Text for people."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.model.text import duration, percent, printable, quantity, size


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "-"), (0, "0ns"), (999, "999ns"), (1000, "1.00µs"), (9_994, "9.99µs"), (9_996, "10.0µs"),
        (99_960, "100µs"), (999_499, "999µs"), (999_500, "1.00ms"), (20_000_000, "20.0ms"), (1_500_000_000, "1.50s"),
        (90_000_000_000, "90.0s"),
    ],
)  # fmt: skip
def test_durations(ns: int | None, text: str) -> None:
    assert duration(ns) == text


@given(st.integers(0, 10**12))
def test_a_duration_takes_few_columns_and_can_be_ascii(ns: int) -> None:
    assert len(duration(ns)) <= 7
    assert duration(ns, ascii_only=True).isascii()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (7.5, "7.5"),
        (412, "412"),
        (999.6, "1.00k"),
        (1200, "1.20k"),
        (41_000, "41.0k"),
        (3_100_000, "3.10M"),
    ],
)
def test_quantities(value: float, text: str) -> None:
    assert quantity(value) == text


@given(st.floats(0, 1e11))
def test_a_quantity_takes_five_columns(value: float) -> None:
    assert len(quantity(value)) <= 5


@pytest.mark.parametrize(("count", "text"), [(0, "0B"), (512, "512B"), (1024, "1.0K"), (200 << 20, "200M")])
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "-"), (0, "0.0%"), (0.0012, "0.12%"), (0.5, "50.0%"), (0.99999, "100%"), (1, "100%")]
)
def test_shares(share: float | None, text: str) -> None:
    assert percent(share) == text


@given(st.text() | st.binary())
def test_nothing_printable_steers_a_terminal(text: str | bytes) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in shown)
    shown.encode("utf-8")


def test_a_name_ends_at_its_zero_byte() -> None:
    assert printable(b"nginx\0garbage") == "nginx"
    assert printable("käse") == "käse"
    assert printable(b"\xff\xfe") == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (7.4, "~7"), (412, "~412"), (1234, "~1.2k"), (41_234, "~41k"), (999_600, "~1.0M")]
)
def test_estimates_say_so_with_fewer_digits(value: float, text: str) -> None:
    assert quantity(value, estimated=True) == text


@given(st.floats(0, 9.9e11))
def test_an_estimate_takes_no_more_columns_than_a_count(value: float) -> None:
    assert len(quantity(value, estimated=True)) <= 5
