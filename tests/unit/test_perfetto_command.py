"""Traces for Perfetto as the command writes them; read by Perfetto's own trace processor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from tests.perfetto_reader import read
from tests.synth import SECOND
from tests.trace_processor import TraceProcessor
from tests.unit.test_cli import DEMO, one_sentence, run


def test_the_command_writes_what_the_filter_selects(tmp_path: Path) -> None:
    words = ("export", str(DEMO), "--format", "perfetto", "-o")
    done = run(*words, "out", "port 9000 and total > 1ms", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    data = (tmp_path / "out").read_bytes()
    packets = read(data).packets
    assert len(packets) > 50
    assert all(":9000" in str(one.told["flow"]) and one.end_ns - one.start_ns > 1_000_000 for one in packets)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    command = [sys.executable, "-m", "netlat_tui", *words, "-", "port 9000 and total > 1ms"]
    assert subprocess.run(command, capture_output=True, check=True, timeout=60).stdout == data
    assert "exists already" in one_sentence(run(*words, "out", cwd=tmp_path), 1)


def test_a_trace_is_not_poured_over_a_terminal() -> None:
    ours, terminal = os.openpty()
    try:
        command = [sys.executable, "-m", "netlat_tui", "export", str(DEMO), "--format", "perfetto", "-o", "-"]
        done = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    finally:
        os.close(ours)
        os.close(terminal)
    assert done.returncode == 2
    assert "name a file with -o" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nothing_else_waits_for_it() -> None:
    script = "import sys, netlat_tui.cli, netlat_tui.app; print({'google', 'perfetto'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_perfetto_reads_the_bundled_recording(tmp_path: Path) -> None:
    done = run("export", str(DEMO), "--format", "perfetto", "-o", "out", "port 5353,9000", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    data = (tmp_path / "out").read_bytes()
    own = read(data)
    with TraceProcessor(data) as perfetto:
        faults = perfetto.query("select name, value from stats where severity != 'info' and value > 0")
        assert faults == []
        (whole,) = perfetto.query("select count(*) n, min(dur) shortest from slice")
        assert whole == {"n": len(own.slices), "shortest": 0}
        stages = perfetto.query(
            "select p.dur total, sum(s.dur) stages from slice p join slice s on s.parent_id = p.id"
            " join track t on t.id = p.track_id where t.name not like 'CPU %' group by p.id"
        )
        assert len(stages) == len([one for one in own.packets if one.end_ns > one.start_ns])
        assert all(row["total"] == row["stages"] for row in stages)
        arrows = perfetto.query(
            "select o.ts before, i.ts after from flow f"
            " join slice o on o.id = f.slice_out join slice i on i.id = f.slice_in"
        )
        assert len(arrows) > len(own.packets)
        assert all(arrow["before"] <= arrow["after"] for arrow in arrows)
        told = perfetto.query(
            "select extract_arg(arg_set_id, 'debug.flow') flow, extract_arg(arg_set_id, 'debug.length') length"
            " from slice where name = 'rx complete' limit 1"
        )
        assert ":5353" in told[0]["flow"] or ":9000" in told[0]["flow"]
        assert told[0]["length"] > 0
        counters = perfetto.query("select distinct name from counter_track")
        assert {row["name"] for row in counters} == set(own.numbers)
        days = perfetto.query("select distinct (to_realtime(ts) - ts) / 1000000000 as offset from slice")
        offset = own.clocks[0][pb.BUILTIN_CLOCK_REALTIME] - own.clocks[0][pb.BUILTIN_CLOCK_MONOTONIC]
        assert [row["offset"] for row in days] == [pytest.approx(offset // SECOND, abs=1)]
