"""What is said about a mistake in a filter."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from netlat_tui.model.text import printable

MAX_FOUND = 40
"""Characters of the user's text repeated in a message."""


class FilterError(ValueError):
    """A mistake in a filter. ``column`` counts from 0; ``expected`` lists what could stand there.

    The text is one line for people, and counts columns from 1 as they do. It is printable.
    """

    def __init__(self, message: str, column: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.expected = expected

    def pointed(self, text: str) -> str:
        """Two lines: the filter, and a caret under the column of the mistake."""
        line = one_line(text)
        return f"{line}\n{' ' * sum(map(_cells, line[: self.column]))}^"


def mistake(column: int, phrases: Sequence[str], found: str, words: Sequence[str] = (), hint: str = "") -> FilterError:
    """``column 6: expected a port number, found "htp"``. ``found`` is as the user wrote it, "" at the end of the text.

    ``words`` are what ``FilterError.expected`` lists where that is more than the phrases of the message.
    """
    message = f"column {column + 1}: expected {any_of(phrases)}, found {_quoted(found)}{hint}"
    return FilterError(message, column, tuple(words or phrases))


def any_of(phrases: Sequence[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, (", ".join(phrases[:-1]), phrases[-1])))


def one_line(text: str) -> str:
    """The text on one line, character for character."""
    return printable("".join(" " if char.isspace() else char for char in text))


def _quoted(found: str) -> str:
    if not found:
        return "the end of the filter"
    line = one_line(found)
    if len(line) > MAX_FOUND:
        line = f"{line[:MAX_FOUND]}…"
    return line if line[0] in "\"'" else f'"{line}"'


def _cells(char: str) -> int:
    """Columns of a terminal the character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
