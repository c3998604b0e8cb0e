"""What this machine offers, for people and scripts."""

from __future__ import annotations

import json
from dataclasses import asdict

from netlat_tui.model.offers import Offers
from netlat_tui.model.text import printable

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
        lines.append(f"{_MARKS[check.ok]:<3} {check.name:<12} {printable(check.text)}{remedy}")
    lines += ["", "DIR  POINT      HOOK"]
    for hook in offers.hooks:
        what = f"{hook.kind} {hook.hook}" if hook.kind != "none" else "none"
        why = f" ({printable(hook.reason)})" if hook.reason else ""
        lines.append(f"{hook.direction:<4} {hook.point:<10} {what}{why}")
    lines += [
        "",
        "live tracing is possible" if offers.traceable else "live tracing is not possible; replay and report FILE are",
    ]
    return "\n".join(lines) + "\n"
