"""What a filter's words mean: which paths it selects, and what of it the kernel is told."""

from __future__ import annotations

import pytest

from netlat_tui.model.filter import EVERYTHING, Names, parse
from netlat_tui.model.paths import decode
from netlat_tui.model.points import Outcome
from tests.unit.filter_rows import IFACES, path_rows

NAMES = Names(IFACES)


@pytest.mark.parametrize(
    ("text", "kernel", "user"),
    [
        ("port 443", "port 443", ""),
        ("src port 80,443", "src port 80,443", ""),
        ("port 443,80,81-90,85-100", "port 80-100,443", ""),
        ("portrange 8000-8100", "port 8000-8100", ""),
        ("dst host 10.0.0.1", "dst host 10.0.0.1", ""),
        ("src 10.0.0.1, ::1", "src host 10.0.0.1,::1", ""),
        ("net 10.1.2.3/8", "net 10.0.0.0/8", ""),
        ("net 192.168 or net 10/8", "net 192.168.0.0/16 or net 10.0.0.0/8", ""),
        ("src net fe80::/64", "src net fe80::/64", ""),
        ("tcp port 80", "tcp and port 80", ""),
        ("not tcp port 80", "not tcp or not port 80", ""),
        ("ip6 host ::1", "ip6 and host ::1", ""),
        ("PORT 80 And TCP", "port 80 and tcp", ""),
        ("tcp||udp&&!icmp", "(tcp or udp) and not icmp", ""),
        ("iface eth0,veth-1 and cpu 0-3", "iface eth0,veth-1 and cpu 0-3", ""),
        ("iface and", "iface and", ""),
        ('iface "(x)"', 'iface "(x)"', ""),
        ("irq 41 and netns 4026531840", "irq 41 and netns 4026531840", ""),
        ("pid 7", "", "pid 7"),
        ("comm 'my proc'", "", 'comm "my proc"'),
        ("comm kworker/0:1,a+b@c", "", "comm kworker/0:1,a+b@c"),
        ("reason NO_SOCKET,'a b'", "", 'reason NO_SOCKET,"a b"'),
        ("rx and reason no_socket", "rx", "reason no_socket"),
        ("total>1.5ms", "", "total > 1500us"),
        ("total >= 2 s", "", "total >= 2s"),
        ("stage link→socket <= 7µs", "", "stage link→socket <= 7us"),
        ("stage link->socket>1ms", "", "stage link->socket > 1ms"),
        ("port 80 and dropped", "port 80", "dropped"),
        ("port 80 or dropped", "", "port 80 or dropped"),
        ("not (port 80 or pid 7)", "not port 80", "not pid 7"),
        ("(tcp and pid 7) or (udp and pid 8)", "tcp or udp", "(tcp and pid 7) or (udp and pid 8)"),
        ("rx and rx", "rx", ""),
        ("not not rx", "rx", ""),
    ],
)  # fmt: skip
def test_a_filter_is_divided_between_kernel_and_user(text: str, kernel: str, user: str) -> None:
    parsed = parse(text)
    assert (parsed.text, parsed.kernel_text, parsed.user_text) == (text, kernel, user)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_blank_filter_is_everything(text: str) -> None:
    assert parse(text) is EVERYTHING
    assert EVERYTHING.matches(path_rows([{}, {}]), NAMES).tolist() == [True, True]


def test_and_and_or_bind_alike_from_the_left_as_in_tcpdump() -> None:
    rows = path_rows([{"cpu": cpu, "sport": port} for cpu in (3, 4) for port in (80, 443, 22)])
    selected = parse("port 80 or port 443 and cpu 3").matches(rows, NAMES)
    assert selected.tolist() == [True, True, False, False, False, False]
    assert parse("port 80 or (port 443 and cpu 3)").matches(rows, NAMES).tolist() == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]


def test_not_binds_tightest() -> None:
    rows = path_rows([{"cpu": 3, "sport": 80}, {"cpu": 4, "sport": 80}, {"cpu": 4, "sport": 22}])
    assert parse("not port 80 or cpu 3").matches(rows, NAMES).tolist() == [True, False, True]


