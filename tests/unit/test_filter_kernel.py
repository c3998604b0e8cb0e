"""What goes down to the kernel never selects less than the filter, and fits.

Filters are made at random together with what they mean for one decoded path, so that the language is held to a second
reading of it, and the kernel's program to both.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from netlat_tui.model.filter import Names, parse
from netlat_tui.model.filter_parser import MAX_TEXT
from netlat_tui.model.filter_program import INSTRUCTION, MAX_DEPTH, MAX_INSTRUCTIONS, Field, Op
from netlat_tui.model.filter_run import run
from netlat_tui.model.paths import Path, decode
from netlat_tui.model.points import POINTS, Direction, Outcome, stages_by_name
from netlat_tui.model.ticks import Rows
from tests.unit.filter_rows import IFACES, path_rows

NAMES = Names(IFACES)
Meaning = Callable[[Path], bool]
Case = tuple[str, Meaning]

HOSTS = ["10.0.0.1", "10.0.0.2", "10.9.0.1", "192.168.1.1", "::1", "fe80::1", "fe80::2"]
NETS = ["10.0.0.0/8", "10.0.0.0/31", "0.0.0.0/0", "192.168.1.0/25", "fe80::/64", "::/0", "fe80::2/127", "::1/128"]
NUMBERS = {"cpu": range(5), "irq": range(5), "netns": [1, 5, 9], "pid": range(1, 5), "port": [0, 1, 80, 81, 443, 65535]}
SIDES = ["", "src ", "dst "]
LIMITS = {"0ns": 0, "5ns": 5, "7us": 7_000, "1.5ms": 1_500_000}
COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
WORDS: dict[str, Meaning] = {
    "tcp": lambda path: path.proto.startswith("tcp"),
    "udp": lambda path: path.proto.startswith("udp"),
    "icmp": lambda path: path.proto in ("icmp", "icmp6"),
    "icmp6": lambda path: path.proto == "icmp6",
    "ip": lambda path: "." in path.src,
    "ip6": lambda path: ":" in path.src,
    "rx": lambda path: path.direction is Direction.RX,
    "tx": lambda path: path.direction is Direction.TX,
    "dropped": lambda path: path.outcome is Outcome.DROPPED,
}


def ends(side: str, src: Any, dst: Any) -> list[Any]:
    return [end for end, skipped in ((src, "dst "), (dst, "src ")) if side != skipped]


def numbers(path: Path, word: str, side: str) -> list[int | None]:
    if word == "port":
        return ends(side, path.sport, path.dport)
    return [{"cpu": path.softirq_cpu, "irq": path.irq, "netns": path.netns, "pid": path.pid}[word]]


@st.composite
def number_cases(draw: st.DrawFn) -> Case:
    word = draw(st.sampled_from(sorted(NUMBERS)))
    side = draw(st.sampled_from(SIDES)) if word == "port" else ""
    pairs = draw(st.lists(st.tuples(*[st.sampled_from(NUMBERS[word])] * 2).map(sorted), min_size=1, max_size=4))
    text = ",".join(f"{lo}" if lo == hi else f"{lo}-{hi}" for lo, hi in pairs)
    return f"{side}{word} {text}", lambda path: any(
        value is not None and lo <= value <= hi for value in numbers(path, word, side) for lo, hi in pairs
    )


@st.composite
def address_cases(draw: st.DrawFn) -> Case:
    side = draw(st.sampled_from(SIDES))
    word, known = draw(st.sampled_from([("host", HOSTS), ("net", NETS)]))
    chosen = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
    nets = [ip_network(item, strict=False) for item in chosen]
    return f"{side}{word} {','.join(chosen)}", lambda path: any(
        end != "?" and ip_address(end) in net for end in ends(side, path.src, path.dst) for net in nets
    )


@st.composite
def name_cases(draw: st.DrawFn) -> Case:
    word, known = draw(
        st.sampled_from([("iface", ["eth0", "veth-1", "lo", "if2", "if3"]), ("comm", ["a", "my proc", "[/x]"])])
    )
    chosen = draw(st.lists(st.sampled_from(known), min_size=1, max_size=2))
    text = f"{word} " + ",".join(f'"{name}"' for name in chosen)
    return text, lambda path: (path.iface if word == "iface" else path.comm) in chosen


@st.composite
def duration_cases(draw: st.DrawFn) -> Case:
    comparison, limit = draw(st.sampled_from(sorted(COMPARE))), draw(st.sampled_from(sorted(LIMITS)))
    stage = draw(
        st.sampled_from([None, "softirq", "drop", "transport", "link->socket", "raise→softirq", "send->transport"])
    )
    if stage is None:
        return f"total {comparison} {limit}", lambda path: COMPARE[comparison](path.total_ns, LIMITS[limit])
    named = {found.id for found in stages_by_name()[stage]}
    return f"stage {stage} {comparison} {limit}", lambda path: any(
        COMPARE[comparison](found.duration_ns, LIMITS[limit]) for found in path.stages if found.stage.id in named
    )


def negation(case: Case) -> Case:
    return f"not ({case[0]})", lambda path: not case[1](path)


def joined(cases: tuple[list[Case], str]) -> Case:
    """Joined by one operator, each in parentheses: how operators bind is another test's business."""
    parts, operator = cases
    every = all if operator == " and " else any
    return operator.join(f"({text})" for text, _ in parts), lambda path: every(means(path) for _, means in parts)


