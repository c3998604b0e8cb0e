"""Traffic made by sockperf, the generator on one CPU and the receiver on another; and what came of it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.net import RECEIVING_CPU, SENDING_CPU, SERVER, Net, end

PORT = "11111"
SIZE = "14"  # bytes: the least sockperf sends
MOST_S = 600  # a generator that is forgotten ends by itself
_WARM_S = 1.0
_PACED = 20_000  # per second: more than this keeps a CPU busy anyway
_START_S = 60


class Unavailable(Exception):  # noqa: N818 - a state of the machine
    """A figure that is not to be had here; one sentence."""


def need(tool: str, package: str = "") -> str:
    """The tool's path; ``Unavailable`` where it is not installed."""
    found = shutil.which(tool)
    if found is None:
        raise Unavailable(f"{tool} is not installed (package {package or tool})")
    return found


def _server(made: Net, *options: str) -> subprocess.Popen[str]:
    command = made.inside(made.server, RECEIVING_CPU, need("sockperf"), "server", "-i", SERVER, "-p", PORT, *options)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    deadline = time.monotonic() + _START_S
    for line in process.stdout:
        if "to block on socket" in line or time.monotonic() > deadline:
            return process
    raise Unavailable("sockperf's server did not start")


def _client(made: Net, mode: str, *options: str) -> subprocess.Popen[str]:
    words = (need("sockperf"), mode, "-i", SERVER, "-p", PORT, "-m", SIZE, *options)
    command = made.inside(made.client, SENDING_CPU, *words)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _paced(made: Net, per_second: int) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """(receiver, sender) that sleep in between."""
    program = (sys.executable, "-I", "-S", str(Path(__file__).with_name("paced.py")))
    command = made.inside(made.server, RECEIVING_CPU, *program, "receive", SERVER, PORT)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    numbers = (str(per_second), str(MOST_S))
    command = made.inside(made.client, SENDING_CPU, *program, "send", SERVER, PORT, *numbers)
    return server, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)


@contextmanager
def flood(made: Net, per_second: int | None = None) -> Iterator[None]:
    """Small datagrams, as many as go or so many per second, while the block runs; they flow when it is entered."""
    if per_second == 0:
        yield
        return
    if per_second is not None and per_second <= _PACED:
        server, client = _paced(made, per_second)
    else:
        server = _server(made)
        rate = ("--mps", str(per_second)) if per_second else ()
        client = _client(made, "throughput", "-t", str(MOST_S), *rate)
    try:
        before, deadline = made.received(), time.monotonic() + _START_S
        while made.received() == before:
            if time.monotonic() > deadline:
                raise Unavailable("sockperf's datagrams did not arrive")
            time.sleep(0.05)
        time.sleep(_WARM_S)
        yield
    finally:
        end(client, signal.SIGINT)
        end(server, signal.SIGINT)
        for process in (client, server):
            if process.stdout is not None:
                process.stdout.close()


@dataclass
class Counted:
    """What was received in a measured time."""

    packets: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return self.packets / self.seconds if self.seconds else 0.0


@contextmanager
def counting(made: Net) -> Iterator[Counted]:
    """Count what is received while the block runs."""
    counted = Counted()
    before, began = made.received(), time.monotonic()
    yield counted
    counted.packets, counted.seconds = made.received() - before, time.monotonic() - began


def flood_rate(made: Net, seconds: float) -> float:
    """Datagrams per second that the application read under a flood."""
    with flood(made), counting(made) as counted:
        time.sleep(seconds)
    return counted.rate


def round_trips(made: Net, seconds: float) -> dict[str, float]:
    """µs of a TCP request and its response: ``p50`` and ``p99``."""
    server = _server(made, "--tcp")
    client = _client(made, "ping-pong", "--tcp", "--full-rtt", "-t", str(max(1, round(seconds))))
    try:
        text, _ = client.communicate(timeout=seconds + 30)
    finally:
        end(client, signal.SIGINT)
        end(server, signal.SIGINT)
        if server.stdout is not None:
            server.stdout.close()
    return parse_percentiles(text)


def parse_percentiles(text: str) -> dict[str, float]:
    """Of sockperf's output; ``Unavailable`` where it has none."""
    found = {number: float(value) for number, value in re.findall(r"percentile\s+([\d.]+)\s*=\s*([\d.]+)", text)}
    try:
        return {"p50": found["50.000"], "p99": found["99.000"]}
    except KeyError:
        raise Unavailable("sockperf measured no round trips") from None
