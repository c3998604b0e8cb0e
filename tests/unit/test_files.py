"""Files of a view: all of them whole, or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netlat_tui.export.files import ExportError, write_together, writing

CONTENTS = {".txt": "text", ".json": "{}", ".csv": "a,b"}


def test_they_are_written_for_their_owner_alone(tmp_path: Path) -> None:
    paths = write_together(tmp_path, "view", CONTENTS)
    assert {path.name: path.read_text() for path in paths} == {f"view{end}": text for end, text in CONTENTS.items()}
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "view.json").write_text("mine")
    paths = write_together(tmp_path, "view", CONTENTS)
    assert {path.stem for path in paths} == {"view-2"}
    assert (tmp_path / "view.json").read_text() == "mine"


def test_where_one_fails_none_is_left(tmp_path: Path) -> None:
    contents = {**CONTENTS, "/no/such.svg": "x"}  # the third folder is not there
    with pytest.raises(ExportError, match="Nothing was written"):
        write_together(tmp_path, "view", contents)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="start in another folder"):
        write_together(tmp_path / "no", "view", CONTENTS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_they_belong_to_whoever_called_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "65534")
    monkeypatch.setenv("SUDO_GID", "65533")
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in write_together(tmp_path, "view", CONTENTS)}
    assert owners == {(65534, 65533)}


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with writing(path) as file:
        file.write("half")
        assert not path.exists()
    assert path.read_text() == "half"


def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), writing(tmp_path / "x") as file:
        file.write("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_what_is_there_is_not_written_over(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("mine")
    else:
        path.symlink_to(tmp_path if kind == "link" else tmp_path / "nowhere")
    with pytest.raises(ExportError, match="exists already"), writing(path) as file:
        file.write("theirs")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
