"""Text for people: durations, counts, and names that others chose.

Names of processes, interfaces and interrupts come from whoever could set them. ``printable`` is the one gate they pass
on their way to a screen or a file.
"""

from __future__ import annotations

import unicodedata


def printable(text: str | bytes) -> str:
    """The text with everything that could steer a terminal replaced by ``?``.

    Control, format (bidirectional overrides), surrogate, private and unassigned characters, and line separators, are
    replaced; bytes are read as UTF-8, with what is not UTF-8 replaced too.
    """
    if isinstance(text, bytes):
        text = text.split(b"\0", 1)[0].decode("utf-8", "replace")
    if text.isprintable():  # stricter than what follows, and a hundred times as fast
        return text
    return "".join(
        "?" if unicodedata.category(char)[0] == "C" or unicodedata.category(char) in ("Zl", "Zp") else char
        for char in text
    )


_SCALES = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))


def duration(ns: float | None, ascii_only: bool = False) -> str:
    """A duration in at most seven columns, three significant digits: ``850ns``, ``12.3µs``, ``4.56ms``, ``1.20s``."""
    if ns is None:
        return "-"
    for scale, unit in _SCALES:
        value = ns / scale
        if value >= 0.9995:
            if ascii_only and unit == "µs":
                unit = "us"
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f}{unit}"
    return f"{ns:.0f}ns"


def quantity(value: float, estimated: bool = False) -> str:
    """A count or a rate in at most five columns: ``0``, ``7.5``, ``412``, ``1.20k``, ``41.0k``, ``3.10M``; ``~41k``."""
    if value == 0:
        return "0"
    if estimated:
        return f"~{_about(value)}"
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * scale:
            scaled = value / scale
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{scaled:.{digits}f}{unit}"
    if value < 9.95 and value != int(value):
        return f"{value:.1f}"
    return f"{value:.0f}"


def _about(value: float) -> str:
    """In at most four columns: an estimate has no more digits to say."""
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * scale:
            scaled = value / scale
            return f"{scaled:.1f}{unit}" if scaled < 9.95 else f"{scaled:.0f}{unit}"
    return f"{value:.0f}"


def size(count: int) -> str:
    """Bytes in binary units: ``512B``, ``64.0M``."""
    value = float(count)
    for unit in ("B", "K", "M", "G", "T"):
        if value < 1024 or unit == "T":
            return f"{value:.0f}{unit}" if unit == "B" or value >= 100 else f"{value:.1f}{unit}"
        value /= 1024
    raise AssertionError("unreachable")


def percent(share: float | None) -> str:
    """A share (0…1) in at most five columns."""
    if share is None:
        return "-"
    value = share * 100
    return f"{value:.2f}%" if 0 < value < 0.995 else f"{value:.1f}%" if value < 99.95 else f"{value:.0f}%"


def change(share: float | None) -> str:
    """A change as a part (0: none) of what it was, in at most five columns: ``+3%``, ``-41%``, ``+999%``, ``×12``."""
    if share is None:
        return "-"
    value = round(share * 100)
    if value < 1000:
        return f"{value:+d}%" if value else "0%"
    return f"×{_about(share + 1)}"
