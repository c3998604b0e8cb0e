"""Empty, late, ended, failed, small: what the screen says when not all is well."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from netlat_tui.recording import Writer
from netlat_tui.sources.base import SourceError
from netlat_tui.sources.replay import ReplaySource
from tests.screens.conftest import make_app, running, screen_text, shown, table_lines, until
from tests.screens.source import ORIGIN, SECOND, STARTED_NS, StepSource, tick


async def test_before_the_first_figures() -> None:
    app = make_app(StepSource())
    async with running(app, seq=0) as pilot:
        await pilot.pause()
        assert "waiting for the first figures" in screen_text(app).splitlines()[0]


async def test_no_interrupts_is_explained() -> None:
    app = make_app(StepSource(*(tick(seq, irqs=False) for seq in (1, 2, 3))))
    async with running(app) as pilot:
        await pilot.press("3")
        assert "local devices only: no interrupt" in screen_text(app)


async def test_no_path_matches_is_explained() -> None:
    app = make_app(StepSource(*(tick(seq) for seq in (1, 2, 3)), live=False))
    async with running(app, (100, 24)) as pilot:
        await pilot.press("4", "slash", *"total > 1s", "enter")
        await until(pilot, lambda: "none of 36 paths matches: total > 1s" in screen_text(app), "the sentence")


async def test_the_status_line_says_it_all() -> None:
    app = make_app()
    async with running(app, (120, 24)):
        line = screen_text(app).splitlines()[0]
        for words in (" LIVE  2s", "120 pkt/s", "lost 3", "self 1.6%", "rx+tx", "window 10 s", "every 1s"):
            assert words in line


async def test_an_unmeasured_own_cost_is_marked() -> None:
    one = tick(1)
    object.__setattr__(one, "self_cost", type(one.self_cost)(None, None, 12_000_000, 1))
    app = make_app(StepSource(one))
    async with running(app, (120, 24), seq=1):
        assert "self ≥1.2%" in screen_text(app)


async def test_what_was_counted_in_part_is_marked() -> None:
    one = tick(1)
    object.__setattr__(one, "every", 8)
    object.__setattr__(one, "held_back", "paths hooks")
    app = make_app(StepSource(one))
    async with running(app, (120, 40), seq=1):
        text = screen_text(app)
        assert "~960 pkt/s" in text.splitlines()[0]
        assert "~1 in 8 counted" in text.splitlines()[0]
        rows = [line for line in text.splitlines() if "RX total" in line]
        assert rows
        assert all("~" in row for row in rows)


async def test_figures_that_do_not_come_any_more_grow_old() -> None:
    app = make_app()
    object.__setattr__(app.context, "now_ns", lambda: STARTED_NS + 300 * SECOND)
    async with running(app, (120, 24)):
        assert " LIVE  4min" in screen_text(app)


async def test_a_replay_says_so_and_shows_its_own_time() -> None:
    app = make_app(StepSource(*(tick(seq) for seq in (1, 2, 3)), live=False))
    async with running(app, (120, 24)):
        assert " REPLAY  00:00:03" in screen_text(app)


async def test_an_ended_replay_keeps_its_last_figures() -> None:
    source = StepSource(*(tick(seq) for seq in (1, 2, 3)), live=False)
    source.end()
    app = make_app(source)
    async with running(app) as pilot:
        await until(pilot, lambda: " ENDED " in screen_text(app), "the end")
        assert "RX total" in screen_text(app)
        await pilot.press("less_than_sign")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.ticks == 1)


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (SourceError("frame 7 is damaged; what stands before it is shown", 1), "frame 7 is damaged", 1),
        (ValueError("[/x]"), "collection ended: ValueError: [/x]", 1),
    ],
)
async def test_a_failing_source_is_said_and_the_screen_lives_on(error: Exception, sentence: str, code: int) -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (100, 24)) as pilot:
        source.fail(error)
        await until(pilot, lambda: sentence in screen_text(app), "the sentence")
        await pilot.press("2", "enter")
        await pilot.pause()
        assert "CPUs › cpu0" in screen_text(app)
        assert sentence in screen_text(app)
    assert app.feed.exit_code == code


async def test_a_banner_says_why_it_is_not_live() -> None:
    app = make_app(banner="this is a recording: run netlat-tui as root to trace this machine")
    async with running(app):
        assert "run netlat-tui as root" in screen_text(app).splitlines()[1]


async def test_quitting_takes_less_than_half_a_second() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app) as pilot:
        began = time.monotonic()
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
        assert app.feed.stop(0.4)
        assert time.monotonic() - began < 0.5
    assert source.stopped


async def test_a_screen_that_stands_still_does_not_hold_the_source_up() -> None:
    """The feed goes on while nobody fetches, and announces one snapshot, not a queue of them."""
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app) as pilot:
        announced: list[int] = []
        app.feed._publish = lambda: announced.append(1)
        for seq in range(4, 40):
            source.push(tick(seq))
        await until(pilot, lambda: app.feed.ticks_seen == 39, "the drain")
        assert len(announced) == 1
        await until(pilot, lambda: app.feed.fetch().time_ns == STARTED_NS + 39 * SECOND, "the newest")  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [(39, 24), (20, 3), (1, 1), (10, 1)])
async def test_where_there_is_no_room_a_line_remains(size: tuple[int, int]) -> None:
    app = make_app()
    async with running(app, size) as pilot:
        lines = screen_text(app).split("\n")
        assert not any(line.strip() for line in lines[1:])
        if size[0] >= 20:
            assert lines[0].startswith(" LIVE  2s")
        else:
            assert lines[0] == (" LIVE  2s" if size[0] > 1 else "…")
        if size[0] == 39:
            assert "120/s  lost 3  p99 " in lines[0]
        if size[0] == 80:
            assert "120 pkt/s  lost 3  self" in lines[0]
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "STAGE" in screen_text(app)


@pytest.mark.parametrize("width", [40, 79, 80, 120, 160, 300])
@pytest.mark.parametrize("height", [10, 24, 36, 80])
async def test_every_size_shows_names_and_p99(width: int, height: int) -> None:
    app = make_app()
    async with running(app, (width, height)):
        head = table_lines(app, "layers")[0]
        assert "STAGE" in head
        assert "p99" in head
        assert "interface→data" in screen_text(app)


async def test_resizing_while_it_runs() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (200, 50)) as pilot:
        for number, size in enumerate([(80, 24), (120, 40), (40, 10), (10, 2), (160, 60)], 4):
            await pilot.resize_terminal(*size)
            source.push(tick(number))
            await shown(pilot, number)
        assert "1 Layers" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_ascii_means_ascii(size: tuple[int, int]) -> None:
    app = make_app(ascii_only=True)
    async with running(app, size) as pilot:
        for keys, words in (
            ([], "irq->raise"),
            (["4", "enter"], "socket->wakeup"),
            (["question_mark"], "Columns"),
            (["escape", "escape", "slash", "x"], "column 1: expected"),
        ):
            await pilot.press(*keys)
            await pilot.pause()
            assert words in screen_text(app)
            assert screen_text(app).isascii()


async def test_a_recording_is_paused_stepped_and_played(tmp_path: Path) -> None:
    file = tmp_path / "three.netlat"
    with Writer(file, ORIGIN) as writer:
        for seq in range(1, 6):
            writer.write(tick(seq))
    source = ReplaySource(file, speed=60.0)
    source.pause()
    app = make_app(source)
    app.state.frozen = True
    async with running(app, (120, 24), seq=0) as pilot:
        for seq in (1, 2):
            await pilot.press("right_square_bracket")
            await shown(pilot, seq)
            assert f" PAUSED  00:00:0{seq}" in screen_text(app)
        await pilot.press("plus", "plus", "minus")
        assert "speed ×2" in screen_text(app)
        await pilot.press("plus", "plus", "plus", "plus", "space")
        await shown(pilot, 5)
        await until(pilot, lambda: " ENDED " in screen_text(app), "the end")
    source.close()


async def test_damage_of_a_recording_is_said(tmp_path: Path) -> None:
    file = tmp_path / "damaged.netlat"
    with Writer(file, ORIGIN) as writer:
        for seq in range(1, 4):
            writer.write(tick(seq))
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    file.write_bytes(whole)
    source = ReplaySource(file, speed=None)
    app = make_app(source)
    async with running(app, (120, 24), seq=1) as pilot:
        await until(pilot, lambda: "the recording is damaged in a place" in screen_text(app), "the sentence")
        assert "RX total" in screen_text(app)
    source.close()


async def test_the_filter_of_a_recording_is_shown() -> None:
    origin = dataclasses.replace(ORIGIN, filter="port 443")
    app = make_app(StepSource(tick(1), live=False, origin=origin))
    async with running(app, seq=1):
        assert "recorded with port 443  no filter" in screen_text(app).splitlines()[1]
