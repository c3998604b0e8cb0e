"""A recording whose header lies in wait: what it names reaches no file and no terminal but as text."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.export import tables, trace
from netlat_tui.model.paths import decode
from netlat_tui.model.ticks import PATH, Hook
from netlat_tui.recording import Writer
from tests.synth import DROP_REASON, NETNS, ORIGIN, hostile, make_ticks

EVIL = "\x1b]0;x\x07\x9b2J\x7f\r\n\u202e\u2028[red]"
STEERING = set("\x1b\x07\x9b\x7f\r\u202e\u2028")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Every text of it is hostile."""
    origin = replace(
        ORIGIN,
        host=EVIL,
        kernel=EVIL,
        clocksource=EVIL,
        filter=EVIL,
        hooks=(Hook(EVIL, EVIL, EVIL, EVIL, EVIL),),
        reasons={DROP_REASON: EVIL},
    )
    file = tmp_path / "x.netlat"
    with Writer(file, origin) as writer:
        for tick in make_ticks(2, paths=2, drops=2):
            writer.write(replace(hostile(tick, EVIL), filter=EVIL))
    return file


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--format", "text"],
        ["report", "--format", "json"],
        ["report", "--format", "csv"],
        ["report", "--ascii"],
        ["export", "--format", "csv", "-o", "-"],
        ["export", "--format", "jsonl", "-o", "-"],
    ],
    ids=" ".join,
)
def test_a_hostile_recording_steers_no_terminal(words: list[str], recording: Path) -> None:
    command = [sys.executable, "-m", "netlat_tui", words[0], str(recording), *words[1:]]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, env={**os.environ})
    text = done.stdout.decode("utf-8")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "[red]" in text, "names are shown as they are, less what steers"
    assert not set(text) & STEERING
    if "jsonl" in words:
        reasons = {json.loads(line)["reason"] for line in text.splitlines()}
        assert any(reason and reason.endswith("[red]") for reason in reasons)
    if words[-1] == "json":
        (hook,) = json.loads(text)["hooks"]
        assert all(not set(value) & (STEERING | {"\n"}) for value in hook.values())


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=PATH.itemsize, max_size=PATH.itemsize), st.binary(max_size=30))
def test_no_path_is_so_odd_that_it_cannot_be_written(raw: bytes, name: bytes) -> None:
    row = np.frombuffer(raw, dtype=PATH)[0].copy()
    row["comm"], row["netns"], row["ifindex"] = name[:15], NETNS, 1
    path = decode(row, 0, {(NETNS, 1): name.decode("utf-8", "surrogateescape")}, {})
    line, plain = trace.line(path), json.loads(trace.json_line(path))
    assert "\n" not in line
    assert not set(line) & STEERING
    assert plain["points"] == [] or plain["total_ns"] == plain["points"][-1]["t_ns"]
    out = io.StringIO()
    tables.write_csv([path], out)
    heads, values = csv.reader(io.StringIO(out.getvalue()))
    assert len(heads) == len(values)
    out.getvalue().encode("utf-8")
    for text in values:
        assert text[:1] not in ("=", "+", "@")
