"""The Drops pane and the view of a kind of drop."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from netlat_tui.model.paths import HIDDEN
from netlat_tui.model.points import Direction
from netlat_tui.model.ticks import Tick
from netlat_tui.screens.drop import DropScreen
from netlat_tui.screens.path import PathScreen
from netlat_tui.widgets.table import Table
from tests.screens.conftest import make_app, running, screen_text, shown, table_lines, until
from tests.screens.source import ELSEWHERE, ITS_SYMBOL, LOCATION, SYMBOL, StepSource, tick


def without_drops(one: Tick) -> Tick:
    counters = one.counters | {"dropped": 0, "complete": one.counters["complete"] + one.counters["dropped"]}
    return dataclasses.replace(one, drops=one.drops[:0], counters=counters, paths=one.paths[one.paths["reason"] == 0])


async def test_a_row_says_why_who_how_far_how_many_and_which_was_last() -> None:
    app = make_app(StepSource(*(tick(seq, sent=True) for seq in (1, 2, 3))))
    async with running(app, (200, 50)) as pilot:
        await pilot.press("5", "z")
        await pilot.pause()
        head, received, sent = table_lines(app, "drops")
        assert "0–4 " in head  # the trend's scale is of counts: no unit of time
        assert received.split()[:6] == ["▌NO_SOCKET", SYMBOL, "rx", "local", "9•", "3"]
        assert received.endswith("00:00:02 tcp 10.0.0.3:40005 → 10.0.0.9:443")
        assert sent.split()[:7] == ["NETFILTER_DROP", *ITS_SYMBOL.split(), "tx", "ip_out", "6•", "2"]
        assert sent.endswith("no path of it")


async def test_nothing_dropped_is_said() -> None:
    app = make_app(StepSource(*(without_drops(tick(seq)) for seq in (1, 2, 3))))
    async with running(app) as pilot:
        await pilot.press("5")
        assert "nothing was dropped" in screen_text(app)
        await pilot.press("enter", "equals_sign")
        await pilot.pause()
        assert "this row has nothing to filter by" in screen_text(app)
        await pilot.press("d")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.direction is Direction.RX)
        assert "nothing was dropped, rx only" in screen_text(app)


async def test_drops_that_were_not_counted_by_kind_are_not_denied() -> None:
    app = make_app(StepSource(*(dataclasses.replace(one, drops=one.drops[:0]) for one in (tick(1), tick(2), tick(3)))))
    async with running(app) as pilot:
        await pilot.press("5")
        assert "3 dropped, not counted by kind: see the paths" in screen_text(app)


async def test_a_kind_opens_its_paths_and_one_of_them_its_way() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("5", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DropScreen)
        text = screen_text(app)
        for words in ("dropped by udp_queue_rcv_one_skb+0x1f", "count 9", "IP found the packet to be for this host"):
            assert words in text
        rows = app.screen.query_one(Table).rows
        assert [row.item.location for row in rows] == [LOCATION] * 3  # type: ignore[attr-defined]
        assert all("dropped: NO_SOCKET" in row.cells[-1].text for row in rows)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PathScreen)
        assert "outcome dropped: NO_SOCKET by udp_queue_rcv_one_skb+0x1f" in screen_text(app)


async def test_the_view_of_a_kind_goes_on_with_the_figures_and_outlives_them() -> None:
    source = StepSource(tick(1), tick(2), tick(3))
    app = make_app(source)
    async with running(app, (120, 40)) as pilot:
        await pilot.press("less_than_sign", "5")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.ticks == 1)
        await pilot.press("enter")
        await pilot.pause()
        assert "count 4" in screen_text(app)
        source.push(tick(5))
        await shown(pilot, 5)
        assert "count 2" in screen_text(app)
        source.push(without_drops(tick(6)))
        await shown(pilot, 6)
        assert "count 2" in screen_text(app)
        assert "NO_SOCKET" in screen_text(app)


async def test_its_filter_is_the_reason() -> None:
    source = StepSource(*(tick(seq, sent=True) for seq in (1, 2, 3)))
    app = make_app(source)
    async with running(app, (120, 24)) as pilot:
        await pilot.press("5", "down", "equals_sign")
        assert source.filters[-1].text == "reason NETFILTER_DROP"
    unnamed = tick(3)
    drops = unnamed.drops.copy()
    drops["reason"] = 77
    source = StepSource(tick(1), tick(2), dataclasses.replace(unnamed, drops=drops))
    app = make_app(source)
    async with running(app, (120, 24)) as pilot:
        await pilot.press("less_than_sign", "5")
        await until(pilot, lambda: app.state.snapshot is not None and app.state.snapshot.ticks == 1)
        assert "reason 77" in screen_text(app)
        await pilot.press("equals_sign")
        assert source.filters[-1].text == "reason 77"


@pytest.mark.parametrize(
    ("symbols", "words"), [(((LOCATION, HIDDEN),), HIDDEN), ((), f"{LOCATION:#x}"), (((ELSEWHERE, "x"),), "0xffff")]
)
async def test_an_address_without_a_name(symbols: tuple[tuple[int, str], ...], words: str) -> None:
    app = make_app(StepSource(*(dataclasses.replace(tick(seq), symbols=symbols) for seq in (1, 2, 3))))
    async with running(app, (200, 50)) as pilot:
        await pilot.press("5", "z")
        await pilot.pause()
        assert words in table_lines(app, "drops")[1]


async def test_both_views_go_to_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(tmp_path))
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("5", "e")
        await until(pilot, lambda: len(list(tmp_path.glob("*.json"))) == 1, "the files")
        await pilot.press("enter", "e")
        await until(pilot, lambda: len(list(tmp_path.glob("*.json"))) == 2, "the files")
        await until(pilot, lambda: len(list(tmp_path.glob("*.csv"))) == 2, "the files")
    documents = [json.loads(file.read_text()) for file in tmp_path.glob("*.json")]
    view = next(document for document in documents if document["schema"] == "netlat-tui/view/1")
    report = next(document for document in documents if document["schema"] != "netlat-tui/view/1")
    assert [(drop["reason"], drop["symbol"], drop["count"]) for drop in report["drops"]] == [("NO_SOCKET", SYMBOL, 9)]
    assert view["view"] == ["Drops", f"NO_SOCKET at {SYMBOL}"]
    assert [row["symbol"] for row in view["rows"]] == [SYMBOL] * 3
    tables = [file.read_text() for file in tmp_path.glob("*.csv")]
    assert any("reason,location,symbol,direction,point,count,rate" in table for table in tables)
