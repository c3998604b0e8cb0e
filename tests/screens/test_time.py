"""Going through a recording on the screen: keys, the scrubber, the question where to, marks."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from netlat_tui.app import NetlatApp
from netlat_tui.model.ticks import Tick
from netlat_tui.recording import Mark, Reader, Writer, read_beside, survey
from netlat_tui.screens.marks import MarksScreen
from netlat_tui.sources.replay import ReplaySource
from netlat_tui.widgets.ask_bar import AskBar
from netlat_tui.widgets.scrubber import Scrubber
from tests.screens.conftest import make_app, running, screen_text, until
from tests.screens.source import ORIGIN, SECOND, STARTED_NS, StepSource, tick

COUNT = 20
Compare = Callable[..., bool]


@pytest.fixture(scope="session")
def ticks() -> list[Tick]:
    return [tick(seq, scale=1 + 0.3 * (seq % 3)) for seq in range(1, COUNT + 1)]


@pytest.fixture
def recording(tmp_path: Path, ticks: list[Tick]) -> Path:
    """Twenty ticks, marks at the fifth and the twelfth."""
    path = tmp_path / "r.netlat"
    with Writer(path, ORIGIN) as writer:
        for one in ticks:
            writer.write(one)
            if one.seq in (5, 12):
                writer.mark(Mark(one.time_ns, {5: "deploy", 12: "[/x]\x1b]0;x\x07 rollback"}[one.seq]))
    return path


def app_of(path: Path, **options: Any) -> NetlatApp:
    source = ReplaySource(path)
    source.pause()
    app = make_app(source, **options)
    app.state.frozen = True
    return app


@asynccontextmanager
async def replay(path: Path, size: tuple[int, int] = (80, 24), **options: Any) -> AsyncIterator[Pilot[int]]:
    """The recording, paused at its first tick."""
    app = app_of(path, **options)
    async with running(app, size, 0) as pilot:
        await until(pilot, lambda: app.state.timeline is not None, "the timeline")
        await pilot.press("right_square_bracket")
        await at(pilot, 1)
        yield pilot
    app.source.close()


async def at(pilot: Pilot[Any], seq: int) -> None:
    """Wait until the screen shows exactly this tick."""
    state = pilot.app.state  # type: ignore[attr-defined]
    wanted = STARTED_NS + seq * SECOND
    await until(pilot, lambda: state.snapshot is not None and state.snapshot.time_ns == wanted, f"tick {seq}")


def scrubber(pilot: Pilot[Any]) -> str:
    widget = pilot.app.screen.query_one(Scrubber)
    return "".join(text for text, _ in widget.line(0)) if widget.display else ""


async def go(pilot: Pilot[Any], place: str, *, enter: bool = True) -> None:
    await pilot.press("S", *("space" if char == " " else char for char in place))
    if enter:
        await pilot.press("enter")


def asked(pilot: Pilot[Any]) -> str:
    bar = pilot.app.screen.query_one(AskBar)
    return "".join(text for text, _ in bar.query_one("#ask-words")._lines[0])  # type: ignore[attr-defined]


async def test_a_tick_on_and_back(recording: Path) -> None:
    async with replay(recording) as pilot:
        await pilot.press("right_square_bracket", "right_square_bracket")
        await at(pilot, 3)
        await pilot.press("left_square_bracket")
        await at(pilot, 2)
        assert "tick 2 of 20" in scrubber(pilot)
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await at(pilot, 1)
        assert "first tick" in screen_text(pilot.app)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "seq"),
    [
        ("00:00:07", 7),
        ("0:00:07.9", 7),
        ("tick 13", 13),
        ("50%", 10),
        ("100%", 20),
        ("+4s", 5),
        ("+1m", 20),
        ("+1500ms", 2),
        ("mark 2", 12),
        ("1", 5),
        ("roll", 12),
        ("end", 20),
    ],
)
async def test_where_to(recording: Path, place: str, seq: int) -> None:
    async with replay(recording) as pilot:
        await go(pilot, place)
        await at(pilot, seq)
        assert not pilot.app.screen.query_one(AskBar).display


async def test_back_from_where_one_is(recording: Path) -> None:
    async with replay(recording) as pilot:
        await go(pilot, "tick 15")
        await at(pilot, 15)
        await go(pilot, "-10s")
        await at(pilot, 5)
        await go(pilot, "start")
        await at(pilot, 1)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("+10", "expected a unit"),
        ("+10x", "expected a unit"),
        ("tick 21", "from 1 to 20"),
        ("tick 0", "from 1 to 20"),
        ("mark 3", "from 1 to 2"),
        ("101%", "from 0% to 100%"),
        ("12:00:00", "from 00:00:01 to 00:00:20"),
        ("25:00", "23:59:59"),
        ("12;3", "expected one of"),
        ("nothing like it", "no mark has such a note"),
    ],
)
async def test_a_mistake_is_shown_as_it_is_typed(recording: Path, place: str, expected: str) -> None:
    async with replay(recording, (120, 30)) as pilot:
        await go(pilot, place, enter=False)
        assert expected in asked(pilot)
        await pilot.press("enter")
        assert pilot.app.screen.query_one(AskBar).display, "Enter does nothing with it"
        await pilot.press("escape")
        assert not pilot.app.screen.query_one(AskBar).display
        await at(pilot, 1)


async def test_ended_and_back(recording: Path) -> None:
    async with replay(recording) as pilot:
        app = pilot.app
        await go(pilot, "end")
        await until(pilot, lambda: app.state.mode == "ENDED", "the end")  # type: ignore[attr-defined]
        await pilot.press("left_square_bracket")
        await at(pilot, COUNT - 1)
        assert app.state.mode == "PAUSED"  # type: ignore[attr-defined]
        await pilot.press("right_square_bracket")
        await at(pilot, COUNT)


async def test_a_click_on_the_scrubber(recording: Path) -> None:
    async with replay(recording) as pilot:
        line = scrubber(pilot)
        end = line.index("00:00:20")
        await pilot.click(Scrubber, offset=(end - 2, 0))
        await at(pilot, 20)
        await pilot.click(Scrubber, offset=(10, 0))
        await at(pilot, 1)
        await pilot.click(Scrubber, offset=(end + 3, 0))  # beside the track
        await pilot.pause()
        await at(pilot, 1)


async def test_from_mark_to_mark(recording: Path) -> None:
    async with replay(recording) as pilot:
        await pilot.press("right_curly_bracket")
        await at(pilot, 5)
        await pilot.press("right_curly_bracket")
        await at(pilot, 12)
        await pilot.press("right_curly_bracket")
        assert "no mark after this" in screen_text(pilot.app)  # type: ignore[arg-type]
        await pilot.press("left_curly_bracket")
        await at(pilot, 5)


async def test_the_list_of_marks(recording: Path) -> None:
    async with replay(recording) as pilot:
        await pilot.press("M")
        assert isinstance(pilot.app.screen, MarksScreen)
        await pilot.pause()
        text = screen_text(pilot.app)  # type: ignore[arg-type]
        assert "deploy" in text
        assert "[/x]?]0;x? rollback" in text
        await pilot.press("down", "enter")
        await at(pilot, 12)
        await pilot.press("M", "escape")
        assert not isinstance(pilot.app.screen, MarksScreen)


async def test_a_mark_of_a_replay_is_kept_beside_it(recording: Path) -> None:
    before = recording.read_bytes()
    async with replay(recording) as pilot:
        await go(pilot, "tick 9")
        await at(pilot, 9)
        await pilot.press("m", *"slow", "space", *"here", "enter")
        mark = Mark(STARTED_NS + 9 * SECOND, "slow here")
        await until(pilot, lambda: read_beside(recording, ORIGIN) == [mark], "the mark in its file")
        assert "3 marks" in scrubber(pilot)
    assert recording.read_bytes() == before
    side = recording.with_name("r.netlat.marks")
    assert side.stat().st_mode & 0o777 == 0o600
    assert [one.text for one in survey(recording, ORIGIN).marks][1] == "slow here"


async def test_a_mark_that_cannot_be_kept(recording: Path) -> None:
    elsewhere = recording.with_name("elsewhere")
    elsewhere.write_text("somebody's")
    recording.with_name("r.netlat.marks").symlink_to(elsewhere)
    async with replay(recording, (160, 30)) as pilot:
        await pilot.press("m", "enter")
        await until(pilot, lambda: "for this session only" in screen_text(pilot.app), "a sentence")  # type: ignore[arg-type]
        assert "3 marks" in scrubber(pilot)
    assert elsewhere.read_text() == "somebody's"


async def test_a_mark_of_what_is_recorded_is_in_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(tmp_path))
    source = StepSource(*(tick(seq) for seq in (1, 2, 3)))
    app = make_app(source)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("m", "a", "enter")
        assert "for this session only" in screen_text(app)
        await pilot.press("R", "m", "b", "enter")
        assert "in the recording" in screen_text(app)
        source.push(tick(4))
        await until(pilot, lambda: app.state.snapshot.time_ns == STARTED_NS + 4 * SECOND, "the tick")  # type: ignore[union-attr]
        await pilot.press("m", "c", "enter")
        assert "2 marks" not in screen_text(app)
        assert "3 marks" in screen_text(app)
    app.recorder.close()
    (path,) = tmp_path.glob("*.netlat")
    reader = Reader(path)
    assert [one.seq for one in reader] == [4]
    assert reader.marks == [Mark(STARTED_NS + 5 * SECOND, "b"), Mark(STARTED_NS + 5 * SECOND, "c")]
    reader.close()


async def test_what_cannot_be_gone_through_says_so(recording: Path, tmp_path: Path) -> None:
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(recording.read_bytes()), daemon=True).start()
    app = app_of(pipe)
    async with running(app, (120, 30), 0) as pilot:
        await until(pilot, lambda: not app.state.surveying, "the survey")
        await pilot.press("right_square_bracket")
        await at(pilot, 1)
        for key in ("S", "left_square_bracket", "right_curly_bracket"):
            app.say("")
            await pilot.press(key)
            assert "gone through" in screen_text(app), key
        assert scrubber(pilot) == ""
    app.source.close()


async def test_keys_are_letters_while_one_types(recording: Path) -> None:
    async with replay(recording) as pilot:
        await pilot.press("m", *"mMSqz", "left_square_bracket", "question_mark", "enter")
        marks = pilot.app.state.marks  # type: ignore[attr-defined]
        assert next(mark.text for mark in marks) == "mMSqz[?"


@pytest.mark.parametrize("height", [5, 9, 10, 24])
async def test_small_screens(recording: Path, height: int) -> None:
    async with replay(recording, (60, height)) as pilot:
        text = screen_text(pilot.app)  # type: ignore[arg-type]
        assert ("00:00:20" in text) == (height >= 10)


SIZES = [(80, 24), (120, 40), (200, 50)]


def sought(keys: list[str], seq: int) -> Callable[[Pilot[Any]], Any]:
    async def before(pilot: Pilot[Any]) -> None:
        state = pilot.app.state  # type: ignore[attr-defined]
        await until(pilot, lambda: state.timeline is not None, "the timeline")
        await pilot.press("right_square_bracket")
        await at(pilot, 1)
        await go(pilot, "tick 14")
        await at(pilot, 14)
        await pilot.press(*keys)
        await at(pilot, seq)

    return before


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
@pytest.mark.parametrize("ascii_only", [False, True], ids=["utf8", "ascii"])
def test_picture(recording: Path, size: tuple[int, int], ascii_only: bool, snap_compare: Compare) -> None:
    app = app_of(recording, ascii_only=ascii_only)
    assert snap_compare(app, terminal_size=size, run_before=sought([], 14))


@pytest.mark.parametrize(
    "keys",
    [["S", *"00:00:3"], ["S", *"-5s"], ["M"], ["m", *"after"]],
    ids=["mistake", "place", "marks", "note"],
)
def test_picture_of_a_question(recording: Path, keys: list[str], snap_compare: Compare) -> None:
    assert snap_compare(app_of(recording), terminal_size=(80, 24), run_before=sought(keys, 14))
