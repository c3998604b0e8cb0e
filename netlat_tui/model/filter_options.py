"""Texts of filters made of parts: of the command line's options, and of a filter and one more condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from netlat_tui.model import filter_values as values
from netlat_tui.model.filter_base import quote
from netlat_tui.model.filter_errors import FilterError
from netlat_tui.model.filter_names import Ifaces
from netlat_tui.model.filter_nodes import conjuncts
from netlat_tui.model.filter_parser import parsed
from netlat_tui.model.filter_terms import Numbers, merge_ranges


def combine(base: str, more: str) -> str:
    """The text of the filter for what both select: ``more`` added with ``and``, in parentheses where they are needed.

    What ``base`` demands already is not added. ``FilterError`` where one of them has a mistake.
    """
    base, more = base.strip(), more.strip()
    first, second = (parsed(text) if text else None for text in (base, more))
    if first is None or second is None:
        return base or more
    if set(conjuncts(second.node)) <= set(conjuncts(first.node)):
        return base
    return f"{_enclosed(base, first.loose_or)} and {_enclosed(more, second.loose_or)}"


def _enclosed(text: str, loose_or: bool) -> str:
    return f"({text})" if loose_or else text


def from_options(
    ifaces: Iterable[str] = (),
    ports: Iterable[str | int] = (),
    cpus: Iterable[str | int] = (),
    direction: str = "both",
    text: str = "",
) -> str:
    """The text of the filter that the command line's options ask for; "" where they ask for nothing.

    Of an option given more than once one value must hold; ports and CPUs may be ranges and lists (``80,8000-8100``).
    All options and ``text`` must hold together. ``direction`` is ``rx``, ``tx`` or ``both``. ``FilterError`` where an
    option, which it names, or ``text`` has a mistake.
    """
    if direction not in ("rx", "tx", "both"):
        raise FilterError(f"--direction: expected rx, tx or both, found {quote(direction)}", 0, ("rx", "tx", "both"))
    terms = [_iface_text(tuple(ifaces)), _number_text("port", ports), _number_text("cpu", cpus)]
    terms.append("" if direction == "both" else direction)
    made = " and ".join(filter(None, terms))
    return combine(made, text) if made else combine(text, "")


def _iface_text(names: tuple[str, ...]) -> str:
    with _option("--iface"):
        checked = tuple(dict.fromkeys(values.name("iface", quote(name), 0) for name in names))
    return Ifaces(checked).text() if checked else ""


def _number_text(word: str, items: Iterable[str | int]) -> str:
    with _option(f"--{word}"):
        parts = [(part.strip(), 0) for item in items for part in str(item).split(",")]
        found = [pair for part in parts for pair in values.ranges(word, [part])]
    return Numbers(word, merge_ranges(found)).text() if found else ""


@contextmanager
def _option(option: str) -> Iterator[None]:
    """Say the option instead of the column."""
    try:
        yield
    except FilterError as error:
        raise FilterError(f"{option}: {str(error).partition(': ')[2]}", 0, error.expected) from None
