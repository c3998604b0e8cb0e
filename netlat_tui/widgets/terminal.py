"""What the terminal at hand can show, as far as its environment says."""

from __future__ import annotations

import locale
import sys
from collections.abc import Mapping

from textual.theme import BUILTIN_THEMES, Theme

_VARIABLES = {
    "cursor-foreground": "ansi_bright_white",
    "cursor-background": "ansi_blue",
    "dim-border": "ansi_bright_black",
    "input-cursor-background": "ansi_default",
    "input-cursor-foreground": "ansi_default",
    "input-cursor-text-style": "reverse",
    "input-selection-background": "ansi_blue",
    "input-selection-foreground": "ansi_bright_white",
    "block-cursor-foreground": "ansi_bright_white",
    "block-cursor-background": "ansi_blue",
    "block-cursor-text-style": "bold",
    "border-blurred": "ansi_bright_black",
}

_OWN = "ansi_default"
"""The terminal's own foreground and background."""


def _theme(name: str, dark: bool, accent: str, warning: str, error: str) -> Theme:
    builtin = BUILTIN_THEMES["ansi-dark" if dark else "ansi-light"].variables
    return Theme(
        name,
        ansi=True,
        dark=dark,
        primary=_OWN,
        secondary=accent,
        accent=accent,
        warning=warning,
        error=error,
        success="ansi_green",
        foreground=_OWN,
        background=_OWN,
        surface=_OWN,
        panel=_OWN,
        boost=_OWN,
        variables={**builtin, **_VARIABLES, "footer-key-foreground": accent, "border": accent},
    )


DARK = _theme("netlat-dark", True, "ansi_cyan", "ansi_yellow", "ansi_bright_red")
LIGHT = _theme("netlat-light", False, "ansi_blue", "ansi_magenta", "ansi_red")

DEFAULTS = {
    "cursor-foreground": _VARIABLES["cursor-foreground"],
    "cursor-background": _VARIABLES["cursor-background"],
    "dim-border": _VARIABLES["dim-border"],
}
"""Variables of ours that themes of others do not have."""

THEMES = (DARK, LIGHT)

_ASCII_TERMINALS = ("linux", "vt100", "vt220", "dumb", "ansi")


def wants_ascii(environ: Mapping[str, str], encoding: str | None = None, c_locale: bool | None = None) -> bool:
    """Whether to draw with ASCII alone: the console's font and non-UTF-8 locales have nothing else.

    In the C locale (``c_locale``: whether it is in force) Python takes everything for UTF-8. Who chose it by name wants
    ASCII; who chose none, or one of UTF-8 that is not installed, most likely sits at a terminal that knows UTF-8.
    """
    if environ.get("TERM", "") in _ASCII_TERMINALS:
        return True
    if bool(sys.flags.utf8_mode) if c_locale is None else c_locale:
        chosen = "" if environ.get("PYTHONUTF8") else environ.get("LC_ALL") or environ.get("LANG") or ""
        return bool(chosen) and "utf" not in chosen.lower()
    return (encoding or locale.getpreferredencoding(False)).lower().replace("-", "") not in ("utf8", "utf8mb4")


def theme_for(environ: Mapping[str, str]) -> Theme:
    """Dark, unless the terminal says that its background is light (``COLORFGBG``)."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if background in ("7", "15") else DARK
