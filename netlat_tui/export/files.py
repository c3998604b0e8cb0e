"""Files of a view: all of them whole, or none."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO


class ExportError(Exception):
    """Files could not be written. One sentence that says what to do."""


def write_together(folder: Path, stem: str, contents: Mapping[str, str]) -> list[Path]:
    """Write ``stem + suffix`` for each suffix; returns the paths.

    Every file is written beside its place and moved there when all are whole; nothing is overwritten (a number is
    added to the stem). Mode 0600, owned by whoever called sudo. ``ExportError`` where any cannot be written; then none
    is left behind.
    """
    made: list[tuple[str, Path]] = []
    placed: list[Path] = []
    try:
        for suffix, text in contents.items():
            descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{stem}.", suffix=suffix)
            made.append((name, Path(name)))
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            _give_to_caller(name)
        stem = _free(folder, stem, list(contents))
        for suffix, (name, _) in zip(contents, made, strict=True):
            target = folder / f"{stem}{suffix}"
            os.link(name, target)  # unlike a rename, fails where the name was taken meanwhile
            placed.append(target)
    except OSError as error:
        for path in placed:
            with suppress(OSError):
                path.unlink()
        raise ExportError(
            f"Nothing was written: {folder} cannot be written to ({error.strerror}); start in another folder,"
            " or name one in NETLAT_TUI_EXPORT_DIR."
        ) from error
    finally:
        for _, temporary in made:
            with suppress(OSError):
                temporary.unlink()
    return placed


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A text file that takes its place when it is whole; ``ExportError`` where that is taken or cannot be written."""
    with writing_bytes(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        yield text


@contextmanager
def writing_bytes(path: Path) -> Iterator[BinaryIO]:
    """The same of a file of bytes."""
    if path.exists() or path.is_symlink():
        raise ExportError(f"{path} exists already: name another file or remove it first.")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ExportError(f"{path} cannot be written ({error.strerror}): name another file.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        _give_to_caller(name)
        os.link(name, path)
    except OSError as error:
        raise ExportError(f"{path} cannot be written ({error.strerror}): name another file.") from error
    finally:
        Path(name).unlink()


def _free(folder: Path, stem: str, suffixes: list[str]) -> str:
    candidate, number = stem, 1
    while any((folder / f"{candidate}{suffix}").exists() for suffix in suffixes):
        number += 1
        candidate = f"{stem}-{number}"
    return candidate


def _give_to_caller(name: str) -> None:
    if os.geteuid():
        return
    try:
        uid, gid = int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
    except (KeyError, ValueError):
        return
    os.chown(name, uid, gid)
