"""Who a file belongs to that is written as root: whoever called sudo."""

from __future__ import annotations

import os


def sudo_owner() -> tuple[int, int] | None:
    """(user, group) who called sudo; ``None`` where nobody did."""
    if os.geteuid():
        return None
    try:
        return int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
    except (KeyError, ValueError):
        return None
