"""What the guest's tests ask of paths, whatever the tier."""

from __future__ import annotations

from pathlib import Path as File

from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, IrqClass, Outcome
from tests.guest.conftest import Card
from tests.live.conftest import Capture
from tests.live.test_traffic import check_path


def points(path: Path) -> set[str]:
    return {f"{path.direction.label}.{passage.point.key}" for passage in path.points}


def interrupt_name(number: int) -> str:
    for line in File("/proc/interrupts").read_text(encoding="ascii").splitlines():
        if line.strip().startswith(f"{number}:"):
            return line.split()[-1]
    return ""


def check(seen: Capture, shown: set[str]) -> tuple[list[Path], list[Path]]:
    """What holds for all of them; (received, sent)."""
    assert seen.difference == 0
    assert (seen.counters["rejected_deltas"], seen.counters["ring_lost"]) == (0, 0)
    paths = seen.paths
    for path in paths:
        check_path(path)
        shown |= points(path)
    received = [path for path in paths if path.direction is Direction.RX]
    return received, [path for path in paths if path.direction is Direction.TX]


def check_interrupts(paths: list[Path], receiver: Card) -> None:
    assert IrqClass.LOCAL not in {path.irq_class for path in paths}
    by_irq = {path.irq for path in paths if path.irq_class is IrqClass.IRQ}
    assert by_irq, "no packet came by an interrupt"
    names = {interrupt_name(irq or 0) for irq in by_irq}
    assert all(name.endswith(receiver.interrupt) for name in names), names


def check_sent(paths: list[Path], hooked: set[str], pid: int | None) -> None:
    wanted = {"tx.send", "tx.tx_transport", "tx.ip_out", "tx.device", "tx.xmit", "tx.complete"} & hooked
    for path in paths:
        assert path.outcome is Outcome.COMPLETE
        assert wanted <= points(path), wanted - points(path)
        assert path.pid == pid
