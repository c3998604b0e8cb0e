"""Files written from the screen: recordings, and the view."""

from __future__ import annotations

from pathlib import Path

import pytest

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
        assert " REC " not in screen_text(app)
        await pilot.press("R")
        assert " REC " in screen_text(app)
        source.push(tick(4))
        source.push(tick(5))
        await shown(pilot, 5)
        await pilot.press("R")
        assert " REC " not in screen_text(app)
        source.push(tick(6))
        await shown(pilot, 6)
        await until(pilot, lambda: "recorded " in screen_text(app), "the news")
    (file,) = folder.iterdir()
    assert file.name == "netlat-recording-20260101T000005Z.netlat"
    assert file.stat().st_mode & 0o777 == 0o600
    reader = Reader(file)
    assert [one.seq for one in reader] == [4, 5]
    assert reader.damage == []


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
        assert " REC " not in screen_text(app)
        source.push(tick(5))
        await shown(pilot, 5)


async def test_a_recording_is_not_recorded(folder: Path) -> None:
    app = make_app(StepSource(tick(1), tick(2), tick(3), live=False))
    async with running(app) as pilot:
        await pilot.press("R")
        await until(pilot, lambda: "this is a recording already" in screen_text(app), "the sentence")
    assert list(folder.iterdir()) == []
