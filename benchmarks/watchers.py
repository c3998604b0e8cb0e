"""What watches the traffic while it is measured: netlat-tui in two ways, and tools with the same purpose."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

from benchmarks.hooks import empties
from benchmarks.load import Unavailable, need
from benchmarks.net import end
from benchmarks.pty import Terminal
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.plan import make as make_plan

REPO = Path(__file__).resolve().parent.parent
LONG_S = "3600"
_ATTACH_S = 300
Watcher = Callable[[], AbstractContextManager[int]]
"""Watches while its block runs, from when it is attached; gives the number of its process."""

PERF_EVENTS = (
    *("net:net_dev_xmit", "net:net_dev_queue", "net:netif_receive_skb", "net:netif_rx"),
    *("skb:consume_skb", "skb:kfree_skb", "skb:skb_copy_datagram_iovec", "napi:napi_poll"),
    *("irq:irq_handler_entry", "irq:irq_handler_exit", "irq:softirq_entry", "irq:softirq_exit", "irq:softirq_raise"),
)
"""What perf's netdev-times script records."""

BPFTRACE = """
tracepoint:net:netif_receive_skb { @at[cpu] = nsecs; }
tracepoint:sock:sk_data_ready /@at[cpu]/ { @link_to_socket = hist(nsecs - @at[cpu]); delete(@at[cpu]); }
interval:s:1 { printf("attached\\n"); }
"""
"""Link layer to socket as bpftrace would do it most cheaply: without following packets, by CPU."""


@cache
def _help() -> str:
    command = [sys.executable, "-m", "netlat_tui", "report", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPO).stdout


def application(*words: str) -> list[str]:
    """netlat-tui's command line, all stages of all packets counted whatever it costs."""
    budget = ("--budget", "none") if "--budget" in _help() else ()
    return [sys.executable, "-m", "netlat_tui", *words, *budget]


def attached(pid: int) -> bool:
    """Whether netlat-tui has attached everything: then it gives up its rights, for good."""
    try:
        return "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def wait_until_attached(pid: int) -> None:
    deadline = time.monotonic() + _ATTACH_S
    while not attached(pid):
        if time.monotonic() > deadline or not Path(f"/proc/{pid}").exists():
            raise Unavailable("netlat-tui did not attach its hooks: run `netlat-tui check`")
        time.sleep(0.01)


@contextmanager
def _process(command: list[str], out: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=said, cwd=REPO)
        try:
            yield process
            if process.poll() is not None:
                said.seek(0)
                lines = said.read().decode("utf-8", "replace").strip().splitlines() or [f"exit {process.returncode}"]
                reason = next((line for line in reversed(lines) if "rror" in line or "ermi" in line), lines[-1])
                raise Unavailable(f"{Path(command[0]).name}: {reason.strip()}")
        finally:
            end(process, signal.SIGINT)
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def nobody() -> Iterator[int]:
    yield os.getpid()


@contextmanager
def empty() -> Iterator[int]:
    """Programs that do nothing at all the hooks of netlat-tui: what no program can cost less than."""
    btf = Btf.of_kernel()
    with empties(btf, make_plan(btf, "auto")):
        yield os.getpid()


@contextmanager
def headless(*words: str) -> Iterator[int]:
    """netlat-tui without its screen."""
    with _process(application("report", "--duration", LONG_S, "--format", "json", *words)) as process:
        wait_until_attached(process.pid)
        time.sleep(0.5)
        yield process.pid


@contextmanager
def screen(*words: str, columns: int = 120, lines: int = 40) -> Iterator[int]:
    """netlat-tui's live view in a terminal."""
    with Terminal(application(*words), columns, lines, REPO) as terminal:
        wait_until_attached(terminal.pid)
        time.sleep(1.5)
        yield terminal.pid
        if not terminal.alive:
            raise Unavailable("netlat-tui's live view ended by itself")


@contextmanager
def bpftrace() -> Iterator[int]:
    with _process([need("bpftrace"), "-e", BPFTRACE], subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(b"attached"):
                break
        yield process.pid


@contextmanager
def perf() -> Iterator[int]:
    """perf recording into nothing, which is less work than into a file."""
    events = [word for event in PERF_EVENTS for word in ("-e", event)]
    with _process([need("perf", "linux-perf"), "record", "-q", "-a", "-o", "/dev/null", *events]) as process:
        time.sleep(2.0)
        yield process.pid


@contextmanager
def pwru() -> Iterator[int]:
    """pwru following UDP; it hooks functions, so it needs a kernel that lets it."""
    found = shutil.which("pwru")
    if found is None:
        raise Unavailable("pwru is not installed; Debian has no package of it")
    with _process([found, "--output-meta", "udp"]) as process:
        time.sleep(10.0)
        yield process.pid


WATCHERS: dict[str, tuple[str, Watcher]] = {
    "empty": ("empty programs at the same hooks", empty),
    "report": ("netlat-tui report: all stages of all packets", headless),
    "screen": ("netlat-tui, live view at 120×40", screen),
    "bpftrace": ("bpftrace: one interval, link→socket", bpftrace),
    "perf": ("perf record: the events of netdev-times", perf),
}
