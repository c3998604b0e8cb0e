"""Makes the bundled recording, netlat_tui/data/demo.netlat, from traffic in namespaces of its own. Needs root.

Two namespaces joined by a veth pair; only packets of these two are recorded, and what the recording says of the machine
is taken out.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from netlat_tui.model.ticks import IRQ_ROW, Rows, Scope, Tick
from netlat_tui.recording import Writer, read_all

HERE = Path(__file__).parent
TARGET = HERE.parent / "netlat_tui" / "data" / "demo.netlat"
SECONDS = 45
SERVER, CLIENT = "10.99.0.1", "10.99.0.2"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def namespaces() -> tuple[str, str]:
    server, client = (f"nl-demo-{os.getpid()}-{role}" for role in ("server", "client"))
    for name in (server, client):
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
    ip("link", "add", "web0", "netns", server, "type", "veth", "peer", "name", "lan0", "netns", client)
    for name, device, address in ((server, "web0", SERVER), (client, "lan0", CLIENT)):
        ip("-n", name, "address", "add", f"{address}/24", "dev", device)
        ip("-n", name, "link", "set", device, "up")
    return server, client


def run(namespace: str, role: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / "demo_traffic.py"), role, SERVER, str(SECONDS + 20)]
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespace, *command], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def inode(namespace: str) -> int:
    return (Path("/run/netns") / namespace).stat().st_ino


def ours(tick: Tick, numbers: set[int]) -> Tick:
    """The tick without what it says of the rest of the machine."""

    def local(rows: Rows) -> Rows:
        return rows[rows["scope"] == Scope.CPU].copy()

    return replace(
        tick,
        cells=local(tick.cells),
        sums=local(tick.sums),
        irqs=tick.irqs[:0].astype(IRQ_ROW),
        irq_info=(),
        iface_info=tuple(info for info in tick.iface_info if info.netns in numbers),
    )


def main() -> None:
    server, client = namespaces()
    actors = []
    try:
        numbers = {inode(server), inode(client)}
        actors = [run(server, "server"), run(client, "client")]
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "raw.netlat"
            words = f"(netns {inode(server)} or netns {inode(client)}) and ip"
            command = [sys.executable, "-m", "netlat_tui", "record", "-o", str(raw), "--duration", str(SECONDS), words]
            subprocess.run(command, check=True)
            origin, ticks, damage = read_all(raw)
        assert not damage
        origin = replace(origin, host="demo", boot_id="", filter="")
        TARGET.parent.mkdir(exist_ok=True)
        with Writer(TARGET, origin, overwrite=True) as writer:
            for tick in ticks:
                writer.write(replace(ours(tick, numbers), filter=""))
        TARGET.chmod(0o644)
        print(f"{TARGET.name}: {len(ticks)} ticks, {TARGET.stat().st_size} bytes")
    finally:
        for actor in actors:
            os.killpg(actor.pid, signal.SIGKILL)
            actor.wait()
        for name in (server, client):
            ip("netns", "delete", name)


if __name__ == "__main__":
    main()
