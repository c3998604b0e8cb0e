"""Two network namespaces of the benchmarks' own, joined by a veth pair. Needs root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SERVER, CLIENT = "10.98.0.1", "10.98.0.2"
SENDING_CPU, RECEIVING_CPU = 0, 1
_END_S = 10


@dataclass(frozen=True)
class Net:
    """Names of the namespaces."""

    server: str
    client: str

    @property
    def filter(self) -> str:
        """netlat-tui's filter that lets only their packets through."""
        inodes = [(Path("/run/netns") / name).stat().st_ino for name in (self.server, self.client)]
        return " or ".join(f"netns {inode}" for inode in inodes)

    def inside(self, name: str, cpu: int, *command: str) -> list[str]:
        """The command line that runs a command in a namespace, on one CPU."""
        return ["nsenter", f"--net=/run/netns/{name}", "taskset", "-c", str(cpu), *command]

    def received(self) -> int:
        """Datagrams that the server's application has read so far."""
        command = ["nsenter", f"--net=/run/netns/{self.server}", "cat", "/proc/net/snmp"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        names, numbers = (line.split() for line in text.splitlines() if line.startswith("Udp:"))
        return int(numbers[names.index("InDatagrams")])


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def net() -> Iterator[Net]:
    """Make the namespaces, take them away again."""
    made = Net(f"nlb{os.getpid()}-server", f"nlb{os.getpid()}-client")
    try:
        for name in (made.server, made.client):
            _ip("netns", "add", name)
            for key in ("all/disable_ipv6=1", "default/disable_ipv6=1"):  # no neighbours' messages among the figures
                path, value = key.split("=")
                subprocess.run(
                    ["nsenter", f"--net=/run/netns/{name}", "tee", f"/proc/sys/net/ipv6/conf/{path}"],
                    input=value,
                    text=True,
                    check=False,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", "nlb0", "netns", made.server, "type", "veth", "peer", "name", "nlb1", "netns", made.client)
        for name, device, address in ((made.server, "nlb0", SERVER), (made.client, "nlb1", CLIENT)):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", device)
            _ip("-n", name, "link", "set", device, "up")
        yield made
    finally:
        for name in (made.server, made.client):
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)


def end(process: subprocess.Popen[bytes] | subprocess.Popen[str], number: int) -> None:
    """Signal a process that we started and wait; kill it where it does not end within seconds."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
