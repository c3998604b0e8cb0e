"""What this kernel offers of the hook table, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from netlat_tui.bpf import calls
from netlat_tui.bpf.btf import Btf, BtfError
from netlat_tui.bpf.hooks import PROBES, Probe, Way
from netlat_tui.model.points import POINTS, Direction, Point
from netlat_tui.model.ticks import Hook

RAW_TRACEPOINT, FENTRY, FEXIT, KPROBE, TRACEPOINT = "raw_tracepoint", "fentry", "fexit", "kprobe", "tracepoint"
TIERS = ("auto", "fentry", "kprobe", "tracepoint")
NO_TRACEPOINT = "the kernel has no tracepoint there"
LEFT_OUT = "functions are not hooked in this tier"
_TRIAL = "ip_local_deliver"  # in every kernel with IPv4, never inlined: the stack calls it through a pointer


@dataclass(slots=True)
class Plan:
    """The kind of hook of each event that is to be hooked, and why others are not.

    ``next_kinds``: what to try for a function if its kind is refused.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    next_kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: tuple[str, ...] = ()  # kinds of function hooks there are here, in order of preference
    numbers: dict[str, int] = field(default_factory=dict)  # of tracepoints that are attached by number
    _spare: set[str] = field(default_factory=set)  # not hooked because another event tells the same

    def admit(self, probe: Probe, no_functions: str = "") -> None:
        """Take in a probe this kernel offers, unless another tells the same already."""
        told_by = self.told_by(probe)
        kinds = tuple(FEXIT if probe.at_return else kind for kind in self.functions)
        if probe.at_return and FENTRY not in self.functions:
            # A kprobe at a return takes a place for as long as the function sleeps: there are few.
            kinds = ()
        if probe.needs and not self.kinds.keys() & set(probe.needs):
            self.failures[probe.event] = f"it needs {' or '.join(probe.needs)}"
        elif told_by:
            self.failures[probe.event] = f"{told_by} tells the same"
            self._spare.add(probe.event)
        elif probe.way is not Way.FUNCTION:
            self.kinds[probe.event] = RAW_TRACEPOINT if probe.way is Way.RAW else TRACEPOINT
        elif kinds:
            self.kinds[probe.event], self.next_kinds[probe.event] = kinds[0], kinds[1:] if not probe.at_return else ()
        else:
            self.failures[probe.event] = no_functions or "fexit is not to be had here"

    def told_by(self, probe: Probe) -> str:
        """The event that makes a probe needless here; "" where there is none."""
        return next((event for event in probe.unless if event in self.kinds), "")

    def refuse(self, probe: Probe, reason: str) -> None:
        """Its kind does not work here: the next one is tried, and where there is none, whoever it stood in for."""
        rest = self.next_kinds.get(probe.event, ())
        self.failures[probe.event] = reason
        if rest:
            self.kinds[probe.event], self.next_kinds[probe.event] = rest[0], rest[1:]
            return
        self.kinds.pop(probe.event, None)
        for other in PROBES:
            if other.event in self._spare:
                self._spare.discard(other.event)
                del self.failures[other.event]
                self.admit(other)

    @property
    def points(self) -> set[str]:
        return {point for probe in PROBES if probe.event in self.kinds for point in probe.points}


class TierError(Exception):
    """A tier that was asked for is not to be had; one sentence."""


def make(btf: Btf, tier: str) -> Plan:
    """Choose for each event by what the kernel says it has; ``TierError`` where a tier was forced that it refuses."""
    functions, refusal = _function_kinds(btf, tier)
    calls_in = [probe.event for probe in PROBES if probe.way is Way.SYSCALL]
    ids = calls.tracepoint_ids(f"syscalls/{event}" for event in calls_in)
    plan = Plan(
        functions=functions,
        numbers={event: ids[f"syscalls/{event}"] for event in calls_in if f"syscalls/{event}" in ids},
    )
    for probe in PROBES:
        reason = _missing(btf, probe, plan)
        if reason:
            plan.failures[probe.event] = reason
        else:
            plan.admit(probe, refusal)
    return plan


def _function_kinds(btf: Btf, tier: str) -> tuple[tuple[str, ...], str]:
    """(kinds of function hooks to be tried, in order of preference; why there are none)."""
    if tier == TRACEPOINT:
        return (), LEFT_OUT
    function = btf.function(_TRIAL)
    refused = {
        FENTRY: f"this kernel has no function {_TRIAL}" if function is None else calls.refuses_fentry(function),
        KPROBE: calls.refuses_kprobe(_TRIAL),
    }
    if tier in refused:
        if refused[tier]:
            raise TierError(f"{tier} hooks are not to be had: {refused[tier]}; use --hooks auto.")
        return (tier,), ""
    return tuple(kind for kind, reason in refused.items() if not reason), "; ".join(filter(None, refused.values()))


def _missing(btf: Btf, probe: Probe, plan: Plan) -> str:
    """Why this kernel does not offer a probe's event; "" where it does."""
    if probe.way is Way.SYSCALL:
        return "" if probe.event in plan.numbers else "this kernel does not trace system calls"
    if probe.way is Way.FUNCTION:
        args = btf.function_args(probe.event)
        if args is None:
            return f"this kernel has no function {probe.event}"
        if args + probe.at_return <= max(probe.takes):
            return f"this kernel's function {probe.event} takes {args} arguments"
        return ""
    try:
        args = btf.tracepoint_args(probe.event)
    except BtfError as error:
        return str(error)
    if args is None:
        return f"this kernel has no tracepoint {probe.event}"
    if args < probe.args:
        return f"this kernel's tracepoint {probe.event} has {args} arguments, {probe.args} are needed"
    return ""


def untried(reason: str) -> Plan:
    """A plan of which nothing came, for one reason."""
    return Plan(failures={probe.event: reason for probe in PROBES})


def describe(plan: Plan) -> tuple[Hook, ...]:
    """The hook of every point."""
    return tuple(_describe(direction, point, plan) for direction, points in POINTS.items() for point in points)


def _describe(direction: Direction, point: Point, plan: Plan) -> Hook:
    probes = [probe for probe in PROBES if f"{direction.label}.{point.key}" in probe.points]
    hooked = [probe for probe in probes if probe.event in plan.kinds]
    missing = [
        f"{probe.event}: {plan.failures[probe.event]}"
        for probe in probes
        if probe not in hooked and not plan.told_by(probe)
    ]
    if hooked:
        kinds = dict.fromkeys(plan.kinds[probe.event] for probe in hooked)
        notes = [probe.note for probe in hooked if probe.note]
        # A tracepoint that stands in for functions: what it cannot tell is in its note.
        reasons = missing if any(probe.way is Way.FUNCTION for probe in hooked) else []
        events = ", ".join(probe.event for probe in hooked)
        return Hook(direction.label, point.name, events, " and ".join(kinds), "; ".join(notes + reasons))
    raw = [probe for probe in probes if probe.way is not Way.FUNCTION]
    if not raw:
        common = {plan.failures[probe.event] for probe in probes if probe.event in plan.failures}
        missing = [NO_TRACEPOINT, *(sorted(common) if len(common) == 1 else missing)]
        return Hook(direction.label, point.name, "", "none", "; ".join(missing))
    why = dict.fromkeys(plan.failures.get(probe.event, "") for probe in probes)
    return Hook(direction.label, point.name, raw[0].event, "none", "; ".join(filter(None, why)))
