"""A kernel of our own in an emulated machine with two network cards on one hub; scripts/kernels.py runs this there.

Each card goes into a network namespace of its own, so that what one sends the other gets, by interrupts.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from netlat_tui.bpf import calls, plan
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.build import target_of
from netlat_tui.bpf.hooks import PROBES
from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.points import POINTS
from tests.live.conftest import NOTHING, Host, Net, capture
from tests.live.truth import is_rt, release

__all__ = ["capture"]

TIERS = ("fentry", "kprobe", "tracepoint")
RETURN_0 = bytes.fromhex("b7000000000000009500000000000000")
SENT_BY = {"virtio_net": "e1000e", "e1000e": "virtio_net"}

collect_ignore_glob = [] if os.environ.get("NETLAT_TUI_GUEST") else ["test_*.py"]


class _AtOnce:
    """Failures are told when they come: a guest may be ended before pytest would tell them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._config.get_terminal_writer().write(f"\n{report.nodeid} ({report.when}):\n{report.longreprtext}\n")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("NETLAT_TUI_GUEST"):
        config.pluginmanager.register(_AtOnce(config))


def _is_wanted(item: pytest.Item) -> bool:
    """Delays put in on purpose are looked for in one tier, those that need no card on the newest kernel.

    They take long, and times come from the same clock.
    """
    if Path(__file__).parent not in item.path.parents or not item.path.name.startswith("test_truth"):
        return True
    assert isinstance(item, pytest.Function)
    newest = release() >= (6, 12) and not is_rt()
    return item.callspec.params["tracer"] == TIERS[0] and (
        newest or item.function.__module__ != "tests.live.test_truth"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = filter(_is_wanted, items)


@dataclass(frozen=True)
class Card(Host):
    """A namespace with a network card."""

    driver: str = ""
    device: str = ""

    @property
    def interrupt(self) -> str:
        """What /proc/interrupts calls the one it receives by."""
        return f"{self.device}-rx-0" if self.driver == "e1000e" else "-input.0"

    def tie(self, cpu: int) -> int:
        """Have it interrupt this CPU; by which interrupt."""
        for line in Path("/proc/interrupts").read_text(encoding="ascii").splitlines():
            if line.endswith(self.interrupt):
                number = int(line.split(":")[0])
                Path(f"/proc/irq/{number}/smp_affinity_list").write_text(str(cpu), encoding="ascii")
                return number
        pytest.fail(f"{self.interrupt} is no interrupt here")


class Wire(Net):
    """The cards by driver, each in a namespace, with addresses, joined by the hub."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: dict[str, Card] = {}
        for module in SENT_BY:
            subprocess.run(["modprobe", module], check=True)
        devices = {
            path.resolve().name: path.parent.parent.name for path in Path("/sys/class/net").glob("*/device/driver")
        }
        for number, driver in enumerate(SENT_BY, 1):
            host, device = self.host(), devices[driver]
            card = Card(host.name, f"10.79.0.{number}", f"fd79::{number}", driver, device)
            subprocess.run(["ip", "link", "set", device, "netns", card.name], check=True)
            card.run("ip", "link", "set", device, "up")
            card.run("ip", "address", "add", f"{card.ip4}/24", "dev", device)
            card.run("ip", "address", "add", f"{card.ip6}/64", "dev", device, "nodad")
            self.cards[driver] = card
        # Neighbours are found before anything is counted.
        for version in (4, 6):
            for driver in SENT_BY:
                self.start(self.cards[driver], "ping", self.other(driver).address(version), 1, 1, 8, 0).finish()

    def other(self, driver: str) -> Card:
        return self.cards[SENT_BY[driver]]


@pytest.fixture(scope="session", autouse=True)
def _hold_tracepoints() -> None:
    """Two programs at each tracepoint, one at each system call, and statistics: to the end of the guest.

    The kernel patches its text when the first and the second come to a tracepoint, when the first wants statistics, and
    when they go. An emulated CPU was seen to meet in that text what was there before, and to panic (6.12: in
    ``handle_softirqs``, ``syscall_trace_enter`` and ``bpf_trace_run3``). Older kernels were not.
    """
    if release() < (6, 12):
        return
    btf = Btf.of_kernel()
    made = plan.make(btf, "tracepoint")
    for probe in PROBES:
        if made.kinds.get(probe.event) == plan.RAW_TRACEPOINT:
            for _ in range(2):
                calls.attach_tracing(calls.load_program("nothing", RETURN_0, target_of(btf, made, probe)))
    for number in made.numbers.values():
        calls.attach_tracepoint(number, calls.load_program("nothing", RETURN_0, calls.Target(calls.TRACEPOINT)))
    calls.enable_stats()


@pytest.fixture(scope="session")
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


@pytest.fixture(scope="session", params=TIERS)
def tracer(request: pytest.FixtureRequest) -> Iterator[Tracer]:
    made = Tracer(program=NOTHING.program, tier=request.param)
    yield made
    made.close()


@pytest.fixture(scope="session")
def shown(tracer: Tracer) -> set[str]:
    """The points that paths of this tier have shown so far."""
    return set()


@pytest.fixture
def hooked(tracer: Tracer) -> set[str]:
    """Keys of the points this kernel shows in this tier, as "rx.irq"."""
    # napi_poll fires at a poll's end: it tells the start of a softirq's second poll and later ones only.
    names = {(hook.direction, hook.point) for hook in tracer.hooks if hook.kind != "none" and hook.hook != "napi_poll"}
    return {
        f"{direction.label}.{point.key}"
        for direction, points in POINTS.items()
        for point in points
        if (direction.label, point.name) in names
    }


@pytest.fixture
def ends(wire: Wire, receiving: str) -> tuple[Card, Card]:
    """(sender, receiver)"""
    return wire.other(receiving), wire.cards[receiving]
