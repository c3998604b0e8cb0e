"""What hooks are made of: ns of each thing they do, over and over, and how much of a packet's cost that explains."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.figures import Figure, Result, Table, median, number
from benchmarks.load import flood
from benchmarks.net import net
from benchmarks.options import Options
from netlat_tui.bpf import calls
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.compiled import compiled
from netlat_tui.bpf.link import function_info, function_types, link
from netlat_tui.bpf.plan import make as make_plan
from netlat_tui.bpf.program import SHARED, Sizes, source
from netlat_tui.bpf.tracer import Tracer, possible_cpus
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.ticks import Scope

TIMES = 64
_RUNS = 2_000

BLOCKS: dict[str, tuple[str, str]] = {
    "clock": ("the clock is read", "sum += bpf_ktime_get_ns();"),
    "state": ("the CPU's state is looked up", "struct cpu_state *d = this_cpu(); if (d) sum += d->ids;"),
    "histogram": ("a time is counted in a histogram", "observe(0, DIST_TOTAL, (i << 10) + sum);"),
    "counter": ("a counter is added to", "count(COUNT_UNMATCHED, 1);"),
    "place": (
        "a packet is given a place, which is free again",
        "u32 p = call_place(0xFFFF888100000000ull + (i << 8)); struct flight *f = p ? flight_at(p - 1) : 0;"
        "if (f) { f->state = FLIGHT_BORN; if (flight_forgets(f)) flight_free(f); }",
    ),
    "headers": ("a packet's headers are read", "u8 h[HEADERS]; READ(h, (u64)c, 0); sum += h[i & 31];"),
    "field": ("another field is read", "sum += read_u32((u64)c, i);"),
    "socket": ("a socket's state is looked up", "struct sock_state *s = sock_known(sk); if (s) sum += s->in;"),
}
"""By name: what is done, and the C that does it. Where memory is touched it is in the cache."""

_PROGRAM = """
int on_block_{name}(struct bpf_raw_tracepoint_args *ctx)
{{
	struct cpu_state *c = this_cpu();
	struct sock_state fresh = {{.epoch = epoch()}};
	u64 sum = 0, sk = 1;
	if (!c)
		return 0;
	socks.update(&sk, &fresh);
	for (u32 i = 0; i < {times}; i++) {{
		OPAQUE(i);
		if (i >= {times})
			break;
		{what}
		FORGET;
	}}
	return sum & 1;
}}
"""


@contextmanager
def _programs() -> Iterator[dict[str, int]]:
    """Descriptors of a program for each block, and of ``nothing``: the same loop around nothing."""
    btf = Btf.of_kernel()
    text = source(btf, Sizes(cpus=possible_cpus()), make_plan(btf, "auto"), cmpxchg=calls.takes_cmpxchg())
    bodies = {"nothing": "", **{name: what for name, (_, what) in BLOCKS.items()}}
    text += "".join(_PROGRAM.format(name=name, what=what, times=TIMES) for name, what in bodies.items())
    made = compiled(text)
    held: list[int] = []
    try:
        maps = []
        for entry in made.maps:
            maps.append(calls.create_map(entry.name, entry.spec))
            held.append(maps[-1])
        shared = [made.program(f"shared_{name}", maps) for name in SHARED]
        types = calls.load_btf(function_types(SHARED))
        held.append(types)
        loaded = {}
        for name in bodies:
            linked = link(made.program(f"on_block_{name}", maps), shared)
            functions = calls.Functions(types, function_info(linked.functions)) if linked.functions else None
            loaded[name] = calls.load_program(name, linked.code, calls.Target(), functions)
            held.append(loaded[name])
        yield loaded
    finally:
        for fd in held:
            os.close(fd)


def _each(program: int) -> float:
    """ns of one run."""
    before = calls.runs(program)
    for _ in range(_RUNS):
        calls.run_once(program, (0,))
    after = calls.runs(program)
    return (after.ns - before.ns) / (after.count - before.count)


def _measure(rounds: int) -> dict[str, float]:
    """ns of each block."""
    with _programs() as programs:
        statistics = calls.enable_stats()
        try:
            times = [{name: _each(fd) for name, fd in programs.items()} for _ in range(rounds)]
        finally:
            os.close(statistics)
    return {name: median([(one[name] - one["nothing"]) / TIMES for one in times]) or 0.0 for name in BLOCKS}


def _histograms(seconds: float) -> float:
    """Times that are counted per packet of a flood."""
    with net() as made, flood(made):
        tracer = Tracer(program=EVERYTHING.program)
        try:
            tracer.set_sampling(slow_ns=(1 << 40, 1 << 40), every=1000, per_second=1000)
            tracer.collect()
            time.sleep(seconds)
            sample = tracer.collect()
        finally:
            tracer.close()
    counted = sample.sums["count"][sample.sums["scope"] == Scope.CPU].sum()
    return float(counted) / max(1, sample.counters["seen"])


def run(options: Options) -> Result:
    each, counted = _measure(options.rounds), _histograms(options.seconds)
    rows = tuple((BLOCKS[name][0], number(ns)) for name, ns in each.items())
    figures = (
        Figure("reading the clock", each["clock"], "ns", note="once in nearly every hook"),
        Figure("times counted per packet of a flood", counted, ""),
        Figure("counting them", counted * each["histogram"], "ns", note="per packet"),
    )
    conditions = (
        f"Medians of {options.rounds} rounds of {_RUNS} runs of a program that does one thing {TIMES} times, less one "
        "that does nothing as often; timed by the kernel. What is read or written is in that CPU's cache."
    )
    return Result("What hooks are made of", conditions, figures, (Table("In ns:", ("what is done", "ns"), rows),))
