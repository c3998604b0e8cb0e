"""Which kernel event shows which point: the hook table.

Raw tracepoints wherever the kernel has them; functions, by fentry or a kprobe, for what lies between; the send calls at
their system calls where functions cannot be hooked. ``plan.py`` chooses among them what this kernel offers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Way(Enum):
    """How a program is attached to its event."""

    RAW = "raw_tracepoint"
    FUNCTION = "function"  # by fentry (at its return: fexit), or a kprobe
    SYSCALL = "tracepoint"  # at the entry of a system call


@dataclass(frozen=True, slots=True)
class Probe:
    """A program and where it goes; tried by itself, and one that fails takes only its own points with it.

    ``args``: RAW: how many the program reads; fewer on offer: not this kernel. ``takes``: otherwise, the positions of
    the arguments it is given; the position after the last is the function's result. ``unless``: events that tell the
    same: where one of these is hooked, this one is not. ``needs``: where none of these is hooked, it has nothing to
    tell.
    """

    event: str
    args: int = 0
    points: tuple[str, ...] = ()  # that the program stamps, as "rx.irq"
    purpose: str = ""  # what it is for where it stamps none
    essential: bool = False
    optional: bool = False  # left out where tracing costs more than it may: it only refines what others see
    note: str = ""  # what the hook cannot tell
    way: Way = Way.RAW
    takes: tuple[int, ...] = ()
    at_return: bool = False
    unless: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """Name of the function in the kernel side's source."""
        return f"on_{self.event}"


def _function(event: str, points: str | tuple[str, ...], takes: tuple[int, ...] = (0,), **more: object) -> Probe:
    names = (points,) if isinstance(points, str) else points
    return Probe(event, points=names, way=Way.FUNCTION, takes=takes, **more)  # type: ignore[arg-type]


_BEFORE_LAST_BYTE = "a read that waits for more bytes seems to return each time it begins to wait"

