"""Packets that go out: layers, paths, both halves of one; and the delays of those that come in."""

from __future__ import annotations

import dataclasses

import pytest

from netlat_tui.model.points import DELAYS, Direction
from netlat_tui.model.ticks import Hook
from netlat_tui.screens.path import PathScreen
from netlat_tui.widgets.table import Table
from tests.screens.conftest import make_app, running, screen_text, shown, table_lines, until
from tests.screens.source import ORIGIN, StepSource, paired, path, path_out, tick

NAMES = [delay.name for delay in DELAYS]
HIDDEN = (Hook("rx", "ip", "", "none", "this kernel refuses it"),)


def source(**options: object) -> StepSource:
    return StepSource(*(tick(seq, sent=True, **options) for seq in (1, 2, 3)))  # type: ignore[arg-type]


async def test_the_delays_of_the_way_up_come_first_by_their_names() -> None:
    app = make_app(source())
    async with running(app, (160, 60)):
        lines = table_lines(app, "layers")
        assert lines[1].strip() == "rx delays, from layer to layer"
        assert [line.strip("▌ ").split("  ")[0] for line in lines[2:7]] == NAMES
        assert [line.split("  ")[0].strip() for line in lines[7:9]] == ["RX total", "TX total"]
        assert "µs" in lines[2]


async def test_a_delay_that_cannot_be_seen_says_why_instead_of_a_zero() -> None:
    origin = dataclasses.replace(ORIGIN, hooks=HIDDEN)
    ticks = [tick(seq, blind=(NAMES[1], NAMES[4])) for seq in (1, 2, 3)]
    app = make_app(StepSource(*ticks, origin=origin))
    async with running(app, (120, 24)) as pilot:
        lines = {line.strip("▌ ").split("  ")[0]: line for line in table_lines(app, "layers")[:7]}
        assert lines[NAMES[1]].split("  ")[-1].strip() == "– no hook for ip: this kernel refuses it"
        assert lines[NAMES[4]].split("  ")[-1].strip() == "– no packet was seen at both ends of it"
        assert "–" not in lines[NAMES[0]]
        await pilot.press("down", "c", "enter")
        await pilot.pause()
        assert app.clipboard == "data link→network  – no hook for ip: this kernel refuses it"
        assert "no hook for ip: this kernel refuses it" in screen_text(app)


async def test_a_delay_has_a_distribution_over_all_and_of_each_cpu_but_none_of_an_interrupt() -> None:
    app = make_app(source())
    async with running(app, (100, 30)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(app)
        assert "360 samples" in text
        assert "from the first point seen of irq, raise, softirq, poll" in text
        assert "by CPU" in text
        assert "by interrupt" not in text
        await pilot.press("enter")
        await pilot.pause()
        assert "180 samples" in screen_text(app)
        assert "› cpu0" in screen_text(app)


async def test_who_looks_at_what_is_sent_sees_no_delays_up() -> None:
    app = make_app(source())
    async with running(app, (100, 40)) as pilot:
        await pilot.press("d", "d")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.direction is Direction.TX)
        await pilot.pause()
        lines = [line.strip("▌ ").split("  ")[0] for line in table_lines(app, "layers")]
        assert lines[1] == "TX total"
        assert [line for line in lines if line in ("application→transport", "network→data link", "data link→interface")]
        assert "send→transport" in lines
        assert "qdisc_in→qdisc_out" in lines
        assert not set(NAMES) & {lines[index] for index in (1, 2)}
        assert "120 pkt/s" in screen_text(app)
        table = app.screen.query_one("#table-layers", Table)
        assert table.selected is table.rows[0]  # the cursor was on the first row, and is


async def test_cpus_show_both_ways() -> None:
    app = make_app(source())
    async with running(app) as pilot:
        await pilot.press("2")
        head, first = table_lines(app, "cpus")[:2]
        assert head.split()[:3] == ["CPU", "rx/s", "tx/s"]
        assert first.strip("▌ ").split()[:3] == ["cpu0", "60", "60"]


async def test_paths_have_a_mark_of_their_direction() -> None:
    app = make_app(source())
    async with running(app, (120, 24)) as pilot:
        await pilot.press("4", "o")
        await pilot.pause()
        marks = [line.strip("▌ ").split()[1] for line in table_lines(app, "paths")[1:]]
        assert set(marks) == {"rx", "tx"}


