"""The values in a filter: ports, addresses, names, durations. A mistake in one is said in words of its own."""

from __future__ import annotations

import re
from decimal import Decimal
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv6Address, ip_network

from netlat_tui.model.filter_errors import mistake
from netlat_tui.model.filter_terms import Network, Range, merge_ranges
from netlat_tui.model.points import stages_by_name

MAX_NAME = 15
"""Bytes of a process or interface name: TASK_COMM_LEN and IFNAMSIZ less the terminator."""

MAX_DURATION_NS = 3_600_000_000_000
_U32 = (1 << 32) - 1
_LIMITS: dict[str, tuple[int, int]] = {
    "port": (0, 65535),
    "cpu": (0, 65535),
    "irq": (0, _U32),
    "netns": (0, _U32),
    "pid": (1, _U32),
}

PHRASES: dict[str, str] = {
    "port": "a port number",
    "cpu": "a CPU number",
    "irq": "an interrupt number",
    "netns": "the inode number of a network namespace",
    "pid": "a process id",
    "host": "an IP address",
    "net": "a network such as 10.0.0.0/8",
    "iface": "an interface name",
    "comm": "a process name",
    "reason": "a drop reason such as NO_SOCKET",
    "stage": "a stage such as softirq or link->socket",
    "duration": "a duration such as 200us",
}
"""What stands where such a value is missing or wrong."""

Written = tuple[str, int]
"""A word of the filter, and the column it starts at."""


def ranges(word: str, items: list[Written]) -> tuple[Range, ...]:
    """``80,8000-8100`` after ``port`` or another word that takes numbers."""
    return merge_ranges([_range(word, *item) for item in items])


def _range(word: str, text: str, column: int) -> Range:
    match = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", text)
    if not match:
        raise mistake(column, [PHRASES[word]], text)
    lo = _number(word, match[1], column)
    if match[2] is None:
        return lo, lo
    hi = _number(word, match[2], column + match.start(2))
    if hi < lo:
        raise mistake(column, [f"a range that rises, such as {hi}-{lo}"], text)
    return lo, hi


def _number(word: str, digits: str, column: int) -> int:
    lowest, highest = _LIMITS[word]
    significant = digits.lstrip("0") or "0"
    value = int(significant) if len(significant) <= 10 else highest + 1
    if not lowest <= value <= highest:
        raise mistake(column, [f"{PHRASES[word]} from {lowest} to {highest}"], digits)
    return value


def address(text: str, column: int) -> Network:
    """An IPv4 or IPv6 address, as the network that holds nothing else."""
    parsed = _address(text)
    if parsed is None:
        raise mistake(column, [PHRASES["host"]], text)
    return ip_network(parsed)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if "%" in text:
        return None  # a zone names an interface, which no packet carries
    try:
        return IPv6Address(text) if ":" in text else IPv4Address(text)
    except ValueError:
        return None


def network(text: str, column: int) -> Network:
    """``10.0.0.0/8``, ``fe80::/64``, and tcpdump's ``10``, ``192.168`` and ``192.168/16``. Host bits are dropped."""
    base, slash, prefix = text.partition("/")
    octets = base.split(".")
    if not slash and len(octets) < 4 and ":" not in base:
        prefix = str(8 * len(octets))
    if ":" not in base:
        base = ".".join([*octets, *["0"] * (4 - len(octets))])
    parsed = _address(base)
    if parsed is None or not (slash or prefix):
        raise mistake(column, [PHRASES["net"]], text)
    if not re.fullmatch("[0-9]{1,3}", prefix) or int(prefix) > parsed.max_prefixlen:
        place = column + text.find("/") + 1
        raise mistake(place, [f"a prefix length from 0 to {parsed.max_prefixlen}"], prefix or text)
    return ip_network(f"{parsed}/{int(prefix)}", strict=False)


def name(word: str, text: str, column: int) -> str:
    """The name of an interface (``iface``), a process (``comm``) or a ``reason``, without its quotes."""
    bare = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if text[0] in "\"'" else text
    try:
        raw = bare.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = b""
    if not raw or b"\0" in raw:
        raise mistake(column, [PHRASES[word]], text)
    if word == "iface" and (len(raw) > MAX_NAME or re.search(r"[\s/:]", bare) or bare in (".", "..")):
        raise mistake(column, [f"{PHRASES[word]} (at most {MAX_NAME} bytes, no space, '/' or ':')"], text)
    if word == "comm" and len(raw) > MAX_NAME:
        cut = raw[:MAX_NAME].decode("utf-8", "ignore")
        raise mistake(column, [f"{PHRASES[word]} of at most {MAX_NAME} bytes"], text, hint=f"; try {cut}")
    return bare


def stage(text: str, column: int) -> str:
    """The name of a stage, or of the point the stages end at."""
    known = stages_by_name()
    lower = text.lower()
    if lower not in known:
        close = get_close_matches(lower, known, n=1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        raise mistake(column, [PHRASES["stage"]], text, words=tuple(known), hint=hint)
    return lower


_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def duration_ns(text: str, column: int) -> int:
    """``200us``, ``1.5ms``, ``2 s`` in ns: whole ns, at most an hour."""
    match = re.fullmatch(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*([a-zµμ]+)", text.lower())
    if not match or match[2] not in _UNITS:
        hint = "; the units are ns, us, ms and s" if text[:1].isdigit() else ""
        raise mistake(column, [PHRASES["duration"]], text, hint=hint)
    value = Decimal(match[1]) * _UNITS[match[2]]
    if value > MAX_DURATION_NS:
        raise mistake(column, ["a duration of at most an hour"], text)
    if value != int(value):
        raise mistake(column, ["a duration of whole nanoseconds"], text)
    return int(value)
