"""The characters drawn with, in two sets: for UTF-8 terminals, and for those that have ASCII only."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from netlat_tui.model.text import duration, printable

_WORDS = str.maketrans(
    {"→": "->", "↔": "<->", "µ": "u", "…": "~", "·": "|", "–": "-", "—": "-", "─": "-", "≥": ">=", "×": "x"}
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of characters. ``heights``, ``eighths`` and ``density`` rise from the least to a full cell."""

    ascii_only: bool
    heights: str
    eighths: str
    cursor: str
    bands: tuple[str, str, str]
    ellipsis: str
    rule: str
    separator: str
    crumb: str
    mark: str
    tick: str
    falling: str
    rising: str
    gap: str
    done: str
    head: str
    flag: str
    density: str
    unmeasured: str
    covered: str

    def duration(self, ns: float | None) -> str:
        return duration(ns, self.ascii_only)

    def text(self, text: str) -> str:
        """Our own words, or a name from the system, as this terminal can show it: printable, ASCII where it must be."""
        text = printable(text)
        if not self.ascii_only:
            return text
        return "".join(char if char.isascii() else "?" * max(1, cell_len(char)) for char in text.translate(_WORDS))


UNICODE = Glyphs(
    ascii_only=False, heights="▁▂▃▄▅▆▇█", eighths="▏▎▍▌▋▊▉█", cursor="▌", bands=(" ", "•", "▲"),
    ellipsis="…", rule="─", separator="·", crumb="›", mark="╵", tick="┬", falling="↓", rising="↑", gap="·",
    done="━", head="█", flag="┃",
    density="░▒▓█", unmeasured="╎", covered="═",
)  # fmt: skip

ASCII = Glyphs(
    ascii_only=True, heights="_.-~=+*#", eighths="|=======", cursor=">", bands=(" ", "+", "!"),
    ellipsis="~", rule="-", separator="|", crumb=">", mark="'", tick="+", falling="v", rising="^", gap=".",
    done="=", head="#", flag="!",
    density=".:+#", unmeasured="|", covered="=",
)  # fmt: skip


def glyphs(ascii_only: bool) -> Glyphs:
    return ASCII if ascii_only else UNICODE
