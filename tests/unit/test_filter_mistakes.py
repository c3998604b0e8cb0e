"""A mistake in a filter is told with its place and what was expected there, whatever was typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlat_tui.model.filter import Filter, FilterError, parse

MISTAKES = [
    ("port htp", 5, 'column 6: expected a port number, found "htp"'),
    ("port", 4, "column 5: expected a port number, found the end of the filter"),
    ("port ", 5, "column 6: expected a port number, found the end of the filter"),
    ("port 80,", 8, "column 9: expected a port number, found the end of the filter"),
    ("port 65536", 5, 'column 6: expected a port number from 0 to 65535, found "65536"'),
    ("port 1-65536", 7, 'column 8: expected a port number from 0 to 65535, found "65536"'),
    ("port 8100-8000", 5, 'column 6: expected a range that rises, such as 8000-8100, found "8100-8000"'),
    ("port 8000-", 5, 'column 6: expected a port number, found "8000-"'),
    ("port htp 443", 5, 'column 6: expected a port number, found "htp"'),
    ("port 80 443", 8, "column 9: expected ',', 'and', 'or' or end of filter, found \"443\""),
    ("port ٣", 5, 'column 6: expected a port number, found "٣"'),
    ("tcp rx", 4, "column 5: expected 'port', 'src', 'dst', 'and', 'or' or end of filter, found \"rx\""),
    ("rx tx", 3, "column 4: expected 'and', 'or' or end of filter, found \"tx\""),
    ("rx)", 2, "column 3: expected 'and', 'or' or end of filter, found \")\""),
    ("(rx", 3, "column 4: expected 'and', 'or' or ')', found the end of the filter"),
    ("()", 1, 'column 2: expected a condition such as "port 443", found ")"'),
    ("rx and", 6, 'column 7: expected a condition such as "port 443", found the end of the filter'),
    ("rx or or tx", 6, 'column 7: expected a condition such as "port 443", found "or"'),
    ("prt 80", 0, 'column 1: expected a condition such as "port 443", found "prt"; did you mean "port"?'),
    ("portal 80", 0, 'column 1: expected a condition such as "port 443", found "portal"; did you mean "port"?'),
    ("src prt", 4, "column 5: expected 'port', 'host', 'net' or an IP address, found \"prt\"; did you mean \"port\"?"),
    ("host 10.0.0", 5, 'column 6: expected an IP address, found "10.0.0"'),
    ("host 10.0.0.256", 5, 'column 6: expected an IP address, found "10.0.0.256"'),
    ("host fe80::1%eth0", 5, 'column 6: expected an IP address, found "fe80::1%eth0"'),
    ("net 10.0.0.0", 4, 'column 5: expected a network such as 10.0.0.0/8, found "10.0.0.0"'),
    ("net 10.0.0.0/33", 13, 'column 14: expected a prefix length from 0 to 32, found "33"'),
    ("net fe80::/129", 11, 'column 12: expected a prefix length from 0 to 128, found "129"'),
    ("iface", 5, "column 6: expected an interface name, found the end of the filter"),
    ('iface "eth0', 6, "column 7: expected a closing quote, found the end of the filter"),
    ("comm NetworkManager-x", 5, "column 6: expected a process name of at most 15 bytes"),
    ("reason", 6, "column 7: expected a drop reason such as NO_SOCKET, found the end of the filter"),
    ("resaon X", 0, 'found "resaon"; did you mean "reason"?'),
    ("pid 0", 4, 'column 5: expected a process id from 1 to 4294967295, found "0"'),
    ("cpu all", 4, 'column 5: expected a CPU number, found "all"'),
    ("total 5ms", 6, "column 7: expected '>', '>=', '<' or '<=', found \"5ms\""),
    ("total > 5", 8, 'column 9: expected a duration such as 200us, found "5"; the units are ns, us, ms and s'),
    ("total > 2h", 8, 'column 9: expected a duration such as 200us, found "2h"'),
    ("total > 3601s", 8, 'column 9: expected a duration of at most an hour, found "3601s"'),
    ("total > 1.5ns", 8, 'column 9: expected a duration of whole nanoseconds, found "1.5ns"'),
    ("stage softirk > 1ms", 6, 'found "softirk"; did you mean "softirq"?'),
    ("stage irq > 1ms", 6, 'column 7: expected a stage such as softirq or link->socket, found "irq"'),
    ("stage softirq 1ms", 14, "column 15: expected '>', '>=', '<' or '<=', found \"1ms\""),
]


def mistake_in(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(("text", "column", "said"), MISTAKES)
def test_a_mistake_is_said_with_its_column_and_what_was_expected(text: str, column: int, said: str) -> None:
    error = mistake_in(text)
    assert said in str(error)
    assert error.column == column


@pytest.mark.parametrize("name", ["sixteen-letters-", "a/b", "eth0:1", "..", "äöüäöüäö"])
def test_a_name_no_interface_can_have_is_a_mistake(name: str) -> None:
    assert mistake_in(f"iface {name}").column == 6


def test_the_longest_names_are_none() -> None:
    assert parse("iface fifteen-letters and comm fifteen-letters").kernel_text == "iface fifteen-letters"


def test_the_caret_stands_under_the_mistake() -> None:
    text = "rx and port htp"
    assert mistake_in(text).pointed(text) == "rx and port htp\n            ^"


def test_the_caret_stands_under_the_mistake_after_wide_and_odd_characters() -> None:
    text = 'comm "猫"\tand\x1bport'
    line, caret = mistake_in(text).pointed(text).split("\n")
    assert line == 'comm "猫" and?port'
    assert caret == " " * len('comm "CA" ') + "^"


def test_what_could_stand_there_is_listed() -> None:
    assert {"port", "stage", "not", "("} <= set(mistake_in("rx and ").expected)
    assert mistake_in("rx tx").expected == ("and", "or", "end of filter")
    assert "link->socket" in mistake_in("stage x > 1ms").expected


@pytest.mark.parametrize(
    "text",
    ["(" * 4000, "x" * 100_000, "port " + "9" * 4000, "cpu 1 and tcp or " * 200 + "rx", "total > " + "1" * 4000 + "s"],
)
def test_what_is_too_much_is_refused_in_one_short_line(text: str) -> None:
    assert len(str(mistake_in(text))) < 150


def test_a_filter_longer_than_any_hand_types_is_refused() -> None:
    assert parse("rx or " * 600 + "rx").kernel_text == "rx"
    assert str(mistake_in("rx or " * 700 + "rx")) == "the filter has 4202 characters; at most 4096 are allowed"


@pytest.mark.parametrize(
    "text", ["(" * 2000 + "rx" + ")" * 2000, "not " * 1000 + "rx", "!(" * 1000 + "rx" + ")" * 1000]
)
def test_parentheses_and_nots_may_be_as_deep_as_the_text_is_long(text: str) -> None:
    assert parse(text).kernel_text == "rx"


KEYWORDS = [
    "port",
    "src",
    "host",
    "net",
    "iface",
    "comm",
    "stage",
    "total",
    "tcp",
    "ip6",
    "dropped",
    "and",
    "or",
    "not",
]
SIGNS = ["(", ")", ",", ">", "<=", "!", "&&", "-", "'a b'", '"', "\\", "\x1b[2J", "\udc80", "\ud800", "\0", "\n"]
VALUES = ["80", "1-2", "10.0.0.1", "10/8", "::1", "eth0", "1ms", "softirq", "é"]
PIECES = st.sampled_from(KEYWORDS + SIGNS + VALUES)


@given(st.lists(PIECES, max_size=12).map(" ".join) | st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=30))
def test_any_text_is_a_filter_or_a_mistake_that_can_be_shown(text: str) -> None:
    try:
        parsed = parse(text)
    except FilterError as error:
        assert 0 <= error.column <= len(text)
        assert str(error).isprintable()
        assert str(error).startswith(f"column {error.column + 1}: expected ")
        assert not re.search(r"[A-Z]+_[A-Z]+|LPAR|RPAR|COMMA|\$END|SIDE|WORD|None", str(error).split("found")[0])
        assert error.pointed(text).count("\n") == 1
        assert error.expected
    else:
        assert isinstance(parsed, Filter)
