"""The kernel side's generated parts agree with the model they are generated from."""

from __future__ import annotations

import numpy as np
import pytest

from netlat_tui.bpf.constants import c_struct, delays, header
from netlat_tui.bpf.filter_map import expand
from netlat_tui.bpf.hooks import PROBES, Way
from netlat_tui.bpf.plan import FENTRY, KPROBE, Plan, describe, untried
from netlat_tui.bpf.program import FILES, KERNEL_DIR
from netlat_tui.model.filter_program import INSTRUCTION
from netlat_tui.model.points import DELAYS, MAX_POINTS, POINTS, STAGES, Direction, stage_id
from netlat_tui.model.ticks import PATH


def test_every_probe_has_its_program_in_the_source() -> None:
    text = "\n".join((KERNEL_DIR / name).read_text() for name in FILES)
    for probe in PROBES:
        if probe.way is Way.RAW:
            assert f"int {probe.program}(struct bpf_raw_tracepoint_args *ctx)" in text
        else:
            assert f"INLINE int at_{probe.event}(" in text
            assert f"#ifdef HAVE_{probe.event.upper()}\n" in text


def test_every_file_of_the_kernel_side_is_used() -> None:
    used = {*FILES, "base.h", "irq_state.h"}
    assert {path.name for path in KERNEL_DIR.iterdir()} == used


def offered(*events: str, kind: str = FENTRY) -> Plan:
    """A kernel that has these functions, and every tracepoint."""
    plan = untried("gone")
    for probe in PROBES:
        if probe.way is Way.RAW or probe.event in events:
            plan.kinds[probe.event] = "raw_tracepoint" if probe.way is Way.RAW else kind
            del plan.failures[probe.event]
    return plan


def row(plan: Plan, point: str, direction: str = "rx") -> tuple[str, str, str]:
    (found,) = (hook for hook in describe(plan) if (hook.point, hook.direction) == (point, direction))
    return found.hook, found.kind, found.reason


def test_every_point_has_a_row_with_a_hook_or_a_reason() -> None:
    for plan in (untried("not tried"), offered(), offered("ip_rcv_core", "inet_sendmsg", kind=KPROBE)):
        rows = describe(plan)
        assert len(rows) == sum(len(points) for points in POINTS.values())
        assert all(row.reason for row in rows if row.kind == "none")
        assert all(row.hook for row in rows if row.kind != "none")


def test_a_point_names_the_functions_that_are_hooked_and_why_others_are_not() -> None:
    assert row(offered("ip_rcv_core"), "ip") == ("ip_rcv_core", "fentry", "ip6_rcv_core: gone")
    assert row(offered("ip_rcv_core", "ip6_rcv_core", kind=KPROBE), "ip") == ("ip_rcv_core, ip6_rcv_core", "kprobe", "")
    assert row(offered(), "ip") == ("", "none", "the kernel has no tracepoint there; gone")


def test_a_tracepoint_stands_in_for_functions_that_are_refused() -> None:
    hook, kind, reason = row(offered(), "transport")
    assert (hook, kind) == ("tcp_probe", "raw_tracepoint")
    assert "ESTABLISHED" in reason
    hook, kind, _ = row(offered("tcp_v4_rcv"), "transport")
    assert (hook, kind) == ("tcp_v4_rcv, tcp_probe", "fentry and raw_tracepoint")


def test_a_kind_that_is_refused_gives_way_to_the_next() -> None:
    plan = offered("ip_rcv_core")
    plan.next_kinds["ip_rcv_core"] = (KPROBE,)
    probe = next(probe for probe in PROBES if probe.event == "ip_rcv_core")
    plan.refuse(probe, "not traceable")
    assert plan.kinds["ip_rcv_core"] == KPROBE
    plan.refuse(probe, "not to be probed")
    assert "ip_rcv_core" not in plan.kinds
    assert plan.failures["ip_rcv_core"] == "not to be probed"


def test_what_another_event_tells_is_hooked_once_that_is_refused() -> None:
    cleanup, recv, read = (
        next(probe for probe in PROBES if probe.event == event)
        for event in ("tcp_cleanup_rbuf", "inet_recvmsg", "sock_recv_length")
    )
    plan = Plan(functions=(FENTRY, KPROBE))
    for probe in (read, recv, cleanup):
        plan.admit(probe)
    assert plan.kinds == {"sock_recv_length": "raw_tracepoint"}
    plan.refuse(read, "gone")
    assert plan.kinds == {"inet_recvmsg": "fexit"}
    assert plan.failures == {"sock_recv_length": "gone", "tcp_cleanup_rbuf": "inet_recvmsg tells the same"}
    plan.refuse(recv, "gone")
    assert plan.kinds == {"tcp_cleanup_rbuf": "fentry"}
    plan.refuse(cleanup, "gone")
    assert plan.kinds == {"tcp_cleanup_rbuf": "kprobe"}


def test_what_tells_the_same_is_named_in_the_table() -> None:
    events = {probe.event for probe in PROBES}
    for probe in PROBES:
        assert events.issuperset(probe.unless)
        assert probe.points or probe.purpose


def test_delays_are_counted_only_where_both_ends_can_be_seen() -> None:
    assert delays({"rx.irq", "rx.link", "rx.socket"}).count(" X(") == 1  # interface→data link
    everything = {f"rx.{point.key}" for point in POINTS[Direction.RX]}
    assert delays(everything).count(" X(") == len(DELAYS)


def test_the_constants_name_every_point() -> None:
    text = header({}, set())
    for point in POINTS[Direction.RX]:
        assert f"#define POINT_{point.key.upper()} {point.index}\n" in text
    for point in POINTS[Direction.TX]:
        assert f"#define POINT_TX_{point.key.removeprefix('tx_').upper()} {point.index}\n" in text
    assert f"#define MAX_POINTS {MAX_POINTS}\n" in text


def test_records_are_laid_out_as_c_does() -> None:
    assert "u64 t_ns[16];" in c_struct("path", PATH)
    with pytest.raises(ValueError, match="padding"):
        c_struct("odd", np.dtype([("a", "u1"), ("b", "<u4")]))


def test_stage_ids_are_what_the_kernel_side_computes() -> None:
    for stage in STAGES:
        assert stage_id(stage.direction, stage.start.index, stage.end.index) == stage.id
        if stage.direction is Direction.RX:
            end = stage.end.index
            assert stage.id == end * (end - 1) // 2 + stage.start.index


def test_prefixes_become_masks() -> None:
    program = np.zeros(3, dtype=INSTRUCTION)
    program["prefix"] = [0, 12, 128]
    masks = expand(program)["mask"]
    assert masks[0].tolist() == [0] * 16
    assert masks[1].tolist() == [0xFF, 0xF0] + [0] * 14
    assert masks[2].tolist() == [0xFF] * 16
