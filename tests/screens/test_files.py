"""Files written from the screen: recordings, and the view."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from netlat_tui.model.filter import parse
from netlat_tui.recording import Reader
from tests.screens.conftest import make_app, running, screen_text, shown, until
from tests.screens.source import StepSource, tick


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(tmp_path))
    return tmp_path


async def test_recording_on_and_off(folder: Path) -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (100, 24)) as pilot:
        assert " REC" not in screen_text(app)
        await pilot.press("R")
        assert " REC" in screen_text(app)
        source.push(tick(4))
        source.push(tick(5))
        await shown(pilot, 5)
        await pilot.press("R")
        assert " REC" not in screen_text(app)
        source.push(tick(6))
        await shown(pilot, 6)
        await until(pilot, lambda: "recorded " in screen_text(app), "the news")
    (file,) = folder.iterdir()
    assert file.name == "netlat-recording-20260101T000005Z.netlat"
    assert file.stat().st_mode & 0o777 == 0o600
    reader = Reader(file)
    assert [one.seq for one in reader] == [4, 5]
    assert reader.damage == []
    reader.close()


async def test_a_recording_that_cannot_be_written_is_said_and_collection_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(folder / "missing"))
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (160, 24)) as pilot:
        await pilot.press("R")
        source.push(tick(4))
        await shown(pilot, 4)
        await until(pilot, lambda: "cannot be written" in screen_text(app), "the sentence")
        assert " REC" not in screen_text(app)
        source.push(tick(5))
        await shown(pilot, 5)


async def test_a_recording_is_not_recorded(folder: Path) -> None:
    app = make_app(StepSource(tick(1), tick(2), tick(3), live=False))
    async with running(app) as pilot:
        await pilot.press("R")
        await until(pilot, lambda: "this is a recording already" in screen_text(app), "the sentence")
    assert list(folder.iterdir()) == []


VIEWS: dict[str, list[str]] = {
    "layers": [],
    "cpus": ["2"],
    "irqs": ["3"],
    "paths": ["4", "o"],
    "stage": ["down", "enter"],
    "cpu": ["2", "enter"],
    "irq": ["3", "enter"],
    "path": ["4", "enter"],
    "heatmap": ["6"],
    "cell": ["6", "enter"],
}


@pytest.mark.parametrize("name", VIEWS)
async def test_a_view_becomes_four_files_that_say_where_they_come_from(name: str, folder: Path) -> None:
    app = make_app(StepSource(*(tick(seq, hostile=True) for seq in (1, 2, 3))), chosen=parse("total > 1us"))
    async with running(app, (120, 40)) as pilot:
        await pilot.press(*VIEWS[name])
        await pilot.pause()
        await pilot.press("e")
        await until(pilot, lambda: f"{name}-20260101T000003Z" in screen_text(app), "the sentence")
    files = {file.suffix: file.read_text() for file in folder.iterdir()}
    assert sorted(files) == [".csv", ".json", ".svg", ".txt"]
    for suffix, text in files.items():
        assert "\x1b" not in text and "\x07" not in text, suffix
    data = json.loads(files[".json"])
    assert data["filter"] == "total > 1us"
    assert data["kernel"] == "6.18.0"
    assert data["accounting"]["evicted"] == 3
    for suffix in (".csv", ".txt"):
        for words in ("total > 1us", "6.18.0", "evicted", "2026-01-01T00:00:03"):
            assert words in files[suffix], (suffix, words)
    rows = list(csv.DictReader(line for line in files[".csv"].splitlines() if not line.startswith("#")))
    assert rows
    described = ElementTree.fromstring(files[".svg"])[0].text or ""  # noqa: S314 - our own
    assert "filter: total > 1us" in described
    assert "kernel: 6.18.0" in described
    assert "evicted: 3" in described


async def test_a_path_in_files_adds_up(folder: Path) -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("4", "enter")
        await pilot.pause()
        await pilot.press("e")
        await until(pilot, lambda: "path-20260101T000003Z" in screen_text(app), "the sentence")
        total = app.screen.path.total_ns  # type: ignore[attr-defined]
    data = json.loads(next(folder.glob("*.json")).read_text())
    assert data["view"] == ["Paths", "tcp 10.0.0.2:40007 → 10.0.0.9:443"]
    assert sum(row["took_ns"] for row in data["rows"]) == data["rows"][-1]["t_ns"] == total


async def test_a_folder_that_cannot_be_written_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(folder / "missing"))
    app = make_app()
    async with running(app, (200, 30)) as pilot:
        await pilot.press("e")
        await until(pilot, lambda: "Nothing was written" in screen_text(app), "the sentence")
    assert list(folder.iterdir()) == []


async def test_two_exports_do_not_overwrite_each_other(folder: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        for count in (4, 8):
            await pilot.press("e")
            await until(pilot, lambda count=count: len(list(folder.glob("netlat-*"))) == count, "the files")  # type: ignore[misc]
