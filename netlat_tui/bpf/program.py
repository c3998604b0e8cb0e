"""The kernel side's source: one translation unit, put together from the files by concern.

BCC rewrites map accesses only in the main file, so the files are joined rather than included; ``#line`` keeps the
compiler's messages pointing at the right one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.constants import drop_reasons, gro_results, header, offsets

KERNEL_DIR = Path(__file__).parent / "kernel"

FILES = (
    "maps.h",
    "histogram.h",
    "table.h",
    "packet.h",
    "filter.h",
    "path.h",
    "tcp.h",
    "irq.c",
    "rx.c",
    "socket.c",
    "sched.c",
    "drop.c",
)
"""After ``base.h``, the generated constants and ``irq_state.h``, in this order."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the maps. ``flights`` and ``ring_pages`` are powers of two."""

    cpus: int
    flights: int = 32768
    irq_slots: int = 64
    ring_pages: int = 1024

    @property
    def regions(self) -> int:
        return self.cpus + self.irq_slots


WAYS = 4
MAX_IRQ = 16384
MAX_DELTA_NS = 3_600_000_000_000


def constants(btf: Btf, sizes: Sizes, cmpxchg: bool) -> dict[str, int]:
    """Everything that depends on the kernel and the machine."""
    values = offsets(btf) | gro_results(btf)
    values |= {
        "N_CPUS": sizes.cpus,
        "N_REGIONS": sizes.regions,
        "N_FLIGHTS": sizes.flights,
        "N_IRQ_SLOTS": sizes.irq_slots,
        "RING_PAGES": sizes.ring_pages,
        "WAYS": WAYS,
        "MAX_IRQ": MAX_IRQ,
        "MAX_DELTA_NS": MAX_DELTA_NS,
        "MAX_FOLD": 8,
        "UDP_BATCH": 4,
        "UDP_SKIP": 4,
    }
    if cmpxchg:
        values["HAVE_CMPXCHG"] = 1
    if (btf.tracepoint_args("kfree_skb") or 0) >= 3:
        values["KFREE_SKB_REASON"] = 1
        purge = [number for number, name in drop_reasons(btf).items() if name == "QUEUE_PURGE"]
        if purge:
            values["REASON_QUEUE_PURGE"] = purge[0]
    return values


def source(btf: Btf, sizes: Sizes, *, cmpxchg: bool = True) -> str:
    """The whole text for BCC; ``cmpxchg``: whether the kernel takes atomic exchanges (``calls.takes_cmpxchg``)."""
    parts = [_file("base.h"), header(constants(btf, sizes, cmpxchg)), _file("irq_state.h")]
    parts += [_file(name) for name in FILES]
    return "\n".join(parts)


def _file(name: str) -> str:
    return f'#line 1 "{name}"\n' + (KERNEL_DIR / name).read_text()
