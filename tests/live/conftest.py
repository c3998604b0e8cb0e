"""The running kernel, traced, and namespaces with traffic of the tests' own.

Where the kernel cannot be traced these tests skip and say why; in CI as root, on a machine that is meant to allow it,
skipping fails.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from netlat_tui.bpf import plan
from netlat_tui.bpf.btf import Btf, BtfError
from netlat_tui.bpf.compiled import BuildError
from netlat_tui.bpf.tracer import EXPIRE_NS, Tracer
from netlat_tui.model.filter import parse
from netlat_tui.model.paths import Path as PacketPath
from netlat_tui.model.paths import Ran, decode
from netlat_tui.model.points import N_STAGES, STAGES
from netlat_tui.model.ticks import PATH, Rows, Scope

TRAFFIC = Path(__file__).with_name("traffic.py")
DEADLINE_S = float(os.environ.get("NETLAT_TUI_TEST_DEADLINE", "60"))
SETTLED_NS = 1_000_000_000
"""Packets of earlier tests nothing was heard of for so long are given up: instead of ``EXPIRE_NS``."""
FOREVER = 50_000_000
"""Datagrams: more than are sent while a test runs."""
NOTHING = parse("tcp and udp")
"""Between tests nothing is followed: other packets of the machine may wait on a socket for as long as they like."""
ENDS = ("complete", "merged", "dropped", "forwarded", "consumed", "evicted", "expired")


def cannot(reason: str) -> None:
    if os.environ.get("CI") == "true" and os.geteuid() == 0:
        pytest.fail(f"live tests may not be skipped in CI: {reason}")
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def rights() -> None:
    """What every live test needs beside a kernel that allows tracing."""
    if os.geteuid():
        cannot("tracing needs root")
    if not shutil.which("ip"):
        cannot("iproute2 is missing")


@pytest.fixture(scope="session")
def tracer(rights: None) -> Iterator[Tracer]:
    try:
        made = Tracer(program=NOTHING.program)
    except (BuildError, BtfError, OSError) as error:
        cannot(f"this kernel cannot be traced: {error}")
    yield made
    made.close()


@dataclass
class Capture:
    """What the tracer counted since this capture began."""

    tracer: Tracer
    counters: dict[str, int] = field(default_factory=dict)
    in_flight: int = 0
    rows: list[Rows] = field(default_factory=list)
    stages: dict[str, int] = field(default_factory=dict)

    def look(self) -> None:
        sample = self.tracer.collect()
        for name, value in sample.counters.items():
            self.counters[name] = self.counters.get(name, 0) + value
        self.in_flight = sample.in_flight
        for row in sample.sums[(sample.sums["scope"] == Scope.CPU) & (sample.sums["dist"] < N_STAGES)]:
            name = STAGES[row["dist"]].name
            self.stages[name] = self.stages.get(name, 0) + int(row["count"])
        self.rows.append(self.tracer.drain())

    def until(self, condition: Callable[[Capture], bool], what: str) -> None:
        """Look until the condition holds; fails with what was counted after ``DEADLINE_S``."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            self.look()
            if condition(self):
                self.look()  # a packet may have ended after the counters were read, before the table was
                return
            if time.monotonic() > deadline:
                pytest.fail(f"{what}: never came; counted {self.counters}, {self.in_flight} in flight")
            time.sleep(0.02)

    def until_ended(self, packets: int) -> None:
        """Wait until so many packets were seen and nothing is under way."""
        self.until(lambda c: c.counters["seen"] >= packets and c.in_flight == 0, f"{packets} packets seen and ended")

    @property
    def paths(self) -> list[PacketPath]:
        rows = np.concatenate(self.rows) if self.rows else np.zeros(0, dtype=PATH)
        return [decode(row, 0, {}, self.tracer.reasons) for row in rows]

    @property
    def difference(self) -> int:
        """Of the accounting's equation: 0 where the books balance."""
        return self.counters["seen"] - sum(self.counters[name] for name in ENDS) - self.in_flight


@pytest.fixture
def capture(tracer: Tracer) -> Iterator[Callable[[str], Capture]]:
    """Begin to count what passes a filter; every path is sent."""

    def begin(text: str) -> Capture:
        tracer.set_program(parse(text).program)
        tracer.set_sampling(slow_ns=(0, 0), every=1, per_second=1_000_000)
        # What earlier packets are still counted for must not be counted here, and nobody waits for their ends.
        settled = Capture(tracer)
        tracer.expire_ns = SETTLED_NS
        try:
            settled.until(lambda c: c.in_flight == 0, "packets of earlier tests ended")
        finally:
            tracer.expire_ns = EXPIRE_NS
        tracer.drain()
        return Capture(tracer)

    yield begin
    tracer.set_program(NOTHING.program)


def wait_until_attached(pid: int, tier: str = "auto") -> None:
    """The last hook is in when the process holds as many raw tracepoint links as this kernel offers; it listens to
    signals when it has given up its rights."""
    wanted = list(plan.make(Btf.of_kernel(), tier).kinds.values()).count(plan.RAW_TRACEPOINT)
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        links = 0
        for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
            try:
                links += "link_type:\traw_tracepoint" in entry.read_text()
            except OSError:
                continue
        if links >= wanted and "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the process never attached its hooks")


