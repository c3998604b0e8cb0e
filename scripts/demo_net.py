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

from scripts.demo_traffic import BUSY_CPU, LOGS, TAP, WAN, WEB

REPO = Path(__file__).parent.parent
LINKS = (("web", WEB), ("wan", WAN), ("log", LOGS), ("tap", TAP))
"""A veth pair each: web0 is the server's end, web1 the client's."""
SHAPED = ("tc", "qdisc", "replace", "dev", "wan0", "root", "tbf", "rate", "2mbit", "burst", "4kb", "limit", "60kb")


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


def _join(server: str, client: str, link: str, net: str) -> None:
    ends = (f"{link}0", server, f"{net}.1"), (f"{link}1", client, f"{net}.2")
    ip("link", "add", ends[0][0], "netns", server, "type", "veth", "peer", "name", ends[1][0], "netns", client)
    for device, name, address in ends:
        ip("-n", name, "address", "add", f"{address}/24", "dev", device)
        ip("-n", name, "link", "set", device, "up")


def _inside(namespace: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", namespace, *command]


def _disturb(server: str) -> None:
    """wan0 lets out less than it is given; what comes in over log0 is another CPU's to take."""
    subprocess.run(_inside(server, *SHAPED), check=True)
    rps = f"echo {1 << BUSY_CPU:x} >/sys/class/net/log0/queues/rx-0/rps_cpus"
    subprocess.run(_inside(server, "sh", "-c", rps), check=True)
    # Filters as long as the inspector's: a setting of the namespace's own from 6.7 on.
    subprocess.run(_inside(server, "sysctl", "-qw", "net.core.optmem_max=1000000"), check=False)


def _run(namespace: str, role: str, seconds: int) -> subprocess.Popen[bytes]:
    command = _inside(namespace, sys.executable, "-m", "scripts.demo_traffic", role, f"{WEB}.1", str(seconds))
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@contextmanager
def demo(seconds: int) -> Iterator[Demo]:
    """Make the namespaces and their traffic, which ends after so many seconds at the latest; take both away again."""
    if os.geteuid():
        sys.exit("This makes network namespaces and traces them: run it as root.")
    names = {role: f"nl-demo-{os.getpid()}-{role}" for role in ("server", "client")}
    actors: list[subprocess.Popen[bytes]] = []
    try:
        for name in names.values():
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        for link, net in LINKS:
            _join(names["server"], names["client"], link, net)
        _disturb(names["server"])
        for role, host in (("server", "server"), ("client", "client"), ("wrong", "server")):
            actors.append(_run(names[host], role, seconds))
        inodes = {role: (Path("/run/netns") / name).stat().st_ino for role, name in names.items()}
        yield Demo(inodes["server"], inodes["client"])
    finally:
        for actor in actors:
            os.killpg(actor.pid, signal.SIGKILL)
            actor.wait()
        for name in names.values():
            subprocess.run(["ip", "netns", "delete", name], check=False)
