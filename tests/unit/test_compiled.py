"""What the compiler's process hands over, and what is kept of it."""

from __future__ import annotations

import ctypes
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from netlat_tui.bpf import cache, compiled
from netlat_tui.bpf.calls import MapSpec
from netlat_tui.bpf.compiled import BuildError, Compiled, CompiledMap
from netlat_tui.bpf.compiler import MISSING, NAMESAKE, _number_maps, layout

SPEC = [2, 4, 16, 8, 1024]


class Inner(ctypes.Structure):
    _fields_ = (("small", ctypes.c_uint8), ("wide", ctypes.c_uint64))


class Outer(ctypes.Structure):
    _fields_ = (("count", ctypes.c_uint32), ("inner", Inner), ("many", ctypes.c_uint16 * 3), ("deep", Inner * 2))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "netlat-tui"


def test_a_type_keeps_its_layout_through_json() -> None:
    found = compiled._dtype(json.loads(json.dumps(layout(Outer))))
    assert found == np.dtype(Outer)
    assert found is not None
    value = Outer(7, Inner(1, 1 << 60), (4, 5, 6), (Inner(2, 3), Inner(4, 5)))
    row = np.frombuffer(bytes(value), dtype=found)[0]
    assert (row["count"], row["inner"]["wide"], row["many"].tolist(), row["deep"]["wide"].tolist()) == (
        7,
        1 << 60,
        [4, 5, 6],
        [3, 5],
    )


def load_map(descriptor: int) -> bytes:
    """r1 = map: one instruction of two slots."""
    return struct.pack("<BBhi", 0x18, 1 << 4 | 1, 0, descriptor) + bytes(8)


def test_maps_are_numbered_and_get_their_descriptors_back() -> None:
    exit_ = struct.pack("<BBhi", 0x95, 0, 0, 0)
    constant = struct.pack("<BBhi", 0x18, 0 << 4 | 1, 0, 31) + bytes(8)  # no reference to a map
    code = load_map(31) + constant + load_map(12) + exit_
    numbered = _number_maps(code, {12: 0, 31: 1})
    assert numbered == load_map(1) + constant + load_map(0) + exit_
    made = Compiled((CompiledMap("a", MapSpec(*SPEC), None),) * 2, {"p": numbered})
    assert made.program("p", [12, 31]) == code


def compiler_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    """Puts another module named bcc before the real one, for the compiler's process."""
    (tmp_path / "bcc.py").write_text(body)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])


def test_a_missing_bcc_is_told_in_a_sentence(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler_that(monkeypatch, tmp_path, "raise ImportError")
    with pytest.raises(BuildError) as failure:
        compiled.compiled("int x;")
    assert str(failure.value) == MISSING
    assert failure.value.exit_code == 4


def test_the_namesake_is_told_in_a_sentence(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler_that(monkeypatch, tmp_path, "")
    with pytest.raises(BuildError) as failure:
        compiled.compiled("int x;")
    assert str(failure.value) == NAMESAKE


def test_a_process_that_dies_is_told_with_its_last_words(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler_that(monkeypatch, tmp_path, "import sys; sys.exit('out of memory')")
    with pytest.raises(BuildError, match="out of memory"):
        compiled.compiled("int x;")
    assert not list(folder.glob("*"))


GOOD = json.dumps({"maps": [{"name": "m", "spec": SPEC, "leaf": layout(Inner)}], "programs": {"p": load_map(0).hex()}})


def test_what_is_kept_is_used_for_the_same_source_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put("source", GOOD)
    assert compiled.compiled("source").program("p", [9]) == load_map(9)
    assert cache.get("another") is None
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert [oct(path.stat().st_mode)[-3:] for path in folder.iterdir()] == ["600"]


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", GOOD[: len(GOOD) // 2], GOOD.replace("spec", "sp")])
def test_what_was_cut_short_is_compiled_again(
    kept: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put("source", kept)
    monkeypatch.setattr(compiled, "_compile", lambda source: (GOOD, ""))
    assert compiled.compiled("source").maps[0].name == "m"
    assert cache.get("source") == GOOD


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_others_could_write_to_is_not_trusted(mode: int, folder: Path) -> None:
    cache.put("source", GOOD)
    folder.chmod(mode)
    assert cache.get("source") is None
    cache.put("other", GOOD)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_someone_else_is_not_trusted(folder: Path) -> None:
    cache.put("source", GOOD)
    os.chown(next(folder.iterdir()), 65534, 65534)
    assert cache.get("source") is None


def test_a_link_in_place_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    cache.put("source", GOOD)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert cache.get("source") is None


def test_old_programs_make_room(folder: Path) -> None:
    for i in range(20):
        cache.put(f"source {i}", GOOD)
    assert len(list(folder.iterdir())) == cache._MOST
    assert cache.get("source 19") == GOOD


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache.put("source", GOOD)
    assert cache.get("source") is None


def test_modules_of_the_working_folder_are_not_taken(tmp_path: Path) -> None:
    """Root may be anywhere; somebody may have left a json.py there."""
    (tmp_path / "json.py").write_text("raise SystemExit('taken')")
    script = (
        "import sys; sys.path.remove(''); from netlat_tui.bpf import compiled; print(compiled._compile('int x;')[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
        env={**os.environ, "PYTHONPATH": str(Path(compiled.__file__).parents[2])},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "taken" not in done.stdout
