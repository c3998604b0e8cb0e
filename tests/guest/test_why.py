"""What stands out of a card and its interrupts: told of settings that cause it, and not of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


class Looked(Card):
    """A card's namespace with its own /sys, which knows whose interrupt is whose."""

    @property
    def inside(self) -> tuple[str, ...]:
        return "ip", "netns", "exec", self.name


@pytest.fixture
def ends(wire: Wire) -> tuple[Card, Card]:
    """(sender, receiver); this receiver's driver tells how long it holds interrupts back."""
    card = wire.cards["e1000e"]
    return wire.other("e1000e"), Looked(card.name, card.ip4, card.ip6, card.driver, card.device)


@contextmanager
def rx_usecs(card: Card, value: int) -> Iterator[None]:
    card.run("ethtool", "-C", card.device, "rx-usecs", str(value))
    try:
        yield
    finally:
        card.run("ethtool", "-C", card.device, "rx-usecs", "3")  # the driver's own


@pytest.mark.parametrize("wrong", [True, False])
def test_what_a_card_and_its_interrupt_are_set_to(wrong: bool, wire: Wire, ends: tuple[Card, Card], told: Told) -> None:
    """One CPU has all of a card's interrupts and much to do, and the card holds them back; or it has little to do.

    One report each: it patches the kernel's text, which an emulated one bears only so often.
    """
    sender, receiver = ends
    irq = receiver.tie(0)
    port = wire.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0, cpu=1).expect("ready")
    role, many, gap = ("udp-flood", 10_000, 0.0) if wrong else ("udp-send", 300, 0.01)
    with rx_usecs(receiver, 200 if wrong else 0):
        found = told(receiver, lambda: wire.start(sender, role, receiver.ip4, port, many, 20_000, gap, cpu=1))
    assert ("one-cpu" in found, "irq-moderation" in found) == (wrong, wrong)
    if not wrong:
        return
    assert found["one-cpu"]["subject"] == "cpu0"
    assert figure(found["one-cpu"], "interrupts tied to it") == f"irq {irq} {receiver.device}"
    assert f"cat /proc/irq/{irq}/smp_affinity_list" in found["one-cpu"]["look"]
    assert found["irq-moderation"]["subject"] == receiver.device
    assert figure(found["irq-moderation"], "rx-usecs") == 200_000
