"""The kernel side's constants and record types, generated from the model's tables and the kernel's BTF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from enum import IntEnum

import numpy as np

from netlat_tui.bpf.btf import Btf, BtfError
from netlat_tui.bpf.filter_map import KERNEL_INSTRUCTION
from netlat_tui.model import histogram
from netlat_tui.model.filter_program import MAX_INSTRUCTIONS, Field, Op
from netlat_tui.model.points import (
    DELAYS,
    GAUGES,
    MAX_POINTS,
    N_DISTRIBUTIONS,
    POINTS,
    Direction,
    IrqClass,
    Outcome,
    stage_base,
)
from netlat_tui.model.points import point as point_of
from netlat_tui.model.ticks import COUNTERS, NO_POINT, PATH, PathCause, PathFlag

OFFSETS: tuple[tuple[str, str, str], ...] = (
    ("SKB_DEV", "sk_buff", "dev"),
    ("SKB_NEXT", "sk_buff", "next"),
    ("SKB_PREV", "sk_buff", "prev"),
    ("SKB_SK", "sk_buff", "sk"),
    ("SKB_LEN", "sk_buff", "len"),
    ("SKB_DATA_LEN", "sk_buff", "data_len"),
    ("SKB_HEAD", "sk_buff", "head"),
    ("SKB_DATA", "sk_buff", "data"),
    ("SKB_END", "sk_buff", "end"),
    ("SKB_PROTOCOL", "sk_buff", "protocol"),
    ("SKB_MARK", "sk_buff", "mark"),
    ("SKB_MAC_HEADER", "sk_buff", "mac_header"),
    ("SKB_NETWORK_HEADER", "sk_buff", "network_header"),
    ("SKB_TRANSPORT_HEADER", "sk_buff", "transport_header"),
    ("SKB_QUEUE_MAPPING", "sk_buff", "queue_mapping"),
    ("SKB_DST", "sk_buff", "_skb_refdst"),
    ("DST_DEV", "dst_entry", "dev"),
    ("SKB_NAPI_ID", "sk_buff", "napi_id"),
    ("SHINFO_GSO_SEGS", "skb_shared_info", "gso_segs"),
    ("SHINFO_FRAGS", "skb_shared_info", "frags"),
    ("DEV_IFINDEX", "net_device", "ifindex"),
    ("DEV_NAME", "net_device", "name"),
    ("DEV_NET", "net_device", "nd_net"),
    ("NET_INUM", "net", "ns.inum"),
    ("NAPI_ID", "napi_struct", "napi_id"),
    ("SK_FAMILY", "sock_common", "skc_family"),
    ("SK_NUM", "sock_common", "skc_num"),
    ("SK_STATE", "sock_common", "skc_state"),
    ("SK_SOCKET", "sock", "sk_socket"),
    ("SOCKET_SK", "socket", "sk"),
    ("SK_RECEIVE_QUEUE", "sock", "sk_receive_queue"),
    ("SK_PROTOCOL", "sock", "sk_protocol"),
    ("LIST_PREV", "sk_buff_head", "prev"),
    ("QUEUE_LEN", "sk_buff_head", "qlen"),
    ("UDP_READER_QUEUE", "udp_sock", "reader_queue"),
    ("TCP_COPIED_SEQ", "tcp_sock", "copied_seq"),
    ("TCP_RCV_NXT", "tcp_sock", "rcv_nxt"),
    ("TCP_SND_NXT", "tcp_sock", "snd_nxt"),
    ("TCP_WRITE_SEQ", "tcp_sock", "write_seq"),
    ("TASK_PID", "task_struct", "pid"),
    ("TASK_ON_CPU", "task_struct", "on_cpu"),
    ("TASK_NVCSW", "task_struct", "nvcsw"),
    ("TASK_NIVCSW", "task_struct", "nivcsw"),
)
"""Members the hooks read: constant's name, struct, member."""

OPTIONAL_OFFSETS: tuple[tuple[str, str, str], ...] = (
    ("NAPI_IRQ", "napi_struct", "irq"),
    ("TASK_BH_COUNT", "task_struct", "softirq_disable_cnt"),
)
"""Members only some kernels have: napi_struct.irq since 6.12, task_struct.softirq_disable_cnt with PREEMPT_RT."""

_TCP_CB = (("TCP_CB_SEQ", "seq"), ("TCP_CB_END_SEQ", "end_seq"), ("TCP_CB_FLAGS", "tcp_flags"))

NET_RX_SOFTIRQ = 3
"""Position in the kernel's softirq list, unchanged since 2.6.24; not in an enum that BTF keeps on every kernel."""


def offsets(btf: Btf) -> dict[str, int]:
    """``OFF_*`` of the kernel BTF describes; ``BtfError`` names the first member that is missing."""
    found = {f"OFF_{name}": btf.offset(struct, member) for name, struct, member in OFFSETS}
    for name, struct, member in OPTIONAL_OFFSETS:
        if btf.has_member(struct, member):
            found[f"OFF_{name}"] = btf.offset(struct, member)
    new = btf.has_member("skb_frag", "netmem")  # 6.9; before it was a bio_vec
    for name, before, since in (
        ("PAGE", "bv_page", "netmem"),
        ("LEN", "bv_len", "len"),
        ("OFFSET", "bv_offset", "offset"),
    ):
        found[f"OFF_FRAG_{name}"] = btf.offset("skb_frag", since) if new else btf.offset("bio_vec", before)
    found["SIZEOF_PAGE"] = btf.size("page")
    control_block = btf.offset("sk_buff", "cb")
    # The inode lies behind the socket, in one object.
    behind = btf.offset("socket_alloc", "vfs_inode") - btf.offset("socket_alloc", "socket")
    found["OFF_SOCKET_INO"] = behind + btf.offset("inode", "i_ino")
    for name, member in _TCP_CB:
        found[f"OFF_{name}"] = control_block + btf.offset("tcp_skb_cb", member)
    return found


