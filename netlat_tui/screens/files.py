"""Where the screen writes files, and what they are called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

FOLDER_VARIABLE = "NETLAT_TUI_EXPORT_DIR"


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder named by ``NETLAT_TUI_EXPORT_DIR``, else the one we were started in."""
    return Path(environ.get(FOLDER_VARIABLE) or ".").expanduser().absolute()


def stem(what: str, time_ns: int) -> str:
    """``netlat-layers-20260101T000003Z``: what it is, and when, to the second (UTC)."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return f"netlat-{what}-{moment:%Y%m%dT%H%M%SZ}"
