"""Two recordings beside each other: which rows, which figures, which limits, and what is said of unlike ones."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from netlat_tui.cli_view import DEMO
from netlat_tui.model.compare import NAMES, LimitError, compared, limit
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.noise import MOST_BLOCKS, Verdict
from netlat_tui.model.points import TOTAL, Direction
from netlat_tui.model.spread import Run
from netlat_tui.model.ticks import Hook, Origin, Tick
from netlat_tui.recording import Reader, Writer
from tests.screens.source import HOSTILE, ORIGIN, tick
from tests.screens.source import busy_tick as busy
from tests.unit.test_cli import one_sentence, run

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "compare.schema.json").read_text())


def recording(file: Path, ticks: Sequence[Tick], origin: Origin = ORIGIN) -> str:
    with Writer(file, origin) as writer:
        for one in ticks:
            writer.write(one)
    return str(file)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> str:
    return recording(tmp_path_factory.mktemp("a") / "a.netlat", [busy(seq, sent=True) for seq in range(1, 21)])


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> str:
    return recording(tmp_path_factory.mktemp("b") / "b.netlat", [busy(seq, 1.3, sent=True) for seq in range(1, 21)])


def halves() -> tuple[Origin, list[Tick], list[Tick]]:
    """The bundled recording's: every other tick, for its second half is some percent slower than its first."""
    with closing(Reader(DEMO)) as reader:
        ticks = list(reader)
        return reader.origin, ticks[::2], ticks[1::2]


