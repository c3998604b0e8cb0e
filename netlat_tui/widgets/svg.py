"""SVG pictures of the screen that look the same in every viewer."""

from __future__ import annotations

import re

from rich.console import Console
from rich.terminal_theme import TerminalTheme

DARK = TerminalTheme(
    (22, 24, 29),
    (214, 218, 226),
    [
        (40, 44, 52), (224, 108, 117), (140, 194, 101), (226, 182, 96),
        (56, 92, 148), (198, 132, 208), (94, 182, 200), (200, 204, 212),
    ],
    [
        (104, 112, 126), (240, 98, 98), (160, 212, 120), (240, 200, 120),
        (90, 150, 230), (214, 150, 224), (120, 206, 222), (245, 247, 250),
    ],
)  # fmt: skip
"""What a terminal's own sixteen colours are in a picture."""

LIGHT = TerminalTheme(
    (252, 252, 250),
    (44, 48, 56),
    [
        (44, 48, 56), (190, 40, 50), (40, 120, 50), (150, 100, 0),
        (40, 90, 180), (140, 60, 150), (0, 120, 140), (208, 212, 218),
    ],
    [
        (130, 136, 146), (200, 40, 50), (50, 140, 60), (170, 110, 0),
        (50, 110, 210), (160, 70, 170), (0, 140, 160), (255, 255, 255),
    ],
)  # fmt: skip
"""The same on a light background."""

_TEXT = re.compile(r'(<text [^>]*? x=")([\d.]+)(" y="[\d.]+" textLength=")([\d.]+)("[^>]*>)((?:&#160;)+)(.)')
_CELL = 12.2
_FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FONT = "font-family: Fira Code, monospace"
_FONTS = "font-family: 'DejaVu Sans Mono', 'Fira Code', Menlo, Consolas, monospace"


def _indent(match: re.Match[str]) -> str:
    cells = match[6].count("&#160;")
    x, length = float(match[2]) + cells * _CELL, float(match[4]) - cells * _CELL
    return f"{match[1]}{x:g}{match[3]}{length:g}{match[5]}{match[7]}"


def svg(console: Console, title: str, *, dark: bool = True) -> str:
    """What a console recorded. Fonts are those at hand, nothing is fetched; leading blanks, which some viewers drop,
    become positions."""
    text = console.export_svg(title=title, theme=DARK if dark else LIGHT)
    text = (
        _FONT_FACES.sub("", text).replace(_FONT, _FONTS).replace("font-size: 20px", f"font-size: {_CELL / 0.602:.2f}px")
    )
    return _TEXT.sub(_indent, text)
