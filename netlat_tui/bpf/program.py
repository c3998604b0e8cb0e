"""The kernel side's source: one translation unit, put together from the files by concern.

BCC rewrites map accesses only in the main file, so the files are joined rather than included; ``#line`` keeps the
compiler's messages pointing at the right one.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from netlat_tui.bpf import calls
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.constants import drop_reasons, gro_results, header, offsets
from netlat_tui.bpf.hooks import PROBES, Probe, Way
from netlat_tui.bpf.link import FIRST_SHARED
from netlat_tui.bpf.plan import FENTRY, FEXIT, KPROBE, Plan

KERNEL_DIR = Path(__file__).parent / "kernel"

FILES = (
    "maps.h",
    "histogram.h",
    "object.h",
    "table.h",
    "birth.h",
    "packet.h",
    "filter.h",
    "path.h",
    "tcp.h",
    "fragments.h",
    "udp.h",
    "irq.c",
    "rx.c",
    "ip.c",
    "socket.c",
    "read.c",
    "send.c",
    "tx.c",
    "sched.c",
    "drop.c",
)
"""After ``base.h``, the generated constants and ``irq_state.h``, in this order."""

SHARED = (
    "outdated",
    "place",
    "move",
    "settle_next",
    "step",
    "judge",
    "finish",
    "complete",
    "fold_next",
    "gather_next",
    "attribute",
    "ask_task",
    "dequeued",
)
"""Functions ``shared_*`` of the kernel side that programs call instead of containing them: the verifier, which follows
every way through a program, follows these once. Each takes and returns one number."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the maps. ``flights``, ``ring_pages`` and ``drops`` are powers of two."""

    cpus: int
    flights: int = 32768
    irq_slots: int = 64
    ring_pages: int = 1024
    drops: int = 1024

    @property
    def regions(self) -> int:
        return self.cpus + self.irq_slots


WAYS = 4
MAX_IRQ = 16384
MAX_DELTA_NS = 3_600_000_000_000


def constants(btf: Btf, sizes: Sizes, plan: Plan, cmpxchg: bool) -> dict[str, int]:
    """Everything that depends on the kernel and the machine."""
    values = offsets(btf) | gro_results(btf)
    values |= {
        "N_CPUS": sizes.cpus,
        "N_REGIONS": sizes.regions,
        "N_FLIGHTS": sizes.flights,
        "N_IRQ_SLOTS": sizes.irq_slots,
        "N_DROPS": sizes.drops,
        "DROP_PROBES": 8,
        "RING_PAGES": sizes.ring_pages,
        "WAYS": WAYS,
        "MAX_IRQ": MAX_IRQ,
        "MAX_DELTA_NS": MAX_DELTA_NS,
        "MAX_FOLD": 64,
        "UDP_BATCH": 4,
        "UDP_SKIP": 4,
    }
    values |= {f"HAVE_{event.upper()}": 1 for event in plan.kinds}
    # Where both the queueing and the read of a datagram are seen, none has to be inferred from the order.
    values["UDP_EXACT"] = int({"__udp_enqueue_schedule_skb", "skb_consume_udp"} <= plan.kinds.keys())
    if plan.kinds.keys() & {"sock_recv_length", "inet_recvmsg"}:
        values["HAVE_RETURN"] = 1
    if "rx.return" in plan.points:
        values["RETURN_SEEN"] = 1
    if cmpxchg:
        values["HAVE_CMPXCHG"] = 1
    if (btf.tracepoint_args("kfree_skb") or 0) >= 3:
        values["KFREE_SKB_REASON"] = 1
        numbers = {name: number for number, name in drop_reasons(btf).items()}
        asked = ("QUEUE_PURGE", "NOT_SPECIFIED")
        values |= {f"REASON_{name}": numbers[name] for name in asked if name in numbers}
    return values


_TRACEPOINT_ARGS = 16
"""Where the record of a system call's entry keeps its arguments: struct syscall_trace_enter."""


def source(btf: Btf, sizes: Sizes, plan: Plan, *, cmpxchg: bool = True) -> str:
    """The whole text for BCC; ``cmpxchg``: whether the kernel takes atomic exchanges (``calls.takes_cmpxchg``)."""
    parts = [_file("base.h"), header(constants(btf, sizes, plan, cmpxchg), plan.points), _file("irq_state.h")]
    parts += [f"static int (*call_{name})(u64) = (void *){FIRST_SHARED + at};" for at, name in enumerate(SHARED)]
    parts += [_file(name) for name in FILES]
    wrapped = [probe for probe in PROBES if probe.way is not Way.RAW and probe.event in plan.kinds]
    parts += [_wrapper(probe, plan.kinds[probe.event]) for probe in wrapped]
    return "\n".join(parts)


def _wrapper(probe: Probe, kind: str) -> str:
    """The program for a hook: takes the arguments from where this kind has them, and calls the event's own."""
    lines = [f"int {probe.program}(struct bpf_raw_tracepoint_args *ctx)", "{"]
    if kind in (FENTRY, FEXIT):
        # Read rather than loaded: to the verifier they are numbers then, which a table can be indexed with.
        lines += [f"\tu64 a[{max(probe.takes) + 1}] = {{}};", "\tbpf_probe_read_kernel(a, sizeof(a), ctx);"]
        given = [f"a[{at}]" for at in probe.takes]
    else:
        places = calls.ARGUMENTS[platform.machine()] if kind == KPROBE else range(_TRACEPOINT_ARGS, 64, 8)
        given = [f"*(u64 *)((void *)ctx + {places[at]})" for at in probe.takes]
    return "\n".join([*lines, f"\treturn at_{probe.event}({', '.join(given)});", "}"])


def _file(name: str) -> str:
    return f'#line 1 "{name}"\n' + (KERNEL_DIR / name).read_text()
