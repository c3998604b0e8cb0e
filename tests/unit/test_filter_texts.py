"""Filters made of parts: of a filter and one more condition, of the command line's options."""

from __future__ import annotations

import pytest

from netlat_tui.model.filter import FilterError, combine, from_options, interfaces, namespaces, parse, quote


@pytest.mark.parametrize(
    ("base", "more", "both"),
    [
        ("", "cpu 3", "cpu 3"),
        ("cpu 3", " ", "cpu 3"),
        ("port 443", "cpu 3", "port 443 and cpu 3"),
        ("port 80 or port 443", "cpu 3", "(port 80 or port 443) and cpu 3"),
        ("port 80 || port 443", "cpu 3", "(port 80 || port 443) and cpu 3"),
        ("(port 80 or port 443)", "cpu 3", "(port 80 or port 443) and cpu 3"),
        ("(tcp or udp) or (rx or tx)", "cpu 3", "((tcp or udp) or (rx or tx)) and cpu 3"),
        ("comm or", "cpu 3", "comm or and cpu 3"),
        ("rx", "tcp or udp", "rx and (tcp or udp)"),
        ("rx and cpu 3", "cpu 3", "rx and cpu 3"),
        ("cpu 3", "rx and cpu 3", "cpu 3 and rx and cpu 3"),
    ],
)
def test_a_condition_is_added(base: str, more: str, both: str) -> None:
    assert combine(base, more) == both
    parse(both)


def test_a_mistake_in_either_part_is_told() -> None:
    for base, more in (("port", "rx"), ("rx", "port"), ("port", ""), ("", "port")):
        with pytest.raises(FilterError, match="expected a port number"):
            combine(base, more)


def test_a_name_is_quoted_where_it_must_be() -> None:
    for name in ("eth0", "my proc", 'a"b', "a\\", "[/x]", "(x)", "a,b", "'", "<b>"):
        assert interfaces(parse(f"iface {quote(name)}")) == (name,) if " " not in name and "/" not in name else True
        assert parse(f"comm {quote(name)}").user_text == f"comm {quote(name)}"
    assert (quote("eth0"), quote("my proc"), quote("")) == ("eth0", '"my proc"', '""')


def test_the_options_make_a_filter() -> None:
    text = from_options(["eth0", "lo", "eth0"], ["443", "80,8000-8100"], [3, "0-1"], "rx", "tcp or udp")
    assert text == "iface eth0,lo and port 80,443,8000-8100 and cpu 0-1,3 and rx and (tcp or udp)"
    assert parse(text).kernel_text == text
    assert from_options() == ""
    assert from_options(text="tcp or udp") == "tcp or udp"
    assert from_options(direction="tx") == "tx"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ports": ["htp"]}, '--port: expected a port number, found "htp"'),
        ({"ports": ["80 or rx"]}, '--port: expected a port number, found "80 or rx"'),
        ({"ports": ["9" * 5000]}, '--port: expected a port number from 0 to 65535, found "999'),
        ({"cpus": [-1]}, '--cpu: expected a CPU number, found "-1"'),
        ({"ifaces": [""]}, "--iface: expected an interface name"),
        ({"ifaces": ["a" * 16]}, "--iface: expected an interface name"),
        ({"direction": "up"}, "--direction: expected rx, tx or both, found up"),
        ({"text": "rx or"}, "column 6: expected a condition"),
    ],
)
def test_a_mistake_in_an_option_names_the_option(options: dict[str, object], said: str) -> None:
    with pytest.raises(FilterError) as caught:
        from_options(**options)  # type: ignore[arg-type]
    assert str(caught.value).startswith(said)


def test_what_a_filter_mentions_is_listed() -> None:
    parsed = parse("iface eth0,lo or not (iface lo,eth1 and netns 5,7-9) and port 80")
    assert interfaces(parsed) == ("eth0", "lo", "eth1")
    assert namespaces(parsed) == ((5, 5), (7, 9))
    assert interfaces(parse("port 80")) == ()