def gro_results(btf: Btf) -> dict[str, int]:
    """Results of napi_gro_receive by name; they were renumbered in 5.12."""
    values = btf.enum("gro_result")
    consumed = values.get("GRO_CONSUMED", -1)
    return {
        "GRO_MERGED": values["GRO_MERGED"],
        "GRO_MERGED_FREE": values["GRO_MERGED_FREE"],
        "GRO_CONSUMED": consumed,
    }


def drop_reasons(btf: Btf) -> dict[int, str]:
    """Names of this kernel's drop reasons without their common prefix; empty before 5.17."""
    try:
        values = btf.enum("skb_drop_reason")
    except BtfError:
        return {}
    return {
        value: name.removeprefix("SKB_DROP_REASON_").removeprefix("SKB_")
        for name, value in values.items()
        if not name.endswith(("_MAX", "_MASK"))
    }


class FlightState(IntEnum):
    """Where a packet that is followed stands."""

    NONE = 0
    ENDING = 1
    """Taken out of everyone's hands; the place is not free yet."""
    BORN = 2
    """Seen before the link layer (sent: the device queue); the filter has not been asked."""
    LINKED = 3
    """Passed the filter, counts as seen."""
    SOCKET = 4
    """On a socket's receive queue."""
    READ = 5
    """Off the queue, its skb may be free; the receive call has not returned."""


def _tables() -> Iterator[tuple[str, int]]:
    yield "MAX_POINTS", MAX_POINTS
    for point in POINTS[Direction.RX]:
        yield f"POINT_{point.key.upper()}", point.index
    for point in POINTS[Direction.TX]:
        yield f"POINT_TX_{point.key.removeprefix('tx_').upper()}", point.index
    yield "NO_POINT", NO_POINT
    for direction in Direction:
        yield f"DIRECTION_{direction.name}", direction
        yield f"STAGE_BASE_{direction.name}", stage_base(direction)
    for gauge in GAUGES:
        yield f"DIST_{gauge.key.upper()}", gauge.id
    yield "N_DISTRIBUTIONS", N_DISTRIBUTIONS
    yield "N_BUCKETS", histogram.N_BUCKETS
    yield "FIRST_OCTAVE", histogram.FIRST_OCTAVE
    yield "LAST_OCTAVE", histogram.LAST_OCTAVE
    yield "SUB_BUCKETS", histogram.SUB_BUCKETS
    yield "MAX_INSTRUCTIONS", MAX_INSTRUCTIONS
    for index, (name, _) in enumerate(COUNTERS):
        yield f"COUNT_{name.upper()}", index
    for prefix, members in (
        ("OUTCOME", Outcome),
        ("IRQ_CLASS", IrqClass),
        ("PATH", PathFlag),
        ("CAUSE", PathCause),
        ("OP", Op),
        ("FIELD", Field),
        ("FLIGHT", FlightState),
    ):
        for member in members:
            yield f"{prefix}_{member.name}", member.value
    yield "NET_RX", NET_RX_SOFTIRQ


_C_TYPES = {("u", 1): "u8", ("u", 2): "u16", ("u", 4): "u32", ("u", 8): "u64"}


def c_struct(name: str, dtype: np.dtype[np.void]) -> str:
    """The C struct of a packed numpy record type; ``ValueError`` where C would lay it out differently."""
    lines, at = [], 0
    for field in dtype.names or ():
        kind, offset = dtype.fields[field][:2]  # type: ignore[index]
        base, shape = kind.subdtype or (kind, ())
        length = int(np.prod(shape)) if shape else 0
        if base.kind == "S":
            c_type, width, length = "char", 1, base.itemsize
        else:
            c_type, width = _C_TYPES[base.kind, base.itemsize], base.itemsize
        if offset != at or offset % width:
            raise ValueError(f"{name}.{field} would need padding in C")
        lines.append(f"\t{c_type} {field}{f'[{length}]' if length else ''};")
        at += kind.itemsize
    if at % 8:
        raise ValueError(f"struct {name} would need padding at its end in C")
    return f"struct {name} {{\n" + "\n".join(lines) + "\n};\n"


def delays(points: Set[str]) -> str:
    """``DELAYS(X)``: the delays of which both ends can be seen, given the points that have hooks (``rx.ip``)."""
    calls = []
    for delay in DELAYS:
        seen = [[key for key in keys if f"rx.{key}" in points] for keys in (delay.starts, delay.ends)]
        starts, ends = (sum(1 << point_of(key).index for key in keys) for keys in seen)
        if starts and ends:
            calls.append(f"X({delay.gauge}, {starts}, {ends})")
    return f"#define DELAYS(X) {' '.join(calls)}"


def header(values: Mapping[str, int], points: Set[str]) -> str:
    """The generated header: the model's constants, these values, and the shared record types."""
    lines = [f"#define {name} {value}" for name, value in (*_tables(), *values.items())]
    lines.append(delays(points))
    return "\n".join(lines) + "\n" + c_struct("path", PATH) + c_struct("instruction", KERNEL_INSTRUCTION)
