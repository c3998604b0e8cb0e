"""What this machine offers, for people and scripts."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict

from netlat_tui.model.offers import Offers
from netlat_tui.model.text import printable

CELLS = 80
"""Lines are no longer, but for a word that is."""

_MARKS = {True: "ok", False: "NO", None: "?"}


def to_json(offers: Offers) -> str:
    return json.dumps({"schema": "netlat-tui/check/1", **asdict(offers)}, ensure_ascii=False, indent=1) + "\n"


def to_text(offers: Offers) -> str:
    lines = [
        f"netlat-tui {offers.version} on {printable(offers.host)}, Linux {printable(offers.kernel)}, {offers.machine}",
        "",
    ]
    for check in offers.checks:
        remedy = f"; {check.remedy}" if check.remedy else ""
        lines += _hanging(f"{_MARKS[check.ok]:<3} {check.name:<12} ", f"{check.text}{remedy}")
    lines += ["", "DIR  POINT      HOOK"]
    for hook in offers.hooks:
        front = f"{printable(hook.direction):<4} {printable(hook.point):<10} "
        what = f"{hook.kind} {hook.hook}" if hook.kind != "none" else "none"
        if len(front) + len(what) + len(hook.reason) + 3 <= CELLS:
            lines.append(front + printable(f"{what} ({hook.reason})" if hook.reason else what))
            continue
        lines += _hanging(front, what)
        lines += _hanging(" " * len(front), f"({hook.reason})" if hook.reason else "")
    lines += [
        "",
        "live tracing is possible" if offers.traceable else "live tracing is not possible; replay and report FILE are",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _hanging(front: str, text: str) -> list[str]:
    """The text after ``front``, broken between words and indented as far; nothing where there is no text."""
    return textwrap.wrap(
        printable(text),
        CELLS,
        initial_indent=front,
        subsequent_indent=" " * len(front),
        break_long_words=False,
        break_on_hyphens=False,
    )