def filters(conditions: st.SearchStrategy[Case], leaves: int) -> st.SearchStrategy[Case]:
    return st.recursive(
        conditions,
        lambda inner: st.one_of(
            inner.map(negation),
            st.tuples(st.lists(inner, min_size=2, max_size=4), st.sampled_from([" and ", " or "])).map(joined),
        ),
        max_leaves=leaves,
    )


CONDITIONS = st.one_of(
    st.sampled_from(sorted(WORDS.items())), number_cases(), address_cases(), name_cases(), duration_cases()
)
FILTERS = filters(CONDITIONS, 12)
DECIDABLE = st.one_of(number_cases().filter(lambda case: "pid" not in case[0]), address_cases())
LONG_PARTS = filters(DECIDABLE, 3)


@st.composite
def flights(draw: st.DrawFn) -> dict[str, Any]:
    direction = draw(st.sampled_from(Direction))
    keys = draw(st.sets(st.sampled_from([point.key for point in POINTS[direction]])))
    steps = st.sampled_from([0, 5, 6, 7_000, 7_001, 2_000_000])
    points: dict[str, int] = {}
    t_ns = 0
    for point in POINTS[direction]:
        if point.key in keys:
            t_ns += draw(steps) if points else 0
            points[point.key] = t_ns
    version = draw(st.sampled_from([4, 6]))
    hosts = st.sampled_from([host for host in HOSTS if ip_address(host).version == version])
    port = st.sampled_from(NUMBERS["port"])
    return {
        "direction": direction,
        "points": points,
        "src": draw(hosts),
        "dst": draw(hosts),
        "proto": draw(st.sampled_from([1, 6, 17, 47, 58])),
        "sport": draw(port),
        "dport": draw(port),
        "cpu": draw(st.integers(0, 4)),
        "netns": draw(st.sampled_from([1, 5, 9])),
        "ifindex": draw(st.sampled_from([2, 3])),
        "irq": draw(st.integers(0, 4)),
        "irq_class": 1,
        "pid": draw(st.integers(0, 4)),
        "comm": draw(st.sampled_from([b"", b"a", b"ab", b"my proc", b"[/x]"])),
        "outcome": draw(st.sampled_from(Outcome)),
        "flags": 1,
    }


ROWS = st.lists(flights(), min_size=1, max_size=6).map(path_rows)


@settings(max_examples=300, deadline=None)
@given(FILTERS, ROWS)
def test_a_filter_selects_what_it_says(case: Case, rows: Rows) -> None:
    text, means = case
    expected = [means(decode(row, 0, IFACES, {})) for row in rows]
    assert parse(text).matches(rows, NAMES).tolist() == expected


@settings(max_examples=300, deadline=None)
@given(FILTERS, ROWS)
def test_the_kernel_passes_all_that_the_filter_selects(case: Case, rows: Rows) -> None:
    parsed = parse(case[0])
    selected = parsed.matches(rows, NAMES)
    passed = run(parsed.program, rows, NAMES)
    assert not (selected & ~passed).any()
    rest = parse(parsed.user_text).matches(rows, NAMES)
    assert (passed & rest).tolist() == selected.tolist()


