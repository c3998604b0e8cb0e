"""Text cut, padded, wrapped and made printable for a terminal."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from netlat_tui.widgets.glyphs import ASCII, UNICODE
from netlat_tui.widgets.lines import _NARROW, Role, cells_of, clip, fit, join, plain, width, wrap

WORDS = st.text(alphabet="abc→µ日本 ", max_size=30)
SPANS = st.lists(st.tuples(WORDS, st.sampled_from([Role.PLAIN, Role.HOT])), max_size=6)


@given(WORDS, st.integers(1, 40), st.booleans())
def test_fit_takes_exactly_its_cells(text: str, cells: int, right: bool) -> None:
    assert cell_len(fit(text, cells, "…", right)) == cells


@given(st.one_of(WORDS, st.text(max_size=20)))
def test_widths_are_rich_s(text: str) -> None:
    assert cells_of(text) == cell_len(text)


def test_what_is_taken_for_narrow_is() -> None:
    narrow = [chr(code) for code in range(0x11_0000) if _NARROW.fullmatch(chr(code))]
    assert set(" ~µ→•▌█─…×") <= set(narrow)
    assert [char for char in narrow if cell_len(char) != 1] == []


def test_fit_says_that_it_cut() -> None:
    assert fit("transport", 5, "…") == "tran…"
    assert fit("ip", 5, "…", right=True) == "   ip"


@given(SPANS, st.integers(1, 60))
def test_clip_never_exceeds_its_cells_and_keeps_what_fits(spans: list[tuple[str, Role]], cells: int) -> None:
    clipped = clip(spans, cells, "…")
    assert width(clipped) <= cells
    if width(spans) <= cells:
        assert plain(clipped) == plain(spans)


@given(SPANS)
def test_join_keeps_the_text_and_never_repeats_a_role(spans: list[tuple[str, Role]]) -> None:
    joined = join(spans)
    assert plain(joined) == plain(spans)
    assert all(before[1] is not after[1] for before, after in pairwise(joined))


def test_wrap_keeps_groups_whole() -> None:
    lines = wrap([[("one ", Role.DIM), ("1  ", Role.PLAIN)], [("two ", Role.DIM), ("2", Role.PLAIN)]], 9)
    assert [plain(line) for line in lines] == ["one 1  ", "two 2"]


def test_hostile_names_cannot_steer_the_terminal() -> None:
    assert UNICODE.text("\x1b]0;x\x07") == "?]0;x?"
    assert UNICODE.text("[ksoftirqd/0]") == "[ksoftirqd/0]"
    assert UNICODE.text("a\u202eb") == "a?b"


@given(st.text(max_size=40))
def test_ascii_terminals_get_ascii(text: str) -> None:
    shown = ASCII.text(text)
    assert shown.isascii()
    assert shown.isprintable()


def test_ascii_keeps_the_meaning_of_our_own_words() -> None:
    assert ASCII.text("raise→softirq 2.17µs") == "raise->softirq 2.17us"
    assert ASCII.duration(2170) == "2.17us"