async def opened(app: object, pilot: object, down: int) -> str:
    """The view of one of the latest paths: 0 came in, 1 is the half of it that went out, and so on by turns."""
    await pilot.press("4", "o", *["down"] * down, "enter")  # type: ignore[attr-defined]
    await until(pilot, lambda: isinstance(app.screen, PathScreen), "the path")  # type: ignore[arg-type, attr-defined]
    return screen_text(app)  # type: ignore[arg-type]


async def test_a_sent_packet_says_what_is_known_of_it() -> None:
    app = make_app(source())
    async with running(app, (120, 40)) as pilot:
        text = await opened(app, pilot, 1)
        for words in (
            "socket inode 77123",
            "TCP seq 9000",
            "GSO 4 segments in one skb",
            "queue 3",
            "flags retransmitted",
            "process nginx (pid 1200)",
            "sent, and the driver is done with it",
        ):
            assert words in text
        assert "interrupt" not in text
        assert "qdisc: " not in text
        assert "bypassed" not in text


async def test_a_packet_that_bypassed_the_queueing_discipline_says_so() -> None:
    app = make_app(source())
    async with running(app, (120, 40)) as pilot:
        assert "qdisc bypassed" in await opened(app, pilot, 3)


@pytest.mark.parametrize(("down", "words"), [(0, "comes from tx eth0"), (1, "goes on in rx eth0")])
async def test_both_halves_lead_to_each_other(down: int, words: str) -> None:
    app = make_app(source())
    async with running(app, (120, 44)) as pilot:
        text = await opened(app, pilot, down)
        assert f"{words}, 400µs" in text
        assert text.index("tx, out of eth0") < text.index("rx, in on eth0")  # in the order of time, whichever is open
        first = app.screen.path  # type: ignore[attr-defined]
        await pilot.press("p")
        await pilot.pause()
        assert app.screen.path.id == first.peer  # type: ignore[attr-defined]
        await pilot.press("p")
        await pilot.pause()
        assert app.screen.path == first  # type: ignore[attr-defined]
        await pilot.press("escape")
        await pilot.pause()
        assert "latest first" in screen_text(app)


async def test_a_point_of_the_other_half_is_explained_by_its_own_path() -> None:
    app = make_app(source())
    async with running(app, (120, 44)) as pilot:
        await opened(app, pilot, 1)
        await pilot.press("G")
        await pilot.pause()
        other = app.screen.peer  # type: ignore[attr-defined]
        share = 100 * other.stages[-1].duration_ns / other.total_ns
        assert f"{share:.2f}% of the whole" in screen_text(app)


async def test_where_there_is_no_room_only_the_half_that_was_opened_is_shown() -> None:
    app = make_app(source())
    async with running(app, (80, 24)) as pilot:
        text = await opened(app, pilot, 1)
        assert "rx, in on" not in text
        assert "goes on in rx eth0" in text
        await pilot.resize_terminal(120, 50)
        await pilot.pause()
        assert "rx, in on eth0" in screen_text(app)


async def test_a_half_that_comes_later_is_found_when_it_is_there() -> None:
    up, down = path(0, 4), path_out(0, 4)
    paired(down, up)
    feed = StepSource(tick(1), tick(2), dataclasses.replace(tick(3), paths=down))
    app = make_app(feed)
    async with running(app, (120, 44)) as pilot:
        await pilot.press("4", "o", "enter")
        await pilot.pause()
        assert "of which there is no record" in screen_text(app)
        await pilot.press("p")
        await pilot.pause()
        assert "the other half has no record here" in screen_text(app)
        feed.push(dataclasses.replace(tick(4), paths=up))
        await shown(pilot, 4)
        await until(pilot, lambda: "goes on in rx" in screen_text(app), "the other half")


async def test_a_path_without_another_half_offers_none() -> None:
    app = make_app()
    async with running(app, (120, 44)) as pilot:
        await pilot.press("4", "enter")
        await pilot.pause()
        assert "Other half" not in screen_text(app)
        await pilot.press("p")
        await pilot.pause()
        assert "other half" not in screen_text(app)
