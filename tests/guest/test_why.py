"""What stands out of a card and its interrupts, told of settings that cause it and of settings that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guest.conftest import Wire
from tests.live.truth import is_rt, release
from tests.live.why import Told, figure, told

__all__ = ["told"]

pytestmark = [
    pytest.mark.usefixtures("tracer"),
    pytest.mark.skipif(release() < (6, 12) or is_rt(), reason="findings are of figures, the same on each kernel"),
]


def interrupt(wire: Wire, driver: str) -> int:
    """The number of the one a card receives by."""
    name = wire.cards[driver].interrupt
    lines = Path("/proc/interrupts").read_text(encoding="ascii").splitlines()
    (found,) = (line for line in lines if line.rstrip().endswith(name))
    return int(found.split(":")[0])


@pytest.mark.parametrize("wrong", [True, False])
def test_one_cpu_has_all_interrupts(wrong: bool, wire: Wire, told: Told) -> None:
    receiver, sender = wire.cards["e1000e"], wire.other("e1000e")
    irq = interrupt(wire, "e1000e")
    Path(f"/proc/irq/{irq}/smp_affinity_list").write_text("0", encoding="ascii")
    port = wire.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0, cpu=1).expect("ready")
    many, gap = (20_000, 0) if wrong else (300, 0.01)
    found = told(
        receiver,
        lambda: wire.start(sender, "udp-send", receiver.ip4, port, many, 64, gap, cpu=1),
        flt=f"rx and netns {receiver.inode}",
    )
    assert ("one-cpu" in found) is wrong
    if wrong:
        assert found["one-cpu"]["subject"] == "cpu0"
        assert f"irq {irq}" in figure(found["one-cpu"], "interrupts tied to it")


@pytest.mark.parametrize(("usecs", "wrong"), [(200, True), (0, False)])
def test_a_card_that_holds_its_interrupts_back(usecs: int, wrong: bool, wire: Wire, told: Told) -> None:
    receiver, sender = wire.cards["e1000e"], wire.other("e1000e")
    receiver.run("ethtool", "-C", receiver.device, "rx-usecs", str(usecs))
    port = wire.start(receiver, "udp-drain", receiver.ip4, 0, 0, 0).expect("ready")
    try:
        found = told(receiver, lambda: wire.start(sender, "udp-send", receiver.ip4, port, 200, 64, 0.01))
    finally:
        receiver.run("ethtool", "-C", receiver.device, "rx-usecs", "3")
    assert ("irq-moderation" in found) is wrong
    if wrong:
        assert found["irq-moderation"]["subject"] == receiver.device
        assert figure(found["irq-moderation"], "rx-usecs") == usecs * 1000
