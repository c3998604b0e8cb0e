"""Namespaces with the demonstration's traffic in them, for the scripts that record or picture it. Needs root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TRAFFIC = Path(__file__).with_name("demo_traffic.py")
SERVER, CLIENT = "10.99.0.1", "10.99.0.2"
NET = "net 10.99.0.0/24"
"""The filter for their packets, for people's eyes."""


@dataclass(frozen=True)
class Demo:
    """Two namespaces joined by a veth pair: their inode numbers."""

    server: int
    client: int

    @property
    def words(self) -> str:
        """The filter that lets only their IPv4 packets through."""
        return f"(netns {self.server} or netns {self.client}) and ip"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _join(server: str, client: str) -> None:
    ip("link", "add", "web0", "netns", server, "type", "veth", "peer", "name", "lan0", "netns", client)
    for name, device, address in ((server, "web0", SERVER), (client, "lan0", CLIENT)):
        ip("-n", name, "address", "add", f"{address}/24", "dev", device)
        ip("-n", name, "link", "set", device, "up")


def _run(namespace: str, role: str, seconds: int) -> subprocess.Popen[bytes]:
    command = ["ip", "netns", "exec", namespace, sys.executable, str(TRAFFIC), role, SERVER, str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@contextmanager
def demo(seconds: int) -> Iterator[Demo]:
    """Make the namespaces and their traffic, which ends after so many seconds at the latest; take both away again."""
    if os.geteuid():
        sys.exit("This makes network namespaces and traces them: run it as root.")
    names = {role: f"nl-demo-{os.getpid()}-{role}" for role in ("server", "client")}
    actors = []
    try:
        for name in names.values():
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        _join(names["server"], names["client"])
        actors = [_run(name, role, seconds) for role, name in names.items()]
        inodes = {role: (Path("/run/netns") / name).stat().st_ino for role, name in names.items()}
        yield Demo(inodes["server"], inodes["client"])
    finally:
        for actor in actors:
            os.killpg(actor.pid, signal.SIGKILL)
            actor.wait()
        for name in names.values():
            subprocess.run(["ip", "netns", "delete", name], check=False)