@settings(max_examples=300, deadline=None)
@given(FILTERS)
def test_the_kernels_part_is_written_as_it_runs(case: Case) -> None:
    parsed = parse(case[0])
    again = parse(parsed.kernel_text)
    assert again.program.tobytes() == parsed.program.tobytes()
    assert again.kernel_text == parsed.kernel_text
    assert again.user_text == ""
    assert parse(str(parsed)) == parsed


@settings(max_examples=60, deadline=None)
@given(st.lists(LONG_PARTS, min_size=6, max_size=20), st.sampled_from([" and ", " or "]), ROWS)
def test_a_filter_too_long_for_the_kernel_is_finished_on_paths(cases: list[Case], operator: str, rows: Rows) -> None:
    text = joined((cases, operator))[0]
    assume(len(text) <= MAX_TEXT)
    parsed = parse(text)
    event("too long" if parsed.user_text else "short")
    selected = parsed.matches(rows, NAMES)
    passed = run(parsed.program, rows, NAMES)  # refuses what does not fit
    assert not (selected & ~passed).any()
    assert (passed & parse(parsed.user_text).matches(rows, NAMES)).tolist() == selected.tolist()
    assert parse(parsed.kernel_text).program.tobytes() == parsed.program.tobytes()


def test_a_long_list_of_ports_is_widened_where_that_adds_least() -> None:
    ports = [*range(1, 40, 2), 8000, *range(9001, 9040, 2)]
    parsed = parse("port " + ",".join(map(str, ports)))
    assert parsed.user_text == "port " + ",".join(map(str, ports))
    assert len(parsed.program) <= MAX_INSTRUCTIONS
    rows = path_rows([{"sport": port, "dport": 50000} for port in (1, 8000, 9039, 8001, 100)])
    assert run(parsed.program, rows, NAMES).tolist() == [True, True, True, False, False]


def test_of_conditions_that_must_all_hold_those_that_fit_go_down() -> None:
    hosts = ",".join(f"10.0.0.{last}" for last in range(60))
    parsed = parse(f"host {hosts} and cpu 3 and port 80")
    assert (parsed.kernel_text, parsed.user_text) == ("cpu 3 and port 80", f"host {hosts}")


def test_a_program_is_as_the_kernel_expects_it() -> None:
    program = parse("not src port 80 and (iface eth0 or net 10.0.0.0/8)").program
    assert program.dtype == INSTRUCTION
    steps = [(Op(int(row["op"])).name, Field(int(row["field"])).name if row["field"] else "") for row in program]
    assert steps == [
        ("TEST", "IFNAME"),
        ("TEST", "SADDR"),
        ("TEST", "DADDR"),
        ("OR", ""),
        ("OR", ""),
        ("TEST", "SPORT"),
        ("NOT", ""),
        ("AND", ""),
    ] or steps == [
        ("TEST", "SADDR"),
        ("TEST", "DADDR"),
        ("OR", ""),
        ("TEST", "IFNAME"),
        ("OR", ""),
        ("TEST", "SPORT"),
        ("NOT", ""),
        ("AND", ""),
    ]
    by_field = {Field(int(row["field"])): row for row in program if row["op"] == Op.TEST}
    assert by_field[Field.IFNAME]["value"].tobytes() == b"eth0".ljust(16, b"\0")
    assert by_field[Field.DADDR]["value"].tobytes() == bytes([10]).ljust(16, b"\0")
    assert (by_field[Field.DADDR]["prefix"], by_field[Field.DADDR]["family"]) == (8, 4)
    assert (by_field[Field.SPORT]["lo"], by_field[Field.SPORT]["hi"]) == (80, 80)


@pytest.mark.parametrize("broken", [[Op.AND], [Op.NOT], [Op.TEST, Op.TEST], [Op.TEST] * (MAX_DEPTH + 1), [Op.NOT] * 65])
def test_a_program_the_kernel_could_not_run_is_refused(broken: list[Op]) -> None:
    program = np.zeros(len(broken), dtype=INSTRUCTION)
    program["op"] = broken
    program["field"] = Field.CPU
    with pytest.raises(ValueError, match=r"instructions|finds nothing|verdicts|places"):
        run(program, path_rows([{}]), NAMES)
