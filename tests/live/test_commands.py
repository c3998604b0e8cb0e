"""The live commands from start to end: signals, closed pipes, a missing BCC, and what is left afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from netlat_tui.bpf.compiler import MISSING, NAMESAKE
from netlat_tui.recording import Reader
from tests.live.conftest import Actor, Host, Net, wait_until_attached

pytestmark = pytest.mark.usefixtures("tracer")

Start = Callable[..., "subprocess.Popen[str]"]
COMMAND = [sys.executable, "-m", "netlat_tui"]


@pytest.fixture
def echo(net: Net) -> tuple[Host, Actor, int]:
    """A server that answers a datagram 5 ms after it came, in a namespace with lo alone; its port."""
    host = net.host()
    server = net.start(host, "udp-echo", host.ip4, 10_000, 64, 0.005)
    return host, server, server.expect("ready")


@pytest.fixture
def start() -> Iterator[Start]:
    """Runs a command that counts everything and waits until it is attached; ends it if the test did not."""
    started: list[subprocess.Popen[str]] = []

    def begin(name: str, *words: str) -> subprocess.Popen[str]:
        command = [*COMMAND, name, "--budget", "none", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        wait_until_attached(process.pid)
        return process

    yield begin
    for process in started:
        with process:
            process.kill()


def test_a_line_per_path_with_everything_in_it(start: Start, net: Net, echo: tuple[Host, Actor, int]) -> None:
    host, _, port = echo
    process = start("trace", "--count", "5", f"rx and netns {host.inode} and dst port {port}")
    net.start(host, "udp-ask", host.ip4, port, 5, 64, 0)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    header, *lines = out.splitlines()
    assert header.startswith("# time ")
    assert len(lines) == 5
    ids = set()
    for line in lines:
        assert re.search(rf"udp 127\.0\.0\.1:\d+ → 127\.0\.0\.1:{port} ", line)
        assert " lo " in line
        assert "python" in line
        assert re.search(r"link→socket=\d+\.\d+", line)
        ids.add(line.split()[1])
    assert len(ids) == 5


def test_jsonl_is_read_by_others(start: Start, net: Net, echo: tuple[Host, Actor, int]) -> None:
    host, _, port = echo
    process = start("trace", "--format", "jsonl", "--count", "3", f"rx and netns {host.inode} and dst port {port}")
    net.start(host, "udp-ask", host.ip4, port, 3, 64, 0)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    paths = [json.loads(line) for line in out.splitlines()]
    assert len(paths) == 3
    for path in paths:
        assert path["dport"] == port
        assert path["outcome"] == "complete"
        assert path["total_ns"] == path["points"][-1]["t_ns"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["report", "trace", "record"])
def test_signals_end_it_cleanly(
    start: Start, command: str, number: int, code: int, net: Net, echo: tuple[Host, Actor, int], tmp_path: Path
) -> None:
    host, _, port = echo
    file = tmp_path / "x.netlat"
    words = {
        "report": ["--duration", "600", "--format", "json"],
        "trace": ["--format", "jsonl"],
        "record": ["-o", str(file)],
    }[command]
    process = start(command, *words, f"rx and netns {host.inode} and dst port {port}")
    asking = net.start(host, "udp-ask", host.ip4, port, 20, 64, 0)
    assert asking.finish() == 20
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, "")
    if command == "report":
        assert json.loads(out)["accounting"]["complete"] == 20
    elif command == "trace":
        assert len(out.splitlines()) == 20
    else:
        with closing(Reader(file)) as reader:
            assert sum(tick.counters["complete"] for tick in reader) == 20
            assert not reader.damage


def test_a_closed_pipe_ends_it_quietly(start: Start, net: Net, echo: tuple[Host, Actor, int]) -> None:
    host, _, port = echo
    process = start("trace", f"rx and netns {host.inode} and dst port {port}")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("# time ")
    process.stdout.close()
    net.start(host, "udp-ask", host.ip4, port, 1000, 64, 0)
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_recording_is_read_while_it_is_written(net: Net, echo: tuple[Host, Actor, int]) -> None:
    host, _, port = echo
    words = [
        "record",
        "--budget",
        "none",
        "-o",
        "-",
        "--interval",
        "0.1",
        f"rx and netns {host.inode} and dst port {port}",
    ]
    writing = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE)
    reading = subprocess.Popen(
        [*COMMAND, "report", "-", "--format", "json"], stdin=writing.stdout, stdout=subprocess.PIPE, text=True
    )
    assert writing.stdout is not None
    writing.stdout.close()
    wait_until_attached(writing.pid)
    assert net.start(host, "udp-ask", host.ip4, port, 20, 64, 0).finish() == 20
    writing.send_signal(signal.SIGINT)
    out, _ = reading.communicate(timeout=60)
    assert writing.wait(timeout=60) == 130
    assert reading.returncode == 0
    assert json.loads(out)["accounting"]["complete"] == 20


@pytest.mark.parametrize(("module", "sentence"), [("raise ImportError", MISSING), ("", NAMESAKE)])
def test_without_bcc(module: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "bcc.py").write_text(module)
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [*COMMAND, "report", "--duration", "1"], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (4, "", f"netlat-tui: {sentence}\n")


@pytest.mark.parametrize("taken", [True, False])
def test_a_recording_that_cannot_be_written(taken: bool, tmp_path: Path) -> None:
    file = tmp_path / "x.netlat" if taken else tmp_path / "no" / "x.netlat"
    if taken:
        file.write_text("mine")
    done = subprocess.run(
        [*COMMAND, "record", "-o", str(file), "--duration", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == (["x.netlat"] if taken else [])
    assert not taken or file.read_text() == "mine"
