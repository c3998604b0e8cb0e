"""All rules, and the order of what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netlat_tui.model.findings import losses, neighbours, sending, sockets, softirqs
from netlat_tui.model.findings.facts import Facts
from netlat_tui.model.findings.finding import Finding
from netlat_tui.model.snapshot import Snapshot

RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    softirqs.starved,
    softirqs.squeezed,
    softirqs.one_cpu,
    softirqs.moderation,
    neighbours.noisy,
    sockets.scheduled_late,
    sockets.comes_late,
    sockets.buffer_full,
    sending.queued,
    sending.retransmitted,
    losses.dropped,
    losses.backlog_full,
    losses.of_the_tracer,
)


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """What stands out, worst first: by severity, then by the time packets lost. The tracer's own come last."""
    if not snapshot.ticks:
        return ()
    facts = Facts(snapshot)
    found = [finding for rule in RULES for finding in rule(facts)]
    return tuple(sorted(found, key=lambda one: (one.subject == "tracer", -one.severity, -one.cost_ns)))
