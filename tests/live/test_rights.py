"""What is left of root once everything is attached, and that it is enough."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import netlat_tui
from netlat_tui.bpf.tracer import Tracer
from netlat_tui.recording import Reader
from tests.live.conftest import DEADLINE_S, Net, wait_until_attached

NOBODY = 65534
KEPT = 1 << 19 | 1 << 21 | 1 << 38 | 1 << 39  # SYS_PTRACE, SYS_ADMIN, PERFMON, BPF
DAC_OVERRIDE, DAC_READ_SEARCH = 1 << 1, 1 << 2
PROJECT = Path(netlat_tui.__file__).parent


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


@pytest.mark.parametrize(
    ("sudo", "locked", "uid", "kept"),
    [(True, False, NOBODY, KEPT), (True, True, NOBODY, KEPT | DAC_READ_SEARCH), (False, False, 0, KEPT | DAC_OVERRIDE)],
)
def test_rights_are_dropped_and_measuring_goes_on(
    sudo: bool, locked: bool, uid: int, kept: int, net: Net, tracer: Tracer, tmp_path: Path
) -> None:
    """``locked``: the program lies in a folder that is root's alone, as a checkout in /root does."""
    if sudo and not (open_to_all(PROJECT) and open_to_all(Path(sys.prefix) / "lib")):
        kept |= DAC_READ_SEARCH
    file = tmp_path / "x.netlat"  # in a folder that is root's
    sender, receiver = net.pair()
    reader = net.start(receiver, "udp-read", receiver.ip4, 1000, 64, 0)
    port = reader.expect("ready")
    environment = {**os.environ, **({"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)} if sudo else {})}
    if locked:
        shutil.copytree(PROJECT, tmp_path / "locked" / PROJECT.name, ignore=shutil.ignore_patterns("__pycache__"))
        (tmp_path / "locked").chmod(0o700)
        environment["PYTHONPATH"] = str(tmp_path / "locked")
    command = [
        sys.executable,
        "-m",
        "netlat_tui",
        "record",
        "--budget",
        "none",
        "-o",
        str(file),
        "--interval",
        "0.2",
        f"rx and dst port {port}",
    ]
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_attached(process.pid)
        deadline = time.monotonic() + DEADLINE_S
        while status(process.pid)["NoNewPrivs"] != ["1"] and time.monotonic() < deadline:
            time.sleep(0.01)
        found = status(process.pid)
        net.start(sender, "udp-send", receiver.ip4, port, 1000, 64, 0.0005)
        assert reader.finish() == 1000
    finally:
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "")
    assert found["Uid"] == found["Gid"] == [str(uid)] * 4
    assert [int(found[name][0], 16) for name in ("CapEff", "CapPrm", "CapInh")] == [kept, kept, 0]

    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (uid, 0o600)
    with closing(Reader(file)) as recording:
        ticks = list(recording)
    assert sum(tick.counters["complete"] for tick in ticks) == 1000
    assert sum(tick.self_cost.kernel_runs or 0 for tick in ticks) > 0
    names = {(info.netns, info.name) for tick in ticks for info in tick.iface_info}
    assert (receiver.inode, "veth0") in names