def document(*words: str) -> dict[str, Any]:
    done = run("compare", *words, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(found, SCHEMA)
    return found


def verdicts(rows: Sequence[dict[str, Any]]) -> set[str]:
    return {row[name]["verdict"] for row in rows for name in ("p50", "p99", "rate")}


# --- Rows ---


def test_what_got_slower_is_marked_everywhere(steady: str, slower: str) -> None:
    found = document(steady, slower)
    rows = {(row["kind"], row["direction"], row["name"]): row for row in found["rows"]}
    assert {kind for kind, _, _ in rows} == {"delay", "total", "stage"}
    assert [row for row in found["rows"] if row["in"] != "both"] == []
    for row in rows.values():
        for quantile in ("p50", "p99"):
            change = row[quantile]
            assert change["verdict"] == "up"
            assert change["change_pct"] == pytest.approx(30, abs=5)
            assert change["change_ns"] == pytest.approx(change["b_ns"] - change["a_ns"], abs=1)
            assert change["a_ns"] == pytest.approx(row["a"][f"{quantile}_ns"], rel=0.0626)
        assert row["rate"]["verdict"] == "within noise"
    assert rows["stage", "rx", "socket→wakeup"]["a"]["count"] == 20 * 2 * 60 * 20


def test_the_other_way_round_it_got_faster(steady: str, slower: str) -> None:
    assert {row["p99"]["verdict"] for row in document(slower, steady)["rows"]} == {"down"}


def test_a_recording_and_itself(steady: str) -> None:
    assert verdicts(document(steady, steady)["rows"]) == {"within noise"}


def test_two_halves_of_a_recording_that_are_alike(tmp_path: Path) -> None:
    origin, *parts = halves()
    files = [recording(tmp_path / f"{number}.netlat", part, origin) for number, part in enumerate(parts)]
    assert verdicts(document(*files)["rows"]) <= {"within noise", "too few to tell"}


def test_too_few_ticks_are_never_marked(tmp_path: Path, slower: str) -> None:
    short = recording(tmp_path / "s.netlat", [busy(seq, sent=True) for seq in range(1, 7)])
    assert verdicts(document(short, slower)["rows"]) == {"too few to tell"}
    done = run("compare", short, slower)
    assert (done.returncode, done.stderr) == (0, "")
    assert not set(done.stdout) & set("%")


def test_a_run_of_any_length_is_cut_into_blocks_of_one_length() -> None:
    for count in (0, 1, 5, 23, 24, 25, 49, 300):
        whole = Run()
        ticks = [tick(seq) for seq in range(count)]
        for one in ticks:
            whole.add(one)
        (blocks,) = whole.blocks([TOTAL[Direction.RX]])
        assert blocks.seconds.sum() == count
        assert blocks.counts.sum() == count * 120
        assert len(blocks.seconds) <= MOST_BLOCKS
        if count > 24:
            assert blocks.seconds.max() <= 3 * blocks.seconds.min()


def test_the_blocks_are_those_of_the_ticks_whoever_keeps_them() -> None:
    history, whole = History(ORIGIN), Run()
    for one in [busy(seq) for seq in range(1, 11)]:
        history.add(one)
        whole.add(one)
    snapshot = history.snapshot(None, EVERYTHING, None)
    dists = [row.stage.id for row in snapshot.stages]
    for kept, streamed in zip(snapshot.spread.blocks(dists), whole.blocks(dists), strict=True):
        assert (kept.counts == streamed.counts).all()
        assert (kept.seconds == streamed.seconds).all()
    rows = compared(snapshot, snapshot.spread, snapshot, whole)
    assert {row.p99.verdict for row in rows} == {Verdict.SAME}


# --- Recordings that are unlike ---


def test_what_one_kernel_alone_shows(tmp_path: Path, steady: str) -> None:
    hooks = (Hook("rx", "link", "netif_receive_skb", "raw_tracepoint"), Hook("rx", "ip", "ip_rcv", "kprobe"))
    blind = (hooks[0], Hook("rx", "ip", "", "none", "refused"))
    one = recording(tmp_path / "a.netlat", [busy(seq) for seq in range(1, 9)], replace(ORIGIN, hooks=hooks))
    other = recording(
        tmp_path / "b.netlat",
        [busy(seq, blind=("data link→network",)) for seq in range(1, 9)],
        replace(ORIGIN, hooks=blind, kernel="5.10.0"),
    )
    found = document(one, other)
    assert [row["name"] for row in found["rows"] if row["in"] == "a"] == ["data link→network"]
    assert any("only A could see rx ip" in note for note in found["notes"])
    assert any("6.18.0 and 5.10.0" in note for note in found["notes"])
    text = run("compare", one, other).stdout
    assert "only in A\n rx data link→network" in text
    only = document(one, steady)
    assert {row["direction"] for row in only["rows"] if row["in"] == "b"} == {"tx"}


def test_another_filter_is_said(tmp_path: Path, steady: str) -> None:
    other = recording(tmp_path / "b.netlat", [busy(seq, kernel_filter="port 443") for seq in range(1, 9)])
    (note,) = document(steady, other)["notes"]
    assert note.endswith("A's filter is none, B's port 443")
    assert "note: the packets counted are not the same" in run("compare", steady, other).stdout


def test_a_filter_after_the_files_must_be_that_of_both(tmp_path: Path, steady: str) -> None:
    ticks = [busy(seq, kernel_filter="port 443") for seq in range(1, 9)]
    file = recording(tmp_path / "b.netlat", ticks)
    assert run("compare", file, file, "port", "443").returncode == 0
    assert run("compare", file, file, "-p", "443").returncode == 0
    assert "of A is none" in one_sentence(run("compare", steady, file, "port", "443"), 2)
    assert "of B is none" in one_sentence(run("compare", file, steady, "port", "443"), 2)
    assert "port 444" in one_sentence(run("compare", file, file, "port", "444"), 2)
    assert "of A is port 443" in one_sentence(run("compare", file, file, "port 443 and total > 1ms"), 2)


# --- Limits ---


@pytest.mark.parametrize(
    ("text", "count", "quantile", "share"),
    [
        ("socket→copy=20", 1, "p99", 0.2),
        ("socket->copy=20%", 1, "p99", 0.2),
        ("RX total=0", 1, "p99", 0),
        ("p50:tx total=7.5", 1, "p50", 0.075),
        ("p99:interface->data link=10", 1, "p99", 0.1),
        ("transport->drop=5", 2, "p99", 0.05),
        ("tx transport→drop=5", 1, "p99", 0.05),
    ],
)
def test_limits(text: str, count: int, quantile: str, share: float) -> None:
    found = limit(text)
    assert (len(found.names), found.quantile, found.share) == (count, quantile, pytest.approx(share))


@pytest.mark.parametrize(
    "text", ["socket→copy", "socket→copy=", "socket→copy=-1", "socket→copy=nan", "p90:socket→copy=1", "=5", "inf=inf"]
)
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(LimitError):
        limit(text)


def test_every_name_can_be_asked_for() -> None:
    for name in NAMES:
        assert all(name in limit(f"{spelling}=1").names for spelling in name.spellings)
        assert any(spelling.isascii() for spelling in name.spellings)


@pytest.mark.parametrize(
    ("asked", "near"), [("socket->coppy", "socket->copy"), ("copy", "socket->copy"), ("rx totl", "rx total")]
)
def test_an_unknown_stage_is_named_with_those_like_it(asked: str, near: str, steady: str) -> None:
    sentence = one_sentence(run("compare", steady, steady, "--fail-above", f"{asked}=5"), 2)
    assert sentence.startswith(f"There is no stage {asked}: did you mean ")
    assert near in sentence


def test_limits_decide_the_exit_code(steady: str, slower: str) -> None:
    for limits, code in (
        (["socket->wakeup=20"], 1),
        (["socket->wakeup=50"], 0),
        (["p50:rx total=20"], 1),
        (["rx total=50", "tx total=50"], 0),
        (["rx total=50", "tx total=5"], 1),
    ):
        done = run("compare", steady, slower, *(word for one in limits for word in ("--fail-above", one)))
        assert done.returncode == code
        assert ("FAILED" in done.stdout) is ("Grown by more" in done.stderr) is bool(code)
    assert run("compare", slower, steady, "--fail-above", "rx total=0").returncode == 0
    assert run("compare", steady, steady, "--fail-above", "rx total=0").returncode == 0


def test_what_cannot_be_judged_is_said_and_is_no_failure(tmp_path: Path, slower: str) -> None:
    short = recording(tmp_path / "s.netlat", [busy(seq) for seq in range(1, 4)])
    for asked, why in (("rx total=0", "too few"), ("tx total=0", "only B has"), ("socket->drop=0", "neither has")):
        done = run("compare", short, slower, "--fail-above", asked)
        assert done.returncode == 0
        assert why in done.stderr
        assert "not judged" in done.stdout


# --- How it ends ---


def test_eighty_columns_of_ascii(steady: str, slower: str, tmp_path: Path) -> None:
    done = run("compare", steady, slower, "--ascii", "--fail-above", "rx total=5")
    assert done.stdout.isascii()
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert " socket->wakeup" in done.stdout
    assert "+30%^" in done.stdout


def test_damage_is_said_and_the_rest_compared(steady: str, tmp_path: Path) -> None:
    cut = tmp_path / "cut.netlat"
    content = Path(steady).read_bytes()
    cut.write_bytes(content[: len(content) * 2 // 3])
    done = run("compare", steady, str(cut))
    assert done.returncode == 1
    assert "B is damaged" in done.stdout
    assert "socket→wakeup" in done.stdout
    assert f"B ({cut}) is damaged" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"hello\n"])
def test_what_is_no_recording(content: bytes, steady: str, tmp_path: Path) -> None:
    file = tmp_path / "x.netlat"
    file.write_bytes(content)
    one_sentence(run("compare", steady, str(file)), 1)
    one_sentence(run("compare", str(tmp_path / "nosuch"), steady), 1)


def test_one_of_them_may_be_standard_input(steady: str, slower: str) -> None:
    command = [sys.executable, "-m", "netlat_tui", "compare", "-", slower]
    with Path(steady).open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0
    assert "standard input" in one_sentence(run("compare", "-", "-"), 2)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_others_cannot_steer_anything(name: str, tmp_path: Path) -> None:
    hooks = (Hook("rx", name, "x", "kprobe"),)
    origin = replace(ORIGIN, host=name, kernel=name, hooks=hooks)
    ticks = [replace(busy(seq), filter=name) for seq in range(1, 9)]
    file = recording(tmp_path / "x.netlat", ticks, origin)
    plain = recording(tmp_path / "y.netlat", ticks[:1])
    for form in ("text", "json"):
        done = run("compare", file, plain, "--format", form)
        assert done.returncode == 0
        assert not any(ord(char) < 32 and char != "\n" for char in done.stdout)