@dataclass(frozen=True)
class Host:
    """A network namespace with one end of a veth pair, or lo alone."""

    name: str
    ip4: str = "127.0.0.1"
    ip6: str = "::1"

    @property
    def inode(self) -> int:
        return os.stat(f"/run/netns/{self.name}").st_ino  # noqa: PTH116

    def address(self, version: int) -> str:
        return self.ip4 if version == 4 else self.ip6

    @property
    def inside(self) -> tuple[str, ...]:
        """Runs what follows in the namespace; ``ip netns exec`` mounts, which a plain chroot does not allow."""
        return "nsenter", f"--net=/run/netns/{self.name}"

    def run(self, *command: str) -> None:
        subprocess.run([*self.inside, *command], check=True)

    def read(self, path: str) -> str:
        """A file as it is in there."""
        return subprocess.run([*self.inside, "cat", path], check=True, capture_output=True, text=True).stdout

    def start(self, role: str, *arguments: object, cpu: int | None = None) -> Actor:
        command = [*self.inside, sys.executable, "-I", "-S", str(TRAFFIC), role, *map(str, arguments)]
        if cpu is not None:
            command = ["taskset", "-c", str(cpu), *command]
        return Actor(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))


@dataclass
class Actor:
    process: subprocess.Popen[str]

    def expect(self, word: str) -> int:
        """Wait for the line that begins so; its number."""
        assert self.process.stdout is not None and self.process.stderr is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return int(line.split()[1])
        pytest.fail(f"{self.process.args} ended without saying {word!r}: {self.process.stderr.read()}")

    @property
    def thread(self) -> Ran:
        """What the kernel knows it as, while it is there."""
        pid = self.process.pid
        return Ran(pid, Path(f"/proc/{pid}/comm").read_text().rstrip("\n"))

    def finish(self) -> int:
        done = self.expect("done")
        self.end()
        return done

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.send_signal(signal.SIGCONT)  # a test may have stopped it
        self.process.communicate(timeout=30)


class Net:
    """Makes namespaces and actors, and takes them away again."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self._names: list[str] = []
        self._actors: list[Actor] = []

    def host(self, ip4: str = "127.0.0.1", ip6: str = "::1") -> Host:
        host = Host(f"nlt{os.getpid()}-{next(self._numbers)}", ip4, ip6)
        subprocess.run(["ip", "netns", "add", host.name], check=True)
        self._names.append(host.name)
        # Neighbour discovery and router solicitations would be counted among the test's packets.
        for key in ("accept_dad=0", "router_solicitations=0", "accept_ra=0"):
            host.run("sysctl", "-qw", f"net.ipv6.conf.all.{key}", f"net.ipv6.conf.default.{key}")
        host.run("ip", "link", "set", "lo", "up")
        return host

    def pair(self) -> tuple[Host, Host]:
        """Two namespaces joined by a veth pair."""
        left, right = self.host("10.77.0.1", "fd77::1"), self.host("10.77.0.2", "fd77::2")
        join(left, right, "veth0", "veth0")
        for host in (left, right):
            host.run("ip", "address", "add", f"{host.ip4}/24", "dev", "veth0")
            host.run("ip", "address", "add", f"{host.ip6}/64", "dev", "veth0", "nodad")
        return left, right

    def routed(self) -> tuple[Host, Host, Host, str]:
        """(sender, router, receiver, the receiver's address): three namespaces in a row."""
        sender, router, receiver = self.host("10.78.1.2"), self.host(), self.host("10.78.2.2")
        join(sender, router, "veth0", "veth1")
        join(router, receiver, "veth2", "veth0")
        for host, address, device in (
            (sender, "10.78.1.2", "veth0"),
            (router, "10.78.1.1", "veth1"),
            (router, "10.78.2.1", "veth2"),
            (receiver, "10.78.2.2", "veth0"),
        ):
            host.run("ip", "address", "add", f"{address}/24", "dev", device)
        sender.run("ip", "route", "add", "default", "via", "10.78.1.1")
        receiver.run("ip", "route", "add", "default", "via", "10.78.2.1")
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        return sender, router, receiver, receiver.ip4

    def start(self, host: Host, role: str, *arguments: object, cpu: int | None = None) -> Actor:
        return self.keep(host.start(role, *arguments, cpu=cpu))

    def keep(self, actor: Actor) -> Actor:
        """Ended with the test."""
        self._actors.append(actor)
        return actor

    def close(self) -> None:
        for actor in self._actors:
            actor.end()
        for name in self._names:
            subprocess.run(["ip", "netns", "delete", name], check=False)


def join(left: Host, right: Host, left_name: str, right_name: str) -> None:
    """A veth pair between two namespaces, up at both ends."""
    command = ["ip", "link", "add", left_name, "netns", left.name, "type", "veth"]
    subprocess.run([*command, "peer", "name", right_name, "netns", right.name], check=True)
    left.run("ip", "link", "set", left_name, "up")
    right.run("ip", "link", "set", right_name, "up")


@pytest.fixture
def net(rights: None) -> Iterator[Net]:
    made = Net()
    yield made
    made.close()
