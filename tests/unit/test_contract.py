"""The rooms of the house: who imports whom, and who knows which package."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import netlat_tui
from netlat_tui.model.points import MAX_POINTS, POINTS

PACKAGE = Path(netlat_tui.__file__).parent
PROJECT = PACKAGE.parent

ANY_ROOM = {"netlat_tui", "numpy"}
ROOMS = {
    "model": {"lark"},
    "bpf": {"bcc"},
    "system": {"psutil"},
    "recording": {"msgspec", "zstandard"},
    "sources": set(),
    "export": {"perfetto"},
    "widgets": {"textual", "rich"},
    "screens": {"textual", "rich"},
    "app": {"textual", "rich"},
    "cli": {"click"},
}
CORE = ("model", "system", "recording", "export", "sources.base", "sources.replay")


def room_of(source: Path) -> str:
    first = source.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "cli" if first.startswith(("cli", "__main__")) else first


def imports_of(source: Path) -> Iterator[str]:
    """Names of the packages a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def test_a_room_imports_only_from_rooms_below_it() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache", "--no-logo"], cwd=PROJECT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_packages_it_is_for(room: str) -> None:
    allowed = ROOMS[room] | ANY_ROOM | sys.stdlib_module_names
    found = {
        (str(source.relative_to(PACKAGE)), name)
        for source in PACKAGE.rglob("*.py")
        if room_of(source) == room
        for name in imports_of(source)
        if name not in allowed
    }
    assert not found


def test_every_module_belongs_to_a_room() -> None:
    rooms = {room_of(source) for source in PACKAGE.rglob("*.py")}
    assert rooms - {"__init__"} <= set(ROOMS)
    assert {"model", "bpf", "system", "recording", "sources", "export"} <= rooms


def test_the_core_runs_without_screens_and_without_the_tracer() -> None:
    roots = [name for room in CORE if find_spec(name := f"netlat_tui.{room}")]
    script = f"""
import importlib, pkgutil, sys
for root in {roots!r}:
    module = importlib.import_module(root)
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), root + "."):
        importlib.import_module(found.name)
print(*sorted({{"textual", "rich", "bcc", "click"}} & set(sys.modules)))
print("netlat_tui.model.filter" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False)
    assert (done.stdout.splitlines(), done.stderr) == (["", "True"], "")


def test_a_path_record_has_as_many_slots_as_the_longest_way_has_points() -> None:
    assert max(len(points) for points in POINTS.values()) == MAX_POINTS
