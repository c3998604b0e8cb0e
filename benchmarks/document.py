"""The figures as part of docs/performance.md, between its two marks; the rest of the page is written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.figures import figure_rows, markdown, result_of, table

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- figures: begin (make bench ARGS=--docs) -->\n", "<!-- figures: end -->\n"


def page(text: str, figures: str) -> str:
    """The page with these figures between its marks; ``ValueError`` where they are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks for the figures")
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"


def figures_of(data: dict[str, Any]) -> str:
    """The machine, the promises side by side, then a section for each part."""
    told = data["machine"]
    parts = {name: (result_of(part), part["load"]) for name, part in data["parts"].items()}
    promised = [figure for result, _ in parts.values() for figure in result.figures if figure.bound is not None]
    text = [
        "Taken on: {cpu}, {cores} cores, {memory}, {kernel}, Python {python}.\n".format(**told),
        "### What was promised\n\n"
        + table(("figure", "measured", "promised", ""), [row[:4] for row in figure_rows(promised)]),
    ]
    for result, load in parts.values():
        section = markdown(result)
        if load >= machine.QUIET:
            section += f"\nThe machine was not quiet: its load average was {load:.1f} at the start.\n"
        text.append(section)
    return "\n".join(text)


def write(data: dict[str, Any]) -> None:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), figures_of(data)), encoding="utf-8")
