"""What its user has set: keys and columns of the config file, and columns chosen in the application, which are kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netlat_tui.model.text import printable
from netlat_tui.screens import keymap, orders
from netlat_tui.screens.catalogue import PLACES, TABLES
from netlat_tui.screens.orders import Order
from netlat_tui.system import settings as files
from netlat_tui.system.settings import SettingsError

SECTIONS = ("keys", "columns")


@dataclass(frozen=True)
class Settings:
    """``sentences`` say what is wrong with the files; everything else goes on as if that were not there."""

    keys: Mapping[str, str] = field(default_factory=dict)  # Textual's keymap
    columns: Mapping[str, Order] = field(default_factory=dict)  # by table, of the config file
    kept: Mapping[str, Order] = field(default_factory=dict)  # by table, chosen in the application
    sentences: tuple[str, ...] = ()
    used: Path | None = None  # the config file, if there is one
    keep_in: Path | None = None  # the file that choices are kept in


def of_config(content: Mapping[str, Any]) -> Settings:
    """What a config file's content says; whatever it is, there is a sentence for what is wrong with it."""
    said = [
        f"[{printable(name)}]: there is no such section; there are [keys] and [columns]."
        for name in content
        if name not in SECTIONS
    ]
    tables: dict[str, Mapping[str, object]] = {}
    for name in SECTIONS:
        found = content.get(name, {})
        if isinstance(found, Mapping):
            tables[name] = found
        else:
            said.append(f"{name}: write it as a section, [{name}], with a line for each.")
    keys, about_keys = keymap.checked(tables.get("keys", {}), PLACES)
    columns, about_columns = orders.checked(tables.get("columns", {}), TABLES)
    return Settings(keys=keys, columns=columns, sentences=(*said, *about_keys, *about_columns))


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Both files' content; never an error."""
    path, keep_in = files.config_file(environ), files.columns_file(environ)
    found, kept = Settings(), Settings()
    said: list[str] = []
    used: Path | None = None
    try:
        content = files.read(path) if path is not None else None
        if content is not None:
            found, used = of_config(content), path
    except SettingsError as error:
        said.append(str(error))
    try:
        content = files.read(keep_in) if keep_in is not None else None
        kept = Settings(kept=orders.recalled(_section(content), TABLES))
    except SettingsError as error:
        said.append(str(error))
    named = [f"{printable(str(path))}: {sentence}" for sentence in found.sentences]
    return Settings(found.keys, found.columns, kept.kept, (*said, *named), used, keep_in)


def _section(content: Mapping[str, Any] | None) -> Mapping[str, object]:
    section = (content or {}).get("columns", {})
    return section if isinstance(section, Mapping) else {}


class Keeper:
    """Keeps the columns chosen, in a thread of its own: a disk can be slow. What it fails at it says to ``tell``."""

    def __init__(self, path: Path | None, tell: Callable[[str], None]) -> None:
        self._path = path
        self._tell = tell
        self._changed: dict[str, list[str] | None] = {}
        self._thread: threading.Thread | None = None

    def keep(self, table: str, names: list[str] | None) -> None:
        """These columns for a table from now on; ``None``: what is said elsewhere."""
        self._changed[table] = names
        changed = dict(self._changed)
        self._thread = threading.Thread(target=self._write, args=(changed, self._thread), name="columns", daemon=True)
        self._thread.start()

    def close(self, seconds: float) -> bool:
        """Wait so long for what is being written; whether it is."""
        if self._thread is not None:
            self._thread.join(seconds)
            return not self._thread.is_alive()
        return True

    def _write(self, changed: Mapping[str, list[str] | None], before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # the last word is the last one said
        try:
            write_columns(self._path, changed)
        except SettingsError as error:
            self._tell(f"The columns are as chosen, but not for the next time: {error}")


def write_columns(path: Path | None, changed: Mapping[str, list[str] | None]) -> None:
    """Change these tables in the file, and leave those that others have changed meanwhile."""
    if path is None:
        raise SettingsError("there is no home folder: name a folder in XDG_STATE_HOME.")
    try:
        present: dict[str, object] = dict(_section(files.read(path)))
    except SettingsError:  # it is put aside
        present = {}
    for name, names in changed.items():
        if names is None:
            present.pop(name, None)
        else:
            present[name] = names
    files.write(path, orders.as_toml(present))
