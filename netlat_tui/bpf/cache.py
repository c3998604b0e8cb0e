"""Compiled programs on disk, so that only the first start after an update of kernel or netlat-tui compiles.

They go into the kernel with all its rights: a folder that anyone else could have written to is not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

_FORMAT = "1"
_MOST = 8  # files; one per kernel and size of machine


def folder() -> Path:
    """$XDG_CACHE_HOME/netlat-tui; without it, root's is in /var/cache and anyone else's in ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = "/var/cache" if os.geteuid() == 0 else os.path.expanduser("~/.cache")  # noqa: PTH111 - may have no home
    return Path(base) / "netlat-tui"


def _own(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _name(source: str) -> str:
    return hashlib.sha256(f"{_FORMAT}\n{source}".encode()).hexdigest() + ".json"


def get(source: str) -> str | None:
    """What was kept for this source; ``None`` where there is nothing that can be trusted."""
    try:
        with (folder() / _name(source)).open(encoding="utf-8") as file:
            if _own(folder().lstat()) and _own(os.fstat(file.fileno())):
                return file.read()
    except (OSError, UnicodeDecodeError):
        pass
    return None


def put(source: str, text: str) -> None:
    """Keep it, whole or not at all. Where that cannot be done, the next start compiles again."""
    with contextlib.suppress(OSError):
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _own(folder().lstat()):
            return
        handle, name = tempfile.mkstemp(dir=folder(), prefix=".new-")
        try:
            with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
                file.write(text)
            Path(name).replace(folder() / _name(source))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        kept = sorted(folder().glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-_MOST]:
            path.unlink(missing_ok=True)
