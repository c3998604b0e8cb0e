"""The baseline: pinned and dropped by a key, compared with in every table, said where it cannot be compared."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from textual.pilot import Pilot

from netlat_tui.app import NetlatApp
from netlat_tui.model.ticks import Tick
from tests.screens.conftest import make_app, running, screen_text, shown, table_lines, until
from tests.screens.source import ELSEWHERE, SECOND, STARTED_NS, StepSource, tick
from tests.screens.source import busy_tick as busy

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())


def few(seq: int) -> Tick:
    """A tick whose packets are too few for a p99."""
    return tick(seq)


class Paced:
    """An application over a source with ticks 1 to 10; ``go`` shows ten more, of which each took ``scale`` as long."""

    def __init__(self, **options: Any) -> None:
        self.source = StepSource(*(busy(seq, **options) for seq in range(1, 11)))
        self.app = make_app(self.source)
        self.options = options

    async def go(self, pilot: Pilot[int], scale: float, first: int = 11, **options: Any) -> None:
        for seq in range(first, first + 10):
            self.source.push(busy(seq, scale, **{**self.options, **options}))
        await shown(pilot, first + 9)


@pytest.fixture
def paced() -> Iterator[Paced]:
    made = Paced(sent=True)
    yield made
    made.app.feed.stop(2.0)


def fields(app: NetlatApp, name: str, column: str = "change") -> dict[str, str]:
    """A table's column by the first column's text; nothing where the column is not there."""
    table = app.screen.query_one(f"#{name}")
    places = [at.index for at in table._placed if at.column.key == column]  # type: ignore[attr-defined]
    if not places:
        return {}
    return {row.cells[0].text.strip(): row.cells[places[0]].text for row in table.rows if not row.heading}  # type: ignore[attr-defined]


async def test_b_pins_the_present_and_drops_it_again(paced: Paced) -> None:
    async with running(paced.app, (120, 40), 10) as pilot:
        assert "change" not in table_lines(paced.app, "layers")[0]
        await pilot.press("b")
        await pilot.pause()
        assert "BASE 00:00:10" in screen_text(paced.app)
        assert "baseline pinned (window 10 s)" in screen_text(paced.app)
        assert "change" in table_lines(paced.app, "layers")[0]
        await pilot.press("b")
        await pilot.pause()
        assert "BASE" not in screen_text(paced.app)
        assert "baseline dropped" in screen_text(paced.app)
        assert "change" not in table_lines(paced.app, "layers")[0]


async def test_what_got_slower_is_marked_in_every_table(paced: Paced) -> None:
    async with running(paced.app, (200, 50), 10) as pilot:
        await pilot.press("b")
        await pilot.pause()
        calm = fields(paced.app, "table-layers")
        assert set(calm.values()) == {"0% "}
        await paced.go(pilot, 1.5)
        await pilot.pause()
        changes = fields(paced.app, "table-layers")
        assert {"interface→data link", "RX total", "TX total", "socket→wakeup", "qdisc_in→qdisc_out"} <= set(changes)
        assert all(words.endswith("↑") and 40 <= int(words[1:-2]) <= 60 for words in changes.values())
        assert fields(paced.app, "table-cpus")["cpu0"].endswith("↑")
        assert fields(paced.app, "table-cpus")["cpu1"] == "- "  # nothing was counted on it
        assert fields(paced.app, "table-irqs")["41"].endswith("↑")
        assert set(fields(paced.app, "table-drops").values()) <= {"0% ", "+4% ", "-4% "}
        await paced.go(pilot, 0.5, first=21)
        assert all(words.endswith("↓") for words in fields(paced.app, "table-layers").values())


async def test_the_screens_below_compare_too(paced: Paced) -> None:
    async with running(paced.app, (120, 40), 10) as pilot:
        await pilot.press("b")
        await paced.go(pilot, 1.5)
        await pilot.press("2", "enter")
        await pilot.pause()
        rows = fields(paced.app, "stages")
        assert {"softirq wait", "softirq run", "irq→raise", "send→transport"} <= set(rows)
        assert all(words.endswith("↑") for words in rows.values())
        await pilot.press("escape", "1", "enter")
        await pilot.pause()
        assert {words[-1] for words in fields(paced.app, "where").values()} == {"↑"}
        await pilot.press("escape", "3", "enter")
        await pilot.pause()
        assert all(words.endswith("↑") for words in fields(paced.app, "stages").values())


@pytest.mark.parametrize(
    "keys", [["1", "down"], ["1", "enter"], ["2", "enter", "down"], ["2", "enter", "enter"]], ids=str
)
async def test_a_distribution_shows_where_the_baseline_was(keys: list[str], paced: Paced) -> None:
    async with running(paced.app, (120, 50), 10) as pilot:
        await pilot.press("z", *keys)
        await pilot.pause()
        assert "^base" not in screen_text(paced.app)
        await pilot.press("b")
        await paced.go(pilot, 20.0)
        lines = screen_text(paced.app).splitlines()
        (own,) = (line.index("^p50") for line in lines if "^p50" in line)
        (base,) = (line for line in lines if "^base p50" in line)
        assert base.index("^base p50") < base.index("^base p99") < own + 30
        assert base.index("^base p50") < own - 10


async def test_a_new_kind_of_drop_is_marked(paced: Paced) -> None:
    async with running(paced.app, (120, 40), 10) as pilot:
        await pilot.press("b")
        for seq in range(11, 21):
            one = busy(seq, sent=True)
            drops = one.drops.copy()
            drops["location"][drops["location"] == ELSEWHERE] += 1
            paced.source.push(replace(one, drops=drops))
        await shown(pilot, 20)
        await pilot.press("5", "z")
        await pilot.pause()
        assert sorted(fields(paced.app, "table-drops").values()) in (
            ["+0% ", "new↑"],
            ["+4% ", "new↑"],
            ["0% ", "new↑"],
        )


async def test_too_few_packets_or_ticks_are_not_told() -> None:
    source = StepSource(*(few(seq) for seq in range(1, 11)))
    app = make_app(source)
    async with running(app, (120, 40), 10) as pilot:
        await pilot.press("b")
        for seq in range(11, 21):
            source.push(tick(seq, scale=9))
        await shown(pilot, 20)
        assert set(fields(app, "table-layers").values()) == {"- "}
    app.feed.stop(2.0)


async def test_a_window_of_few_ticks_is_pinned_with_a_word_about_it() -> None:
    app = make_app()
    async with running(app, (120, 40), 3) as pilot:
        await pilot.press("b")
        await pilot.pause()
        assert "3 ticks are too few to tell changes from noise, 7 do" in screen_text(app)
        assert set(fields(app, "table-layers").values()) == {"- "}


async def test_nothing_to_pin() -> None:
    app = make_app(StepSource())
    async with running(app, (80, 24), 0) as pilot:
        await pilot.press("b")
        await pilot.pause()
        assert "there is nothing to pin yet" in screen_text(app)
        assert "BASE" not in screen_text(app)


async def test_a_baseline_outlives_the_statistics(paced: Paced) -> None:
    async with running(paced.app, (120, 40), 10) as pilot:
        await pilot.press("b", "ctrl+r")
        await paced.go(pilot, 1.5)
        assert "BASE 00:00:10" in screen_text(paced.app)
        assert all(words.endswith("↑") for words in fields(paced.app, "table-layers").values())


async def test_another_direction_is_not_compared(paced: Paced) -> None:
    async with running(paced.app, (120, 40), 10) as pilot:
        await pilot.press("b", "d")
        await until(pilot, lambda: "it shows both ways, the view rx only" in screen_text(paced.app), "the sentence")
        assert set(fields(paced.app, "table-layers").values()) == {"- "}
        await pilot.press("d", "d")
        await until(pilot, lambda: "not compared" not in screen_text(paced.app), "no sentence")
        assert "- " not in fields(paced.app, "table-layers").values()


async def test_another_filter_of_the_kernel_is_not_compared(paced: Paced) -> None:
    async with running(paced.app, (120, 40), 10) as pilot:
        await pilot.press("b", "slash", *"port 443", "enter")
        for seq in range(11, 21):
            paced.source.push(busy(seq, sent=True, kernel_filter="port 443"))
        await shown(pilot, 20)
        paced.app._say_no_more()
        await pilot.pause()
        assert "it counted packets of no filter, the view those of port 443" in screen_text(paced.app)
        assert set(fields(paced.app, "table-layers").values()) == {"- "}
        await pilot.press("ctrl+l")
        await paced.go(pilot, 1.5, first=21)
        await until(pilot, lambda: "not compared" not in screen_text(paced.app), "no sentence")
        assert all(words.endswith("↑") for words in fields(paced.app, "table-layers").values())


async def test_a_filter_that_only_selects_paths_changes_nothing(paced: Paced) -> None:
    async with running(paced.app, (120, 40), 10) as pilot:
        await pilot.press("b", "slash", *"total > 1ms", "enter")
        await paced.go(pilot, 1.5)
        assert all(words.endswith("↑") for words in fields(paced.app, "table-layers").values())


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12), (30, 8)])
async def test_the_change_stays_as_long_as_the_p99_has_company(size: tuple[int, int], paced: Paced) -> None:
    async with running(paced.app, size, 10) as pilot:
        await pilot.press("b")
        await paced.go(pilot, 1.5)
        lines = screen_text(paced.app).splitlines()
        assert all(len(line) <= size[0] for line in lines)
        assert ("+50%↑" in "\n".join(lines)) or size[1] < 10 or size[0] < 45
        assert ("BASE" in lines[0]) or size[0] < 40


async def test_ascii(paced: Paced) -> None:
    app = make_app(paced.source, ascii_only=True)
    async with running(app, (80, 24), 10) as pilot:
        await pilot.press("b")
        for seq in range(11, 21):
            paced.source.push(busy(seq, 20.0, sent=True))
        await shown(pilot, 20)
        text = screen_text(app)
        assert text.isascii()
        assert " x2" in text
        assert "^" in text
    app.feed.stop(2.0)


async def test_files_say_what_changed(paced: Paced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAT_TUI_EXPORT_DIR", str(tmp_path))
    async with running(paced.app, (120, 40), 10) as pilot:
        await pilot.press("b")
        await paced.go(pilot, 1.5)
        for keys in (["1"], ["2"], ["3"], ["5"], ["2", "enter"]):
            await pilot.press(*keys)
            await pilot.pause()
            before = len(list(tmp_path.glob("*.svg")))
            await pilot.press("e")
            await until(pilot, lambda wanted=before + 1: len(list(tmp_path.glob("*.svg"))) == wanted, "the files")
    written = {kind: sorted(tmp_path.glob(f"*{kind}")) for kind in (".json", ".csv", ".txt", ".svg")}
    assert {kind: len(files) for kind, files in written.items()} == dict.fromkeys(written, 5)
    for file in written[".json"]:
        found = json.loads(file.read_text())
        assert found["baseline"] == "2026-01-01T00:00:10.000000Z"
        if found["schema"] == "netlat-tui/report/1":
            jsonschema.validate(found, SCHEMA)
            assert {row["p99"]["verdict"] for row in found["changes"]} == {"up"}
    for file in written[".csv"]:
        lines = file.read_text().splitlines()
        assert "# baseline: 2026-01-01T00:00:10.000000Z" in lines
        rows = list(csv.DictReader(line for line in lines if not line.startswith("# ")))
        assert any(row["change"] == "up" for row in rows) or "drops" in file.name
        assert all(set(row) >= {"change", "change_pct"} for row in rows)
    assert all("2026-01-01T00:00:10" in file.read_text() for files in written.values() for file in files)


def test_the_clock_of_these_tests() -> None:
    assert busy(10).time_ns == STARTED_NS + 10 * SECOND
