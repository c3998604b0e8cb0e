"""Load the compiled kernel side and attach its hooks, each by trial."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from netlat_tui.bpf import calls
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.compiled import BuildError, Compiled, CompiledMap, compiled
from netlat_tui.bpf.hooks import PROBES, Probe, Way
from netlat_tui.bpf.link import function_info, function_types, link
from netlat_tui.bpf.plan import FENTRY, FEXIT, KPROBE, Plan, TierError, describe, make
from netlat_tui.bpf.program import SHARED, Sizes, source
from netlat_tui.model.ticks import Hook

_AT_ONCE = 4
HELPERS = ("on_sweep",)
"""Programs that are run by us rather than attached."""


@dataclass(frozen=True, slots=True)
class LoadedMap:
    """A map in the kernel and what it is made of."""

    fd: int
    made_of: CompiledMap


@dataclass
class Attached:
    """Maps and programs in the kernel. ``close`` takes them out again."""

    maps: dict[str, LoadedMap] = field(default_factory=dict)
    programs: dict[str, int] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)

    @property
    def hooks(self) -> tuple[Hook, ...]:
        return describe(self.plan)

    def detach(self) -> None:
        """Take the hooks out; maps and programs stay, and nothing writes to the maps any more."""
        held, self.links = list(self.links.values())[::-1], {}  # where packets come into being first
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # with some the kernel waits until nobody can be in them any more
            list(pool.map(os.close, held))
        if held:
            calls.wait_for_programs()

    def close(self) -> None:
        self.detach()
        while self.programs:
            os.close(self.programs.popitem()[1])
        while self.maps:
            os.close(self.maps.popitem()[1].fd)


def attach(btf: Btf, sizes: Sizes, prepare: Callable[[Attached], None], tier: str = "auto") -> Attached:
    """Compile, load and attach everything this kernel offers; ``BuildError`` where the essential hooks fail.

    ``prepare`` is called when everything is loaded and nothing is attached yet; again if a hook that others stand in
    for turns out to be refused, and everything is built without it. ``tier``: one of ``plan.TIERS``.
    """
    try:
        plan = make(btf, tier)
    except TierError as error:
        raise BuildError(str(error)) from error
    cmpxchg = calls.takes_cmpxchg()
    while True:
        made = compiled(source(btf, sizes, plan, cmpxchg=cmpxchg))
        attached = Attached(plan=plan)
        try:
            for entry in made.maps:
                attached.maps[entry.name] = LoadedMap(calls.create_map(entry.name, entry.spec), entry)
            if _attach(btf, attached, made, prepare):
                return attached
        except PermissionError as error:
            attached.close()
            raise BuildError("The kernel refused a tracing call: run as root.", 3) from error
        except OSError as error:
            attached.close()
            raise BuildError(f"The kernel refused the tracer's maps: {error.strerror}.") from error
        except BuildError:
            attached.close()
            raise
        attached.close()


def _attach(btf: Btf, attached: Attached, made: Compiled, prepare: Callable[[Attached], None]) -> bool:
    """Load and attach what is planned; False where the plan had to change so that the source does not fit any more."""
    plan = attached.plan
    for probe in PROBES:
        if probe.essential and probe.event not in plan.kinds:
            _essential(probe, plan.failures[probe.event])
    chosen = [probe for probe in PROBES if probe.event in plan.kinds]
    refused = load(btf, attached, made, chosen)
    if _refuse(plan, chosen, refused):
        return False
    prepare(attached)
    for probe in chosen:
        if probe.event in refused:
            continue
        reason = _try(attached, probe)
        if reason and _refuse(plan, [probe], {probe.event: reason}):
            return False
    return True


def _refuse(plan: Plan, probes: list[Probe], reasons: dict[str, str]) -> bool:
    """Note why hooks are missing. Whether the rest was written in the belief that they are there."""
    for probe in probes:
        if probe.event in reasons:
            plan.refuse(probe, reasons[probe.event])
            if probe.essential:
                _essential(probe, reasons[probe.event])
    return any(probe.way is not Way.RAW for probe in probes if probe.event in reasons)


def _essential(probe: Probe, reason: str) -> None:
    raise BuildError(f"The kernel refused the hook that sees every packet, {probe.event}: {reason}.")


def load(btf: Btf, attached: Attached, made: Compiled, probes: list[Probe]) -> dict[str, str]:
    """Load programs side by side: the verifier takes its time. Why those that failed did so, by event."""
    descriptors = [attached.maps[entry.name].fd for entry in made.maps]
    shared = [made.program(f"shared_{name}", descriptors) for name in SHARED]
    types = calls.load_btf(function_types(SHARED))

    def load_one(name: str, target: calls.Target) -> tuple[int, str]:
        linked = link(made.program(name, descriptors), shared)
        functions = calls.Functions(types, function_info(linked.functions)) if linked.functions else None
        try:
            return calls.load_program(name, linked.code, target, functions), ""
        except OSError as error:
            return -1, error.strerror or str(error)

    wanted = [(probe.event, probe.program, target_of(btf, attached.plan, probe)) for probe in probes]
    wanted += [(name, name, calls.Target()) for name in HELPERS]
    # The longest first: whoever is last does not keep the others waiting.
    wanted.sort(key=lambda one: -len(made.programs[one[1]]))
    refused: dict[str, str] = {}
    try:
        with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
            for (event, name, _), (fd, reason) in zip(
                wanted, pool.map(lambda w: load_one(*w[1:]), wanted), strict=True
            ):
                if reason:
                    refused[event] = reason
                else:
                    attached.programs[name] = fd
    finally:
        os.close(types)
    return refused


def target_of(btf: Btf, plan: Plan, probe: Probe) -> calls.Target:
    """What a planned probe's program is loaded for."""
    kind = plan.kinds[probe.event]
    if kind in (FENTRY, FEXIT):
        place = calls.TRACE_FEXIT if kind == FEXIT else calls.TRACE_FENTRY
        return calls.Target(calls.TRACING, place, btf.function(probe.event) or 0)
    if kind == KPROBE:
        return calls.Target(calls.KPROBE)
    if probe.way is Way.RAW:
        # Of a raw tracepoint with types the arguments need no helper to be read.
        return calls.Target(calls.TRACING, calls.TRACE_RAW_TP, btf.tracepoint(probe.event) or 0)
    return calls.Target(calls.TRACEPOINT)


def _try(attached: Attached, probe: Probe) -> str:
    """Attach one; why it was refused, or ""."""
    program, kind = attached.programs[probe.program], attached.plan.kinds[probe.event]
    try:
        if kind == KPROBE:
            held = calls.attach_kprobe(probe.event, program)
        elif probe.way is Way.SYSCALL:
            held = calls.attach_tracepoint(attached.plan.numbers[probe.event], program)
        else:
            held = calls.attach_tracing(program)
    except OSError as error:
        return error.strerror or str(error)
    attached.links[probe.event] = held
    return ""


def leave_out(attached: Attached) -> None:
    """Take the optional hooks out; their programs stay loaded."""
    for probe in PROBES:
        if probe.optional and probe.event in attached.links:
            os.close(attached.links.pop(probe.event))


def take_in(attached: Attached) -> None:
    """Attach the optional hooks again; one that is refused now stays out."""
    attach_again(attached, [probe.event for probe in PROBES if probe.optional and probe.event in attached.plan.kinds])


def attach_again(attached: Attached, events: Collection[str]) -> None:
    """Attach loaded programs to these events, where they are not; in the order of the table."""
    for probe in PROBES:
        if probe.event in events and probe.event not in attached.links:
            _try(attached, probe)
