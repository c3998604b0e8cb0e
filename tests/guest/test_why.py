"""What stands out of a card and its interrupts: told of settings that cause it, and not of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.guest.conftest import Card, Wire
from tests.live.truth import is_rt, release
from tests.live.why import Told, figure, told

__all__ = ["told"]

pytestmark = pytest.mark.skipif(release() < (6, 12) or is_rt(), reason="findings are of figures, alike on each kernel")


@pytest.fixture
def tier() -> str:
    """Emulated, a report's start patches the least of the kernel's text with these hooks."""
    return "tracepoint"


@pytest.fixture
def ends(wire: Wire) -> tuple[Card, Card]:
    """(sender, receiver); this receiver's driver tells how long it holds interrupts back."""
    return wire.other("e1000e"), wire.cards["e1000e"]


def interrupt(card: Card) -> int:
    """The number of the one a card receives by."""
    lines = Path("/proc/interrupts").read_text(encoding="ascii").splitlines()
    (found,) = (line for line in lines if line.rstrip().endswith(card.interrupt))
    return int(found.split(":")[0])


@contextmanager
def tied(irq: int, cpus: str) -> Iterator[None]:
    """An interrupt that may be taken by these CPUs only, for a moment."""
    file = Path(f"/proc/irq/{irq}/smp_affinity_list")
    before = file.read_text(encoding="ascii")
    file.write_text(cpus, encoding="ascii")
    try:
        yield
    finally:
        file.write_text(before, encoding="ascii")


@contextmanager
def rx_usecs(card: Card, value: int) -> Iterator[None]:
    card.run("ethtool", "-C", card.device, "rx-usecs", str(value))
    try:
        yield
    finally:
        card.run("ethtool", "-C", card.device, "rx-usecs", "3")  # the driver's own


@pytest.mark.parametrize(
    ("role", "many", "gap", "wrong"), [("udp-flood", 3000, 0, True), ("udp-send", 300, 0.01, False)]
)
def test_one_cpu_takes_a_cards_interrupts(
    role: str, many: int, gap: float, wrong: bool, wire: Wire, ends: tuple[Card, Card], told: Told
) -> None:
    sender, receiver = ends
    irq = interrupt(receiver)
    port = wire.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0, cpu=1).expect("ready")
    with tied(irq, "0"):
        found = told(receiver, lambda: wire.start(sender, role, receiver.ip4, port, many, 20_000, gap, cpu=1))
    assert ("one-cpu" in found) is wrong
    if wrong:
        assert found["one-cpu"]["subject"] == "cpu0"
        assert figure(found["one-cpu"], "interrupts tied to it") == f"irq {irq} {receiver.device}"
        assert f"cat /proc/irq/{irq}/smp_affinity_list" in found["one-cpu"]["look"]


@pytest.mark.parametrize(("usecs", "wrong"), [(200, True), (0, False)])
def test_a_card_that_holds_its_interrupts_back(
    usecs: int, wrong: bool, wire: Wire, ends: tuple[Card, Card], told: Told
) -> None:
    sender, receiver = ends
    port = wire.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0).expect("ready")
    with rx_usecs(receiver, usecs):
        found = told(receiver, lambda: wire.start(sender, "udp-send", receiver.ip4, port, 200, 64, 0.01))
    assert ("irq-moderation" in found) is wrong
    if wrong:
        assert found["irq-moderation"]["subject"] == receiver.device
        assert figure(found["irq-moderation"], "rx-usecs") == usecs * 1000
