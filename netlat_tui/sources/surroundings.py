"""What the system says beside the hooks, tick by tick: backlog counters, interrupts, interface names, own cost."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netlat_tui import __version__
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import CPU_ROW, Hook, IfaceInfo, IfaceSetup, IrqInfo, Origin, Rows
from netlat_tui.system import cpus, host, ifaces, irqs, setup, symbols, usage

_NAMES_NS = 5_000_000_000
_UNKNOWN_NS = 500_000_000
_MOST_ADDRESSES = 4096  # far more than a kernel has places that drop packets


@dataclass(frozen=True, slots=True)
class Around:
    """The system's part of a tick."""

    cpus: Rows
    irq_info: tuple[IrqInfo, ...]
    iface_info: tuple[IfaceInfo, ...]
    iface_setup: tuple[IfaceSetup, ...]
    symbols: tuple[tuple[int, str], ...]  # of addresses that dropped packets
    user_ns: int
    rss_bytes: int


class Surroundings:
    """Differences and cached names; used from the one thread that drains the tracer.

    Make it before rights are dropped: names of kernel addresses are for whoever had them then.
    """

    def __init__(self) -> None:
        self._symbols = symbols.Symbols()
        self._nameless: set[int] = set()
        self._usage = usage.own()
        self._softnet = cpus.softnet()
        self._known: set[tuple[int, int]] = set()
        self._ifaces: tuple[IfaceInfo, ...] = ()
        self._setups: tuple[IfaceSetup, ...] = ()
        self._irqs: tuple[IrqInfo, ...] = ()
        self._irq_numbers: set[int] = set()
        self._named_ns = 0

    def begin(self) -> None:
        """Start counting from now."""
        self._usage = usage.own()
        self._softnet = cpus.softnet()

    def close(self) -> None:
        self._symbols.close()

    @staticmethod
    def origin(hooks: tuple[Hook, ...], reasons: dict[int, str], text: str, interval_ns: int) -> Origin:
        machine = host.machine()
        return Origin(
            host=machine.host,
            kernel=machine.kernel,
            boot_id=machine.boot_id,
            machine=machine.architecture,
            started_ns=time.time_ns(),
            cpus=cpus.online(),
            clocksource=machine.clocksource,
            hooks=hooks,
            reasons=reasons,
            filter=text,
            interval_ns=interval_ns,
            version=__version__,
        )

    def look(self, paths: Rows, counted: Rows, raised: Rows, dropped: Rows) -> Around:
        """``counted``, ``raised``, ``dropped``: ``CPU_ROW``, ``IRQ_ROW`` and ``DROP_ROW`` rows of the tracer."""
        now = time.monotonic_ns()
        pairs = np.unique(paths["netns"].astype(np.uint64) << np.uint64(32) | paths["ifindex"]).tolist()
        seen = {(pair >> 32, pair & 0xFFFF_FFFF) for pair in pairs}
        numbers = {int(irq) for irq in raised["irq"]}
        age = now - self._named_ns
        if age > _NAMES_NS or (age > _UNKNOWN_NS and (seen - self._known or numbers - self._irq_numbers)):
            self._name(numbers, now)
        before, self._usage = self._usage, usage.own()
        return Around(
            self._with_softnet(counted),
            self._irqs,
            self._ifaces,
            self._setups,
            self._names_of(np.concatenate([paths["location"], dropped["location"]])),
            self._usage.cpu_ns - before.cpu_ns,
            self._usage.rss_bytes,
        )

    def _names_of(self, locations: npt.NDArray[np.uint64]) -> tuple[tuple[int, str], ...]:
        """Names of these addresses, and of earlier ones that had to wait for theirs."""
        wanted = self._nameless | set(np.unique(locations).tolist())
        found = self._symbols.names(wanted)
        self._nameless = wanted - found.keys() if len(wanted) < _MOST_ADDRESSES else set()
        return tuple((address, printable(name)) for address, name in sorted(found.items()))

    def _name(self, numbers: set[int], now: int) -> None:
        self._irqs = tuple(
            IrqInfo(irq.irq, printable(irq.name), printable(irq.iface), irq.cpus) for irq in irqs.describe(numbers)
        )
        self._ifaces = tuple(IfaceInfo(iface.ifindex, iface.netns, printable(iface.name)) for iface in ifaces.survey())
        self._setups = tuple(
            IfaceSetup(one.ifindex, printable(one.name), one.rps, one.rx_usecs, one.adaptive) for one in setup.survey()
        )
        self._known = {(iface.netns, iface.ifindex) for iface in self._ifaces}
        self._irq_numbers = numbers
        self._named_ns = now

    def _with_softnet(self, counted: Rows) -> Rows:
        before, self._softnet = self._softnet, cpus.softnet()
        rows = counted.astype(CPU_ROW)
        for row in rows:
            now, then = self._softnet.get(int(row["cpu"])), before.get(int(row["cpu"]))
            if now and then:
                row["squeezed"] = (now.squeezed - then.squeezed) & 0xFFFFFFFF
                row["backlog_dropped"] = (now.dropped - then.dropped) & 0xFFFFFFFF
        online = np.isin(rows["cpu"], cpus.online())
        kept: Rows = rows[online | (rows["packets"] > 0)]
        return kept