PROBES: tuple[Probe, ...] = (
    Probe("irq_handler_entry", 1, ("rx.irq",)),
    Probe("irq_handler_exit", 1, purpose="end of the interrupt handler"),
    Probe("local_timer_entry", 0, purpose="tells raises by the timer apart"),
    Probe("local_timer_exit", 0, purpose="tells raises by the timer apart"),
    Probe("call_function_single_entry", 0, purpose="tells raises by RPS apart"),
    Probe("call_function_single_exit", 0, purpose="tells raises by RPS apart"),
    Probe("softirq_raise", 1, ("rx.raise",)),
    _function("__napi_schedule", (), purpose="which interrupt a NAPI belongs to"),
    _function("__napi_schedule_irqoff", (), purpose="which interrupt a NAPI belongs to"),
    Probe("softirq_entry", 1, ("rx.softirq",)),
    Probe("softirq_exit", 1, purpose="end of a NET_RX run"),
    _function("__napi_poll", "rx.poll"),
    Probe(
        "napi_poll",
        3,
        ("rx.poll",),
        note="fires at the end of a poll: its start is that of the softirq, or the end of the poll before",
    ),
    _function("ip_rcv_core", "rx.ip", optional=True),
    _function("ip6_rcv_core", "rx.ip", optional=True),
    _function("ip_local_deliver", "rx.local", optional=True),
    _function("ip6_input", "rx.local", optional=True),
    _function("tcp_v4_rcv", "rx.transport", optional=True),
    _function("tcp_v6_rcv", "rx.transport", optional=True),
    _function("udp_rcv", "rx.transport", optional=True),
    _function("udpv6_rcv", "rx.transport", optional=True),
    _function("icmp_rcv", "rx.transport", optional=True),
    _function("icmpv6_rcv", "rx.transport"),
    Probe("tcp_probe", 2, ("rx.transport",), note="tcp_probe: TCP in state ESTABLISHED only"),
    _function("tcp_queue_rcv", "rx.socket", (0, 1)),
    _function("__udp_enqueue_schedule_skb", "rx.socket", (0, 1)),
    _function("__sock_queue_rcv_skb", "rx.socket", (0, 1)),
    Probe("sk_data_ready", 1, ("rx.socket",)),
    _function("sock_def_readable", "rx.socket", unless=("sk_data_ready",)),
    Probe(
        "sched_waking",
        1,
        purpose="who is woken for a packet",
        needs=("sk_data_ready", "sock_def_readable"),
        optional=True,
    ),
    Probe("sched_switch", 3, ("rx.wakeup",), needs=("sk_data_ready", "sock_def_readable"), optional=True),
    Probe("skb_copy_datagram_iovec", 2, ("rx.copy",), note="not for small UDP datagrams, splice and zero copy"),
    _function("skb_consume_udp", "rx.return", (0, 1, 2)),
    Probe("sock_recv_length", 3, ("rx.return",)),
    _function("inet_recvmsg", "rx.return", (0, 3, 4), at_return=True, unless=("sock_recv_length",)),
    _function("inet6_recvmsg", "rx.return", (0, 3, 4), at_return=True, unless=("sock_recv_length",)),
    # Raw IPv6 sockets.
    _function("sock_common_recvmsg", "rx.return", (0, 3, 4), at_return=True, unless=("sock_recv_length",)),
    _function(
        "tcp_cleanup_rbuf",
        "rx.return",
        (0, 1),
        note=f"tcp_cleanup_rbuf: {_BEFORE_LAST_BYTE}",
        unless=("sock_recv_length", "inet_recvmsg"),
    ),
    _function("skb_free_datagram", "rx.return", unless=("sock_recv_length", "inet_recvmsg")),
    Probe("kfree_skb", 2, ("rx.drop", "tx.drop")),
    Probe(
        "consume_skb", 1, ("tx.complete",), note="consume_skb: over lo and veth the packet is received instead of freed"
    ),
    # What is sent: from the driver back to the application, so that no packet is followed by half of the hooks.
    Probe("net_dev_start_xmit", 2, ("tx.xmit",)),
    Probe("qdisc_dequeue", 4, ("tx.qdisc_out",), note="an empty queueing discipline may be bypassed"),
    Probe("qdisc_enqueue", 3, ("tx.qdisc_in",), note="an empty queueing discipline may be bypassed"),
    _function("dev_qdisc_enqueue", "tx.qdisc_in", unless=("qdisc_enqueue",)),
    _function("inet_sendmsg", "tx.send", (0, 2)),
    _function("inet6_sendmsg", "tx.send", (0, 2)),
    Probe(
        "tcp_sendmsg_locked",
        1,
        ("tx.send",),
        note="tcp_sendmsg_locked: once the socket is locked, and for each skb that a call fills",
        unless=("inet_sendmsg",),
    ),
    Probe(
        "sys_enter_sendto",
        points=("tx.send",),
        way=Way.SYSCALL,
        note="sys_enter_*: of datagrams only",
        unless=("inet_sendmsg",),
    ),
    Probe("sys_enter_sendmsg", points=("tx.send",), way=Way.SYSCALL, unless=("inet_sendmsg",)),
    Probe("sys_enter_sendmmsg", points=("tx.send",), way=Way.SYSCALL, takes=(2,), unless=("inet_sendmsg",)),
    Probe("sock_send_length", 2, purpose="end of a send call", unless=("inet_sendmsg",)),
    # Where packets come into being: attached last.
    Probe("net_dev_queue", 1, ("tx.device", "rx.forward")),
    _function("ip_output", "tx.ip_out", (2,), optional=True),
    _function("ip6_output", "tx.ip_out", (2,), optional=True),
    _function("ip_mc_output", "tx.ip_out", (2,), optional=True),
    _function("__ip_queue_xmit", "tx.tx_transport", (0, 1)),
    _function("inet6_csk_xmit", "tx.tx_transport", (0, 1)),
    _function("__tcp_transmit_skb", "tx.tx_transport", optional=True),
    _function("udp_send_skb", "tx.tx_transport"),
    _function("udp_v6_send_skb", "tx.tx_transport"),
    _function("ip_send_skb", "tx.tx_transport", (1,)),
    _function("ip6_send_skb", "tx.tx_transport"),
    Probe("netif_receive_skb", 1, ("rx.link",), essential=True),
    Probe("napi_gro_receive_exit", 1, purpose="what GRO did with the packet"),
    Probe("napi_gro_receive_entry", 1, ("rx.gro",)),
    Probe("napi_gro_frags_exit", 1, purpose="what GRO did with the packet"),
    Probe("napi_gro_frags_entry", 1, ("rx.gro",)),
    Probe("netif_rx", 1, ("rx.raise",), purpose="packets put on the backlog: lo, veth, tunnels"),
    _function("eth_type_trans", "rx.driver", note="eth_type_trans: not for drivers that hand over page fragments"),
)
"""In the order in which they are attached."""
