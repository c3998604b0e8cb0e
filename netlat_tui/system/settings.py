"""The user's own two files: one written by hand, which is only ever read, and one that keeps what was chosen in the
application.

They are looked up and read once rights are given up, as whoever called sudo. A file is taken only if it is that user's
own, or root's and for everybody to read: nothing is shown of a file that its user could not have read.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from netlat_tui.model.text import printable
from netlat_tui.system.host import sudo_owner

FOLDER = "netlat-tui"
MOST_BYTES = 64 * 1024


class SettingsError(Exception):
    """A file cannot be used. One sentence that says what to do."""


def config_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """``$XDG_CONFIG_HOME/netlat-tui/config.toml``; ``None`` where there is no home."""
    return _under("XDG_CONFIG_HOME", ".config", "config.toml", environ)


def columns_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """``$XDG_STATE_HOME/netlat-tui/columns.toml``; ``None`` where there is no home."""
    return _under("XDG_STATE_HOME", ".local/state", "columns.toml", environ)


def _under(variable: str, default: str, name: str, environ: Mapping[str, str]) -> Path | None:
    folder = Path(environ.get(variable, ""))
    if not folder.is_absolute():  # as the XDG specification has it: a relative one is not to be used
        home = _home(environ)
        if home is None:
            return None
        folder = home / default
    return folder / FOLDER / name


def _home(environ: Mapping[str, str]) -> Path | None:
    """The home of whoever called sudo, else ``HOME``, else what the user database says."""
    caller = environ.get("SUDO_UID", "")
    if caller.isascii() and caller.isdigit() and len(caller) < 11 and int(caller) > 0 and _ours(int(caller)):
        uid = int(caller)
    elif environ.get("HOME", "").startswith("/"):
        return Path(environ["HOME"])
    else:
        uid = os.geteuid()
    with suppress(KeyError, OverflowError):
        home = Path(pwd.getpwuid(uid).pw_dir)
        return home if home.is_absolute() else None
    return None


def _ours(caller: int) -> bool:
    """Whether we are, or will be, whoever called sudo: what sudo said outlives a ``su`` to somebody else."""
    return os.geteuid() in (0, caller)


def read(path: Path) -> dict[str, Any] | None:
    """A file's TOML, ``None`` where there is no such file; ``SettingsError`` where it cannot be used."""
    shown = printable(str(path))
    try:
        text = _text(path, shown)
        return None if text is None else tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{shown} is not TOML: {_lower(str(error))}; correct it there.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{shown} is not UTF-8 text: save it as UTF-8.") from None
    except (RecursionError, ValueError):  # brackets without end; a number of thousands of digits
        raise SettingsError(f"{shown} cannot be read: it is nested too deeply, or holds too large a number.") from None


def _text(path: Path, shown: str) -> str | None:
    try:
        # not to be held up by what is no file at all, as a pipe
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"{shown} cannot be read ({error.strerror}): let its user read it.") from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise SettingsError(f"{shown} is no file: put one in its place.")
    with os.fdopen(descriptor, "rb") as file:
        own = found.st_uid == os.geteuid()
        if not own and not (found.st_uid == 0 and found.st_mode & stat.S_IROTH):
            raise SettingsError(f"{shown} belongs to somebody else: chown it to whom it is for.")
        if found.st_mode & stat.S_IWOTH:
            raise SettingsError(f"{shown} can be written by anybody: chmod o-w it.")
        if found.st_size > MOST_BYTES:
            raise SettingsError(f"{shown} is larger than {MOST_BYTES // 1024} KiB: leave the needless out.")
        try:
            return file.read(MOST_BYTES + 1)[:MOST_BYTES].decode("utf-8").replace("\r\n", "\n")
        except OSError as error:
            raise SettingsError(f"{shown} cannot be read ({error.strerror}): look at its file system.") from None


def _lower(words: str) -> str:
    """tomllib's sentence as a clause: without the capital, and without what it may quote of the file."""
    return printable(words[:1].lower() + words[1:])


def write(path: Path, text: str) -> None:
    """Put a file in its place, whole or not at all, for its user's eyes only; ``SettingsError`` where that fails.

    One that cannot be used, but is there, is kept beside it as ``.broken``.
    """
    owner = sudo_owner()
    if owner is not None and owner[0]:  # rights could not be given up: a folder of somebody else's is no place for root
        raise SettingsError(f"{printable(str(path))} is not written as root for somebody else: start it without sudo.")
    name = ""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            read(path)
        except SettingsError:
            with suppress(FileNotFoundError):
                path.replace(path.with_name(f"{path.name}.broken"))
        Path(name).replace(path)
        name = ""
    except OSError as error:
        reason = error.strerror or errno.errorcode.get(error.errno or 0, "?")
        raise SettingsError(
            f"{printable(str(path))} cannot be written ({reason}): "
            "make room or let its folder be written to, or name another in XDG_STATE_HOME."
        ) from None
    finally:
        if name:
            with suppress(OSError):
                Path(name).unlink()
