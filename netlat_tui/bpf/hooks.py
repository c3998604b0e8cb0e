"""Which kernel event shows which point: the hook table, and what this kernel offers of it.

Every entry is tried by itself; one that fails takes only its own point with it. Function hooks (fentry, kprobe) get
their rows here beside the raw tracepoints.
"""

from __future__ import annotations

from dataclasses import dataclass

from netlat_tui.bpf.btf import Btf, BtfError
from netlat_tui.model.points import POINTS, Direction, Point
from netlat_tui.model.ticks import Hook

RAW_TRACEPOINT = "raw_tracepoint"


@dataclass(frozen=True, slots=True)
class Probe:
    """A program and where it goes. ``args``: how many arguments the program reads; fewer on offer: not this kernel."""

    event: str
    args: int
    points: tuple[str, ...] = ()  # RX points the program stamps
    purpose: str = ""  # what it is for where it stamps none
    essential: bool = False
    note: str = ""  # what the hook cannot tell
    kind: str = RAW_TRACEPOINT

    @property
    def program(self) -> str:
        """Name of the function in the kernel side's source."""
        return f"on_{self.event}"


PROBES: tuple[Probe, ...] = (
    Probe("irq_handler_entry", 1, ("irq",)),
    Probe("irq_handler_exit", 1, purpose="end of the interrupt handler"),
    Probe("local_timer_entry", 0, purpose="tells raises by the timer apart"),
    Probe("local_timer_exit", 0, purpose="tells raises by the timer apart"),
    Probe("call_function_single_entry", 0, purpose="tells raises by RPS apart"),
    Probe("call_function_single_exit", 0, purpose="tells raises by RPS apart"),
    Probe("softirq_raise", 1, ("raise",)),
    Probe("softirq_entry", 1, ("softirq",)),
    Probe("softirq_exit", 1, purpose="end of a NET_RX run"),
    Probe(
        "napi_poll",
        3,
        ("poll",),
        note="fires at the end of a poll: the start is the softirq's or the previous poll's end",
    ),
    Probe("tcp_probe", 2, ("transport",), note="TCP in state ESTABLISHED only"),
    Probe("sk_data_ready", 1, ("socket",)),
    Probe("sched_waking", 1, purpose="who is woken for a packet"),
    Probe("sched_switch", 3, ("wakeup",)),
    Probe("skb_copy_datagram_iovec", 2, ("copy",), note="not for small UDP datagrams, splice and zero copy"),
    Probe("sock_recv_length", 3, ("return",)),
    Probe("kfree_skb", 2, ("drop",)),
    Probe("consume_skb", 1, purpose="packets the kernel used up itself"),
    Probe("net_dev_queue", 1, ("forward",)),
    # Where packets come into being: attached last, so that no packet is followed by half of the hooks.
    Probe("netif_receive_skb", 1, ("link",), essential=True),
    Probe("napi_gro_receive_exit", 1, purpose="what GRO did with the packet"),
    Probe("napi_gro_receive_entry", 1, ("gro",)),
    Probe("netif_rx", 1, purpose="packets put on the backlog: lo, veth, tunnels"),
)
"""In the order in which they are attached."""

NO_TRACEPOINT = "the kernel has no tracepoint there"
NOT_TRACED = "packets on their way out are not traced"


def offered(btf: Btf, probe: Probe) -> str:
    """Why this kernel does not offer a probe's event; "" where it does."""
    try:
        args = btf.tracepoint_args(probe.event)
    except BtfError as error:
        return str(error)
    if args is None:
        return f"this kernel has no tracepoint {probe.event}"
    if args < probe.args:
        return f"this kernel's tracepoint {probe.event} has {args} arguments, {probe.args} are needed"
    return ""


def describe(failures: dict[str, str]) -> tuple[Hook, ...]:
    """The hook of every point, given why the probes that failed did so, by event."""
    rows: list[Hook] = []
    for direction, points in POINTS.items():
        rows.extend(_describe(direction, point, failures) for point in points)
    return tuple(rows)


def _describe(direction: Direction, point: Point, failures: dict[str, str]) -> Hook:
    if direction is Direction.TX:
        return Hook(direction.label, point.name, "", "none", NOT_TRACED)
    for probe in PROBES:
        if point.key in probe.points:
            failure = failures.get(probe.event)
            if failure:
                return Hook(direction.label, point.name, probe.event, "none", failure)
            return Hook(direction.label, point.name, probe.event, probe.kind, probe.note)
    return Hook(direction.label, point.name, "", "none", NO_TRACEPOINT)