def test_packets_that_show_no_ports_match_no_port_but_every_not_port() -> None:
    rows = path_rows([{"proto": 1}, {"proto": 6, "sport": 0, "dport": 0, "flags": 1}, {"proto": 17, "dport": 80}])
    assert parse("port 0-65535").matches(rows, NAMES).tolist() == [False, False, True]
    assert parse("not port 80").matches(rows, NAMES).tolist() == [True, True, False]


def test_a_stage_is_found_by_its_name_or_by_the_point_it_ends_at() -> None:
    rows = path_rows(
        [
            {"points": {"raise": 0, "softirq": 300_000, "poll": 300_100}},
            {"points": {"irq": 0, "softirq": 300_000, "poll": 900_000}},
            {"points": {"raise": 0, "softirq": 199_999, "poll": 900_000}},
            {"points": {"raise": 0, "poll": 900_000}},
        ]
    )
    assert parse("stage softirq > 200us").matches(rows, NAMES).tolist() == [True, True, False, False]
    assert parse("stage softirq >= 300us").matches(rows, NAMES).tolist() == [True, True, False, False]
    assert parse("stage softirq > 300us").matches(rows, NAMES).tolist() == [False] * 4
    assert parse("stage raise->softirq > 200us").matches(rows, NAMES).tolist() == [True, False, False, False]
    assert parse("stage RAISE→poll > 1ns").matches(rows, NAMES).tolist() == [False, False, False, True]
    assert parse("stage softirq < 200us").matches(rows, NAMES).tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("word", "numbers"), [("icmp", [1, 58]), ("icmp6", [58]), ("tcp", [6]), ("udp", [17]), ("not icmp", [6, 17, 47])]
)
def test_protocols_have_the_numbers_iana_gave_them(word: str, numbers: list[int]) -> None:
    every = [1, 6, 17, 47, 58]
    selected = parse(word).matches(path_rows([{"proto": proto} for proto in every]), NAMES)
    assert [proto for proto, chosen in zip(every, selected, strict=True) if chosen] == numbers


def test_a_path_names_its_protocol() -> None:
    rows = path_rows([{"proto": proto} for proto in (1, 6, 17, 47, 58)])
    assert [decode(row, 0, IFACES, {}).proto for row in rows] == ["icmp", "tcp", "udp", "proto 47", "icmp6"]


def test_a_process_is_found_by_its_name_as_shown() -> None:
    rows = path_rows([{"comm": b"nginx"}, {"comm": b"nginx: worker"}, {"comm": b"\x1b]0;x\x07"}, {"comm": b"[/x]"}])
    assert parse("comm nginx").matches(rows, NAMES).tolist() == [True, False, False, False]
    assert parse('comm "?]0;x?"').matches(rows, NAMES).tolist() == [False, False, True, False]
    assert parse("comm [/x],'nginx: worker'").matches(rows, NAMES).tolist() == [False, True, False, True]


def test_an_interface_is_found_by_its_name_as_shown_and_the_kernel_is_not_told_what_is_no_true_name() -> None:
    names = Names({(1, 2): "eth0", (1, 7): "a\x1bb"})
    rows = path_rows([{"netns": 1, "ifindex": 2}, {"netns": 1, "ifindex": 7}, {"netns": 5, "ifindex": 7}])
    assert parse("iface eth0").matches(rows, names).tolist() == [True, False, False]
    for text, selected in (("iface if7", [False, False, True]), ("iface a?b", [False, True, False])):
        assert parse(text).matches(rows, names).tolist() == selected
        assert parse(text).kernel_text == ""


def test_a_reason_is_the_kernels_word_in_either_case_or_the_number_of_one_that_has_none() -> None:
    names = Names(reasons={3: "NO_SOCKET", 4: "\x1b[31m"})
    rows = path_rows([{"outcome": Outcome.DROPPED, "reason": reason} for reason in (3, 4, 5)] + [{"reason": 3}])
    assert parse("reason NO_SOCKET").matches(rows, names).tolist() == [True, False, False, False]
    assert parse("reason no_socket,5").matches(rows, names).tolist() == [True, False, True, False]
    assert parse("reason 3").matches(rows, names).tolist() == [False] * 4
    assert parse("reason ?[31m").matches(rows, names).tolist() == [False, True, False, False]
    assert parse("not reason NO_SOCKET").matches(rows, names).tolist() == [False, True, True, True]
