"""Interrupts: their names, the interface they serve, the CPUs they may run on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from netlat_tui.system.host import ROOT, read


@dataclass(frozen=True, slots=True)
class Irq:
    """``name`` is what the driver chose; ``iface`` is "" where none is known to be served; ``cpus`` a kernel list."""

    irq: int
    name: str
    iface: str
    cpus: str


# A controller, its number for the line, how that is triggered, what handles it; then the actions of all who share it:
# "PCI-MSI 65536-edge      eth0", "GICv3  27 Level     eth0", "xen-dyn    -event     eth0"
_LINE = re.compile(r"\S++(\s+\d+(?=[\s-]))?+(\s+(Edge|Level)(?=\s))?+(\s*-\S+)?+\s\s+(?P<actions>\S.*)")


def names(root: Path = ROOT) -> dict[int, str]:
    """The action names of every numbered interrupt, from /proc/interrupts."""
    lines = read(root / "proc/interrupts").splitlines()
    columns = len(lines[0].split()) if lines else 0
    found: dict[int, str] = {}
    for line in lines[1:]:
        number, _, rest = line.partition(":")
        if not number.strip().isdigit():
            continue
        text = (rest.split(None, columns) + [""] * columns)[columns]
        match = _LINE.fullmatch(text)
        found[int(number)] = match["actions"] if match else " ".join(text.split())
    return found


def _devices(root: Path) -> list[tuple[str, str, set[int]]]:
    """(interface, its device's name, the device's message-signalled interrupts)."""
    found = []
    try:
        interfaces = sorted((root / "sys/class/net").iterdir())
    except OSError:
        return []
    for interface in interfaces:
        device = interface / "device"
        try:
            target = device.resolve(strict=True)
        except OSError:
            continue
        # A virtio interface's interrupts belong to the PCI device above it.
        irqs: set[int] = set()
        for folder in (target / "msi_irqs", target.parent / "msi_irqs"):
            try:
                irqs |= {int(entry.name) for entry in folder.iterdir() if entry.name.isdigit()}
            except OSError:
                continue
        legacy = read(target / "irq")
        if legacy.isdigit() and int(legacy):
            irqs.add(int(legacy))
        found.append((interface.name, target.name, irqs))
    return found


def describe(numbers: set[int], root: Path = ROOT) -> tuple[Irq, ...]:
    """The interrupts of these numbers, and all that serve an interface of this namespace."""
    known = names(root)
    devices = _devices(root)
    found = []
    for irq, name in sorted(known.items()):
        iface = _interface(irq, name, devices)
        if irq not in numbers and not iface:
            continue
        folder = root / "proc/irq" / str(irq)
        cpus = read(folder / "effective_affinity_list") or read(folder / "smp_affinity_list")
        found.append(Irq(irq, name, iface, cpus))
    return tuple(found)


def _interface(irq: int, name: str, devices: list[tuple[str, str, set[int]]]) -> str:
    for interface, device, irqs in devices:
        if irq in irqs or name.startswith((f"{device}-", f"{interface}-")) or name == interface:
            return interface
    return ""
