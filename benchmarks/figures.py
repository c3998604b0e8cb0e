"""Figures: what is made of measurements before anybody sees them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``value`` is ``None`` where it could not be measured; ``note`` says why.

    ``bound``: what DESIGN promises; ``at_most``: whether the value has to stay below it, or above.
    """

    name: str
    value: float | None
    unit: str
    bound: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def met(self) -> bool | None:
        """``None`` where nothing was promised, or nothing measured."""
        if self.bound is None or self.value is None:
            return None
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met}


def median(values: Sequence[float]) -> float | None:
    """``None`` of nothing."""
    return statistics.median(values) if values else None


def spread(values: Sequence[float]) -> tuple[float, float] | None:
    """The smallest and the largest; ``None`` of nothing."""
    return (min(values), max(values)) if values else None


def ratios(neighbours: Sequence[float], measured: Sequence[float]) -> list[float]:
    """Each measured value as a share of the mean of its two untraced neighbours.

    ``neighbours`` has one value more than ``measured``: before the first, between them, after the last.
    """
    if len(neighbours) != len(measured) + 1:
        raise ValueError("each measurement needs a neighbour on either side")
    means = [(before + after) / 2 for before, after in pairwise(neighbours)]
    return [value / mean for value, mean in zip(measured, means, strict=True) if mean]


def number(value: float | None) -> str:
    """Three significant digits, all of whole numbers; – where there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a pipe in a cell does not end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def figure_rows(figures: Sequence[Figure]) -> list[list[str]]:
    """Rows of figure, value, bound, met, note."""
    words = {True: "met", False: "**not met**", None: "–"}
    rows = []
    for figure in figures:
        bound = "–"
        if figure.bound is not None:
            bound = f"{'≤' if figure.at_most else '≥'} {number(figure.bound)} {figure.unit}".rstrip()
        value = f"{number(figure.value)} {figure.unit}".rstrip() if figure.value is not None else "–"
        rows.append([figure.name, value, bound, words[figure.met], figure.note])
    return rows


@dataclass(frozen=True, slots=True)
class Table:
    """A table beside the figures."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: str = ""  # a sentence below it


@dataclass(frozen=True, slots=True)
class Result:
    """What a part of the benchmarks found."""

    title: str
    conditions: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "title": self.title,
            "conditions": self.conditions,
            "figures": [figure.as_json() for figure in self.figures],
            "tables": [asdict(made) for made in self.tables],
        }


def result_of(data: dict[str, Any]) -> Result:
    """What ``as_json`` gave, read again."""
    figures = tuple(Figure(**{key: value for key, value in row.items() if key != "met"}) for row in data["figures"])
    tables = tuple(
        Table(made["title"], tuple(made["head"]), tuple(tuple(row) for row in made["rows"]), made["text"])
        for made in data["tables"]
    )
    return Result(data["title"], data["conditions"], figures, tables)


def markdown(result: Result) -> str:
    """A section of docs/performance.md."""
    head = ("figure", "measured", "promised", "", "note")
    parts = [f"### {result.title}\n\n{result.conditions}\n\n{table(head, figure_rows(result.figures))}"]
    for made in result.tables:
        parts.append(f"{made.title}\n\n{table(made.head, made.rows)}" + (f"\n{made.text}\n" if made.text else ""))
    return "\n".join(parts)
