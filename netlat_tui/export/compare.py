"""Two recordings beside each other: text for people, JSON for scripts."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from netlat_tui.export import values
from netlat_tui.model import noise
from netlat_tui.model.compare import QUANTILES, Compared, Judged
from netlat_tui.model.noise import Change, Verdict
from netlat_tui.model.snapshot import Distribution, Snapshot
from netlat_tui.model.text import change, duration, printable, quantity
from netlat_tui.model.ticks import Origin

SCHEMA = "netlat-tui/compare/1"
CELLS = 80
"""What the text fits in where no terminal says otherwise."""

_WIDE = 124
_NAME = 22


@dataclass(frozen=True, slots=True)
class Side:
    """A recording as a whole. ``filters``: all that its ticks were counted with; ``damaged``: places."""

    file: str
    origin: Origin
    snapshot: Snapshot
    filters: tuple[str, ...]
    damaged: int = 0


def notes(a: Side, b: Side) -> list[str]:
    """What makes the two unlike each other, or less than whole: sentences."""
    found = []
    if a.filters != b.filters:
        found.append("the packets counted are not the same: A's filter is " + _filters(a) + ", B's " + _filters(b))
    elif len(a.filters) > 1:
        found.append(f"both were counted with several filters, one after the other: {_filters(a)}")
    if a.origin.kernel != b.origin.kernel:
        found.append(f"the kernels differ: {printable(a.origin.kernel)} and {printable(b.origin.kernel)}")
    hooked = [{(hook.direction, hook.point) for hook in side.origin.hooks if hook.kind != "none"} for side in (a, b)]
    for name, seen, other in (("A", hooked[0], hooked[1]), ("B", hooked[1], hooked[0])):
        only = ", ".join(printable(f"{direction} {point}") for direction, point in sorted(seen - other))
        if only and other:
            found.append(f"only {name} could see {only}: stages that begin or end there are in {name} alone")
    for name, side in (("A", a), ("B", b)):
        if side.snapshot.every > 1:
            found.append(f"{name}'s figures are estimates: at the least 1 packet in {side.snapshot.every} was counted")
        if side.damaged:
            found.append(f"{name} is damaged: what is whole of it is compared")
    return found


def _filters(side: Side) -> str:
    return " and ".join(printable(text) or "none" for text in side.filters) or "none"


# -- JSON


def to_dict(a: Side, b: Side, rows: Sequence[Compared], judged: Sequence[Judged]) -> dict[str, Any]:
    """As ``docs/compare.schema.json`` describes it."""
    return {
        "schema": SCHEMA,
        "a": _side(a),
        "b": _side(b),
        "test": test_record(),
        "notes": notes(a, b),
        "rows": [row_record(row) for row in rows],
        "limits": [
            {
                "limit": one.limit.text,
                "name": one.name.full,
                "quantile": one.limit.quantile,
                "limit_pct": round(one.limit.share * 100, 4),
                "change_pct": values.percent(one.change.share),
                "holds": one.holds,
                "why": one.why or None,
            }
            for one in judged
        ],
    }


def to_json(a: Side, b: Side, rows: Sequence[Compared], judged: Sequence[Judged]) -> str:
    return json.dumps(to_dict(a, b, rows, judged), ensure_ascii=False, indent=1) + "\n"


def _side(side: Side) -> dict[str, Any]:
    identity = values.identity(side.snapshot, side.origin, False)
    kept = ("host", "kernel", "started", "time", "duration_s", "counted_one_in")
    return {
        "file": printable(side.file),
        **{name: identity[name] for name in kept},
        "ticks": side.snapshot.ticks,
        "filters": [printable(text) for text in side.filters],
        "packet_rate": round(side.snapshot.packet_rate, 3),
        "damaged": side.damaged,
    }


def test_record() -> dict[str, Any]:
    """The test and its constants."""
    return {
        "name": "Mann-Whitney over blocks of ticks, two-sided, and more than a bucket's width",
        "chance": noise.CHANCE,
        "least_blocks": noise.LEAST_BLOCKS,
        "most_blocks": noise.MOST_BLOCKS,
        "least_samples_of_a_block": {name: noise.LEAST_SAMPLES[fraction] for name, fraction in QUANTILES.items()},
    }


def row_record(row: Compared) -> dict[str, Any]:
    """An interval in both windows. The figures of a change are finer than those of the windows."""
    name = row.name
    return {
        "kind": name.kind,
        "direction": name.direction.label,
        "layer": name.layer or None,
        "name": name.name,
        "in": "both" if row.both else "a" if row.before else "b",
        "a": _window(row.before, row.before_rate),
        "b": _window(row.after, row.after_rate),
        "p50": change_record(row.p50, "ns"),
        "p99": change_record(row.p99, "ns"),
        "rate": change_record(row.rate, "per_s"),
    }


def _window(found: Distribution | None, rate: float) -> dict[str, Any] | None:
    return None if found is None else {**values.distribution(found), "rate": round(rate, 3)}


def change_record(found: Change, unit: str) -> dict[str, Any]:
    """A change of what is measured in this unit."""
    figures = {"a": found.before, "b": found.after, "change": found.difference}
    digits = 0 if unit == "ns" else 3
    rounded = {
        f"{name}_{unit}": None if value is None else (round(value, digits) if digits else round(value))
        for name, value in figures.items()
    }
    return {**rounded, "change_pct": values.percent(found.share), "verdict": found.verdict.value}


# -- text


def to_text(a: Side, b: Side, rows: Sequence[Compared], judged: Sequence[Judged], cells: int, plain: bool) -> str:
    """In at most ``cells`` columns, but no fewer than 80."""
    width = max(CELLS, cells)
    lines = [line for name, side in (("A", a), ("B", b)) for line in _wrapped(_head(name, side), width)]
    for note in notes(a, b):
        lines += _wrapped(f"note: {note}.", width)
    lines += ["", *(table(rows, width) if rows else ["neither counted any packets"]), ""]
    lines += _wrapped(LEGEND, width)
    if judged:
        lines += ["", *(line for one in judged for line in _wrapped(judged_words(one), width))]
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    return plain_words(text) if plain else text


LEGEND = (
    "↑ ↓: changed by more than the noise; no arrow: within it; -: too few to tell. "
    "p50, p99: half, or 99 of 100, of the packets took no longer."
)


def plain_words(text: str) -> str:
    """In ASCII."""
    for char, instead in (("→", "->"), ("↑", "^"), ("↓", "v"), ("µ", "u"), ("×", "x")):
        text = text.replace(char, instead)
    return "".join(char if char.isascii() else "?" for char in text)


def _head(name: str, side: Side) -> str:
    found = side.snapshot
    return (
        f"{name}: {printable(side.file)}: {printable(side.origin.host)}, Linux {printable(side.origin.kernel)}, "
        f"{values.iso(found.time_ns)}, {found.window_ns / 1e9:.1f} s in {found.ticks} ticks, "
        f"{quantity(found.packet_rate, found.every > 1)} packets/s, filter: {_filters(side)}"
    )


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="   ", break_on_hyphens=False)


def table(rows: Sequence[Compared], width: int) -> list[str]:
    """The intervals of both, then those of one alone."""
    wide = width >= _WIDE
    columns = _WIDE_COLUMNS if wide else _COLUMNS
    lines = [f"{'':<{_NAME}}" + "".join(f"{head:>{cells}}" for head, cells in columns)]
    shared = [row for row in rows if row.both]
    for title, group in groupby(shared, key=_title):
        lines += [title, *(_line(row, wide) for row in group)]
    for name, found in (
        ("A", [row for row in rows if row.after is None]),
        ("B", [r for r in rows if r.before is None]),
    ):
        if found:
            lines += [f"only in {name}", *(_line(row, wide) for row in found)]
    return lines


_COLUMNS = (("p50 A", 7), ("B", 7), ("", 7), ("p99 A", 7), ("B", 7), ("", 7), ("A/s", 7), ("B/s", 6), ("", 1))
_WIDE_COLUMNS = (
    ("count A", 9), ("B", 9), *_COLUMNS[:3], ("p90 A", 7), ("B", 7), *_COLUMNS[3:6], ("max A", 7), ("B", 7),
    *_COLUMNS[6:],
)  # fmt: skip


def _title(row: Compared) -> str:
    if row.name.kind == "stage":
        return f"{row.name.direction.label} {row.name.layer}"
    return "rx delays, from layer to layer" if row.name.kind == "delay" else "whole paths"


def _line(row: Compared, wide: bool) -> str:
    def times(fraction: str) -> list[str]:
        return [duration(getattr(found, f"{fraction}_ns")) if found else "" for found in (row.before, row.after)]

    def changed(found: Change) -> list[str]:
        if not row.both:
            return [""]
        return [change_words(found)]

    p50, p99 = (_both_times(row, name) for name in QUANTILES)
    rates = [quantity(rate, found.estimated) if found else "" for rate, found in _rates(row)]
    fields = [*p50, *changed(row.p50), *p99, *changed(row.p99), *rates, _mark(row.rate)]
    if wide:
        counts = [f"{'~' * found.estimated}{found.count}" if found else "" for found in (row.before, row.after)]
        fields = [*counts, *fields[:3], *times("p90"), *fields[3:6], *times("max"), *fields[6:]]
    columns = _WIDE_COLUMNS if wide else _COLUMNS
    name = row.name.name if row.both or row.name.kind == "total" else row.name.full
    texts = "".join(f"{text:>{cells}}" for text, (_, cells) in zip(fields, columns, strict=True))
    return f"{' ' + name:<{_NAME}}" + texts


def _both_times(row: Compared, name: str) -> list[str]:
    """A quantile in both: as fine as the change that stands beside it."""
    found = row.quantile(name)
    if row.both:
        return [duration(found.before), duration(found.after)]
    return [duration(getattr(one, f"{name}_ns")) if one else "" for one in (row.before, row.after)]


def _rates(row: Compared) -> list[tuple[float, Distribution | None]]:
    return [(row.before_rate, row.before), (row.after_rate, row.after)]


def change_words(found: Change) -> str:
    """``+38%↑``; without the arrow where it is within the noise, ``-`` where that cannot be told."""
    if found.verdict is Verdict.UNTOLD:
        return "- "
    return change(found.share) + (_mark(found) or " ")


def _mark(found: Change) -> str:
    return {Verdict.UP: "↑", Verdict.DOWN: "↓"}.get(found.verdict, "")


def judged_words(one: Judged) -> str:
    """A limit and whether it holds: a line."""
    what = f"{one.name.full} {one.limit.quantile}"
    if one.holds is None:
        return f"not judged: {what}: {one.why}"
    grew = f"{change(one.change.share)}, {one.change.verdict.value}; limit +{one.limit.share * 100:g}%"
    return f"{'ok' if one.holds else 'FAILED'}: {what}: {grew}"
