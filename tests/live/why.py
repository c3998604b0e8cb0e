"""What a report says stands out while a test's traffic passes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live.conftest import Actor, Host, Net, wait_until_attached

COUNT = 150
GAP = 0.005

Findings = dict[str, dict[str, Any]]
"""By kind; of several of one kind the first, which matters most."""


Told = Callable[[Host, Callable[[], Actor]], Findings]


@pytest.fixture
def tier() -> str:
    """The hooks a report takes."""
    return "auto"


@pytest.fixture
def told(tier: str) -> Iterator[Told]:
    """What a report of a namespace says stands out while an actor sends, to its end.

    It runs in the namespace, as who looks for what is wrong there would run it: with the settings of its interfaces.
    """
    started: list[subprocess.Popen[str]] = []

    def begin(host: Host, send: Callable[[], Actor]) -> Findings:
        command = [*host.inside, sys.executable, "-m", "netlat_tui", "report", "--budget", "none", "--duration", "600"]
        command += ["--hooks", tier, "--format", "json", f"netns {host.inode} and (udp or tcp)"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        wait_until_attached(process.pid, tier)
        send().finish()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (130, "")
        return {finding["kind"]: finding for finding in reversed(json.loads(out)["findings"])}

    yield begin
    for process in started:
        with process:
            process.kill()


def sending(net: Net, host: Host, address: str, port: int, cpu: int | None = None) -> Callable[[], Actor]:
    return lambda: net.start(host, "udp-send", address, port, COUNT, 64, GAP, cpu=cpu)


def figure(finding: dict[str, Any], name: str) -> Any:
    return next(one["value"] for one in finding["figures"] if one["name"] == name)
