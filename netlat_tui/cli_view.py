"""The screens, live or of a recording, on this terminal."""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from netlat_tui.cli_base import Ask, Ended, chosen_filter, end_if_damaged, recording
from netlat_tui.model.filter import Filter
from netlat_tui.sources.base import Source, SourceError
from netlat_tui.system import memory, rights

DEMO = Path(__file__).parent / "data" / "demo.netlat"


def live_view(ask: Ask, ascii_only: bool) -> NoReturn:
    """The live screens; where the kernel cannot be traced, the bundled recording and a banner that says why."""
    flt = chosen_filter(ask, live=True)
    _require_terminal()
    from netlat_tui.sources.live import LiveSource
    from netlat_tui.sources.replay import ReplaySource

    banner = ""
    source: Source
    try:
        source = LiveSource(
            filter=flt,
            interval_s=ask.interval_s,
            hooks=ask.hooks,
            budget=ask.budget,
            meanwhile=lambda: importlib.import_module("netlat_tui.app"),
        )
    except SourceError as error:
        if ask.hooks != "auto" or not DEMO.exists():  # who forces a kind of hook wants to know of that one
            raise Ended(error.exit_code, str(error)) from None
        banner = f"Not live, this is a recording. {error}"
        source = ReplaySource(DEMO, loop=True)
    rights.drop()
    _show(source, ask, flt, banner, ascii_only)


def replay_view(file: str, ask: Ask, ascii_only: bool) -> NoReturn:
    flt = chosen_filter(ask, live=False)
    _require_terminal(stdin=file != "-")
    source = recording(file, speed=1.0)
    rights.drop()  # what it takes to read the recording; all else is its user's own
    _show(source, ask, flt, "", ascii_only)


def _require_terminal(stdin: bool = True) -> None:
    if not sys.stdout.isatty() or (stdin and not sys.stdin.isatty()):
        raise Ended(2, "The view needs a terminal: use `netlat-tui report` or `netlat-tui trace` in a pipe.")
    if os.environ.get("TERM") == "dumb":
        raise Ended(
            2, "This terminal cannot move its cursor (TERM=dumb): use `netlat-tui report`, or name another in TERM."
        )


def _trust_terminal() -> None:
    """The window's size is what the terminal says, now and after every change. An exported COLUMNS is of another time,
    and would win for ever (shutil.get_terminal_size asks it first).
    """
    with suppress(OSError):
        if all(os.get_terminal_size(sys.stdout.fileno())):
            os.environ.pop("COLUMNS", None)
            os.environ.pop("LINES", None)


def _show(source: Source, ask: Ask, flt: Filter, banner: str, ascii_only: bool) -> NoReturn:
    from netlat_tui.app import run

    memory.return_large()
    _trust_terminal()
    try:
        code = run(
            source,
            filter_text=flt.text,
            direction=ask.way,
            banner=banner,
            ascii_only=ascii_only,
            interval=ask.interval_s,
        )
    finally:
        source.close()
    end_if_damaged(source)
    raise Ended(code)
