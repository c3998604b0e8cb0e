"""ns per hook and per packet: the kernel's statistics of each program, less those of an empty one in its place."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.figures import Figure, Result, Table, median, number
from benchmarks.load import flood
from benchmarks.net import Net, net
from benchmarks.options import Options
from netlat_tui.bpf import calls
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.build import target_of
from netlat_tui.bpf.hooks import PROBES, Probe
from netlat_tui.bpf.plan import Plan
from netlat_tui.bpf.plan import make as make_plan
from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.filter import EVERYTHING

NS_PER_HOOK = 60.0
"""DESIGN's bound: the mean over hooks, above an empty program."""

_RETURN_0 = bytes.fromhex("b7000000000000009500000000000000")


@dataclass(frozen=True)
class Timed:
    """Of all programs over a measurement, by event: (runs, ns); and packets."""

    programs: dict[str, tuple[int, int]]
    packets: int


def _read(programs: dict[str, int]) -> dict[str, calls.Runs]:
    return {event: calls.runs(fd) for event, fd in programs.items()}


def _grown(before: dict[str, calls.Runs], after: dict[str, calls.Runs]) -> dict[str, tuple[int, int]]:
    return {event: (after[event].count - before[event].count, after[event].ns - before[event].ns) for event in before}


def _empty(btf: Btf, plan: Plan, probe: Probe) -> tuple[int, int]:
    """(program, attachment) of one that does nothing, in the place of ours."""
    target = target_of(btf, plan, probe)
    program = calls.load_program("empty", _RETURN_0, target)
    if target.kind == calls.KPROBE:
        return program, calls.attach_kprobe(probe.event, program)
    if target.kind == calls.TRACEPOINT:
        return program, calls.attach_tracepoint(plan.numbers[probe.event], program)
    return program, calls.attach_tracing(program)


@contextmanager
def empties(btf: Btf, plan: Plan) -> Iterator[dict[str, int]]:
    """Programs that do nothing at every hook of a plan, attached while the block runs; by event."""
    programs, links = {}, []
    try:
        for probe in PROBES:
            if probe.event in plan.kinds:
                programs[probe.event], link = _empty(btf, plan, probe)
                links.append(link)
        yield programs
    finally:
        for fd in (*links, *programs.values()):
            os.close(fd)


def _floor(made: Net, btf: Btf, plan: Plan, seconds: float) -> dict[str, tuple[int, int]]:
    with flood(made), empties(btf, plan) as programs:
        statistics = calls.enable_stats()
        try:
            before = _read(programs)
            time.sleep(seconds)
            return _grown(before, _read(programs))
        finally:
            os.close(statistics)


def _ours(made: Net, tier: str, seconds: float) -> Timed:
    tracer = Tracer(program=EVERYTHING.program, tier=tier)
    try:
        # Records as the live view asks for them under load: few.
        tracer.set_sampling(slow_ns=(1 << 40, 1 << 40), every=1000, per_second=1000)
        programs = {event: tracer._attached.programs[f"on_{event}"] for event in tracer._attached.links}
        with flood(made):
            tracer.watch_cost(True)
            tracer.drain()
            tracer.collect()
            before = _read(programs)
            time.sleep(seconds)
            after = _read(programs)
            counters = tracer.collect().counters
            return Timed(_grown(before, after), counters["seen"] + counters["filtered"])
    finally:
        tracer.close()


def run(options: Options, tier: str = "auto") -> Result:
    btf = Btf.of_kernel()
    plan = make_plan(btf, tier)
    floors: list[dict[str, tuple[int, int]]] = []
    timed: list[Timed] = []
    with net() as made:
        for _ in range(options.rounds):
            floors.append(_floor(made, btf, plan, options.seconds))
            timed.append(_ours(made, tier, options.seconds))
    means, per_packet, hooks_per_packet = [], [], []
    for one, floor in zip(timed, floors, strict=True):
        runs = sum(count for count, _ in one.programs.values())
        net_ns = sum(ns - count * _each(floor.get(event)) for event, (count, ns) in one.programs.items())
        if runs and one.packets:
            means.append(net_ns / runs)
            per_packet.append(net_ns / one.packets)
            hooks_per_packet.append(runs / one.packets)
    note = "what was sent and what was received count as a packet each"
    figures = (
        Figure("kernel, per hook, above an empty program", median(means), "ns", NS_PER_HOOK),
        Figure("kernel, per packet, above empty programs", median(per_packet), "ns", note=note),
        Figure("hooks run per packet", median(hooks_per_packet), ""),
    )
    rows = sorted(_rows(timed, floors), key=lambda row: -row[0])
    conditions = (
        f"Medians of {options.words} of a UDP flood over veth, every packet counted, one path in 1,000 sent; "
        "alternating with empty programs at the same places. Both are timed by the kernel (bpf_stats), whose own "
        "time is in both. Tier: "
        f"{tier}."
    )
    head = ("hook", "runs/packet", "ns/run", "empty, ns/run", "net ns/run", "net ns/packet")
    return Result("What a hook costs", conditions, figures, (Table("Hook by hook:", head, tuple(r for _, r in rows)),))


def _each(floor: tuple[int, int] | None) -> float:
    """ns of one run."""
    return floor[1] / floor[0] if floor and floor[0] else 0.0


def _rows(timed: list[Timed], floors: list[dict[str, tuple[int, int]]]) -> Iterator[tuple[float, tuple[str, ...]]]:
    for event in timed[0].programs:
        pairs = [(one, _each(floor.get(event))) for one, floor in zip(timed, floors, strict=True) if one.packets]
        often = median([one.programs[event][0] / one.packets for one, _ in pairs]) or 0.0
        ran = [(one, empty) for one, empty in pairs if one.programs[event][0]]
        if often < 0.001 or not ran:
            continue
        each = median([_each(one.programs[event]) for one, _ in ran]) or 0.0
        empty = median([floor for _, floor in ran]) or 0.0
        per_packet = (each - empty) * often
        yield per_packet, (event, f"{often:.3f}", *(number(value) for value in (each, empty, each - empty, per_packet)))
