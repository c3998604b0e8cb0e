"""Reports: their promised shape, figures that agree with each other, and names that others chose with care."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from netlat_tui.cli_view import DEMO
from netlat_tui.export import report, tables, trace
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING, parse
from netlat_tui.model.paths import HIDDEN
from netlat_tui.model.paths import Path as PacketPath
from netlat_tui.model.points import DELAYS, Direction, point
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.ticks import Tick
from netlat_tui.recording import Mark, read_all
from tests.synth import LOCATION, ORIGIN, SYMBOL, hostile, make_ticks

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
ENDS = ("complete", "merged", "dropped", "forwarded", "consumed", "evicted", "expired", "in_flight")
HOSTILE = ["\x1b[31mred\x1b[0m", "[red]x[/]", "a\nb\rc", "</text>&<x>", "\u202ecod.exe", '","', "=1+1", "\x00\x9b2J"]


def snapshot_of(ticks: list[Tick], text: str = "", direction: Direction | None = None) -> Snapshot:
    history = History(ORIGIN)
    for tick in ticks:
        history.add(tick)
    return history.snapshot(None, parse(text) if text else EVERYTHING, direction)


def decoded(ticks: list[Tick]) -> list[PacketPath]:
    snapshot = snapshot_of(ticks)
    from netlat_tui.model.derive import decode_rows

    return list(decode_rows(snapshot, snapshot.latest))


@pytest.fixture(params=["bundled", "synthetic", "both ways", "empty", "hostile"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "bundled":
        origin, ticks, _ = read_all(DEMO)
        history = History(origin)
        for tick in ticks:
            history.add(tick)
        made = report.to_json(history.snapshot(None, EVERYTHING, None), origin, False)
    elif request.param == "empty":
        made = report.to_json(snapshot_of([]), ORIGIN, True)
    else:
        ticks = make_ticks(5, drops=2, sent=7 if request.param == "both ways" else 0)
        made = report.to_json(
            snapshot_of([hostile(tick, HOSTILE[0]) for tick in ticks] if request.param == "hostile" else ticks),
            ORIGIN,
            True,
        )
    found: dict[str, Any] = json.loads(made)
    return found


def test_the_report_has_the_promised_shape(document: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)


def test_the_figures_agree(document: dict[str, Any]) -> None:
    books = document["accounting"]
    assert books["seen"] == sum(books[name] for name in ENDS)
    for stage in document["stages"]:
        values = [stage[name] for name in ("min_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns")]
        assert values == sorted(values)
        assert stage["min_ns"] <= stage["mean_ns"] <= stage["max_ns"]
        assert stage["stage"] == f"{stage['from']}→{stage['to']}"
        by_cpu = [s["count"] for cpu in document["cpus"] for s in cpu["stages"] if s["stage"] == stage["stage"]]
        assert sum(by_cpu) == stage["count"]
    for way in {stage["direction"] for stage in document["stages"]}:
        shares = [stage["share"] for stage in document["stages"] if stage["direction"] == way]
        assert sum(shares) == pytest.approx(1, abs=0.001)
    assert [delay["name"] for delay in document["delays"]] == [delay.name for delay in DELAYS]
    for delay in document["delays"]:
        assert bool(delay["count"]) == (delay["min_ns"] is not None) == (delay["missing"] is None) or not books["seen"]
    assert sum(drop["count"] for drop in document["drops"]) in (books["dropped"], 0)
    assert sum(cpu["packets"] for cpu in document["cpus"]) == books["seen"]
    totals = [path["total_ns"] for path in document["paths"]]
    assert totals == sorted(totals, reverse=True)
    for path in document["paths"]:
        times = [point["t_ns"] for point in path["points"]]
        assert times[0] == 0
        assert times == sorted(times)
        assert times[-1] == path["total_ns"]


def test_a_direction_leaves_the_other_out() -> None:
    ticks = make_ticks(2)
    assert snapshot_of(ticks, direction=Direction.RX).stages
    assert not snapshot_of(ticks, direction=Direction.TX).stages


def test_a_filter_of_paths_selects_paths_only() -> None:
    ticks = make_ticks(3)
    every = json.loads(report.to_json(snapshot_of(ticks), ORIGIN, False))
    some = json.loads(report.to_json(snapshot_of(ticks, "dropped"), ORIGIN, False))
    assert some["stages"] == every["stages"]
    assert {path["outcome"] for path in some["paths"]} == {"dropped"}
    assert {path["reason"] for path in some["paths"]} == {"NO_SOCKET"}
    assert (some["kernel_filter"], some["path_filter"]) == ("", "dropped")


def test_csv_is_read_by_others() -> None:
    text = report.to_csv(snapshot_of(make_ticks(3)), ORIGIN, True)
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    assert "# seen: 63" in comments
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("# ")))
    assert {row["stage"] for row in rows} >= {"link→transport", "link→drop", "interface→data link"}
    assert {row["row"] for row in rows} == {"stage", "delay", "drop"}
    (drop,) = (row for row in rows if row["row"] == "drop")
    assert (drop["reason"], drop["symbol"], drop["point"], drop["count"]) == ("NO_SOCKET", SYMBOL, "link", "3")
    assert all(int(row["count"]) > 0 for row in rows)


def all_texts(ticks: list[Tick]) -> dict[str, str]:
    snapshot, paths = snapshot_of(ticks), decoded(ticks)
    out, rows = io.StringIO(), io.StringIO()
    assert tables.write_csv(paths, out) == tables.write_jsonl(paths, rows) == len(paths)
    makers: dict[str, Callable[[], str]] = {
        "text": lambda: report.to_text(snapshot, ORIGIN, True),
        "json": lambda: report.to_json(snapshot, ORIGIN, True),
        "csv": lambda: report.to_csv(snapshot, ORIGIN, True),
        "trace": lambda: "\n".join(trace.line(path) for path in paths),
        "table": out.getvalue,
        "jsonl": rows.getvalue,
    }
    return {name: make() for name, make in makers.items()}


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_others_cannot_steer_anything(name: str) -> None:
    ticks = make_ticks(2)
    plain, texts = all_texts(ticks), all_texts([hostile(tick, name) for tick in ticks])
    for kind, text in texts.items():
        assert not any(ord(char) < 32 and char != "\n" for char in text)
        assert not set(text) & {"\x7f", "\x9b", "\u202e", "\u2028"}
        assert len(text.splitlines()) == len(plain[kind].splitlines())
    for line in texts["jsonl"].splitlines():
        json.loads(line)
    rows = list(csv.reader(io.StringIO(texts["table"])))
    assert {len(row) for row in rows} == {len(rows[0])}


def test_a_name_is_no_formula_in_a_spreadsheet() -> None:
    rows = list(csv.DictReader(io.StringIO(all_texts([hostile(make_ticks(1)[0], "=1+1")])["table"])))
    assert {row["iface"] for row in rows} == {"'=1+1"}
    assert {row["comm"] for row in rows} <= {"'=1+1", ""}


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_trace_line_has_the_whole_path(utc: None) -> None:
    (path,) = decoded(make_ticks(1, paths=1, drops=0))
    line = trace.line(path)
    assert trace.line(path).startswith("08:00:00.")  # 2027-01-15, UTC
    for part in (path.flow, "eth0", f"cpu{path.softirq_cpu}", "nginx/1234", "complete"):
        assert part in line
    delays = [float(word.partition("=")[2]) for word in line.split() if "→" in word and "=" in word]
    assert len(delays) == len(path.points) - 1
    assert sum(delays) == pytest.approx(path.total_ns / 1000, abs=0.001 * len(delays))


def test_a_trace_line_of_a_drop_names_the_reason_and_who_dropped() -> None:
    (tick,) = make_ticks(1, paths=0, drops=1)
    (path,) = decoded([tick])
    assert f" dropped(NO_SOCKET@{SYMBOL}) " in trace.line(path)
    assert json.loads(trace.json_line(path))["symbol"] == SYMBOL
    module = replace(tick, symbols=((LOCATION, "nft_do_chain+0x5 [nf_tables]"),))
    assert " dropped(NO_SOCKET@nft_do_chain+0x5[nf_tables]) " in trace.line(decoded([module])[0])
    for symbols in ((), ((LOCATION, HIDDEN),)):
        assert " dropped(NO_SOCKET) " in trace.line(decoded([replace(tick, symbols=symbols)])[0])


def test_a_line_of_a_sent_packet_has_as_many_words_as_one_of_a_received_one() -> None:
    paths = decoded(make_ticks(1, paths=1, drops=0, sent=1))
    assert {path.direction for path in paths} == set(Direction)
    received, sent = (trace.line(path).split() for path in sorted(paths, key=lambda path: path.direction))
    assert (received[2], sent[2]) == ("rx", "tx")
    assert (received[11], sent[11]) == ("irq41", "-")
    assert received[12] == sent[12] == "nginx/1234"
    plain = json.loads(trace.json_line(max(paths, key=lambda path: path.direction)))
    assert (plain["socket"], plain["seq"], plain["segs"], plain["queue"]) == (77123, 3_000_000_000, 4, 3)
    assert plain["peer"] == next(path.id for path in paths if path.direction is Direction.RX)


def test_the_text_says_why_a_delay_is_not_there_and_who_dropped() -> None:
    text = report.to_text(snapshot_of(make_ticks(2, sent=2)), ORIGIN, True)
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert lines["data link→network"].endswith("no hook for ip: no tracepoint")
    assert lines["interface→data link"].split()[2] == "42"
    assert lines["RX total"].split()[2] == "40"
    assert lines["TX total"].split()[2] == "4"
    assert lines["NO_SOCKET"].split() == ["NO_SOCKET", SYMBOL, "rx", "link", "2", "1"]
    received = report.to_text(snapshot_of(make_ticks(2, sent=2), direction=Direction.TX), ORIGIN, True)
    assert "data link→network" not in received
    assert "RX total" not in received


def test_percentiles_of_the_report_are_those_of_the_packets() -> None:
    ticks = make_ticks(20, paths=50)
    found = {stage["stage"]: stage for stage in json.loads(report.to_json(snapshot_of(ticks), ORIGIN, False))["stages"]}
    rows = np.concatenate([tick.paths for tick in ticks])
    complete = rows[rows["outcome"] == 1]
    took = complete["t_ns"][:, point("transport").index] - complete["t_ns"][:, point("link").index]
    stage = found["link→transport"]
    assert stage["count"] == len(took)
    assert (stage["min_ns"], stage["max_ns"]) == (took.min(), took.max())
    for name, fraction in (("p50_ns", 0.5), ("p90_ns", 0.9), ("p99_ns", 0.99)):
        true = int(np.sort(took)[int(np.ceil(fraction * len(took))) - 1])
        assert stage[name] == pytest.approx(true, rel=0.0626)


def test_marks_of_a_recording_are_in_its_report() -> None:
    marks = [Mark(ORIGIN.started_ns, "deploy"), Mark(ORIGIN.started_ns + 1, "[/x]\x1b]0;x\x07")]
    made = json.loads(report.to_json(snapshot_of([]), ORIGIN, False, marks))
    jsonschema.validate(made, SCHEMA)
    assert [mark["text"] for mark in made["marks"]] == ["deploy", "[/x]?]0;x?"]
    text = report.to_text(snapshot_of([]), ORIGIN, False, marks=marks)
    assert "MARKS" in text
    assert "\x1b" not in text
    assert "marks" not in json.loads(report.to_json(snapshot_of([]), ORIGIN, False))
