"""Drops, and what the tracer itself could not see or afford."""

from __future__ import annotations

from collections.abc import Iterator

from netlat_tui.model.findings.facts import Facts, share_of
from netlat_tui.model.findings.finding import Figure, Finding, Severity, Unit, View
from netlat_tui.model.findings.limits import DROPS_SHARE, LEAST_SAMPLES
from netlat_tui.model.text import percent, quantity

_OF_OTHER_RULES = ("SOCKET_RCVBUFF", "SOCKET_BACKLOG", "PROTO_MEM", "CPU_BACKLOG")
_LOOK = {
    "NO_SOCKET": "Nobody listens there: ss -lnp; the path says which port, and who asks",
    "NETFILTER_DROP": "A rule drops them: nft list ruleset, iptables -nvL",
    "QDISC_DROP": "The device's queue is full: tc -s qdisc show",
    "TCP_CSUM": "Wrong checksums: the path's hardware, or offloads (ethtool -k)",
    "UDP_CSUM": "Wrong checksums: the path's hardware, or offloads (ethtool -k)",
    "NEIGH_FAILED": "No answer for a neighbour's address: ip neigh",
    "IP_OUTNOROUTES": "No route: ip route get ADDRESS",
    "IP_INNOROUTES": "No route, or rp_filter: ip route get ADDRESS",
}


def dropped(facts: Facts) -> Iterator[Finding]:
    """Each kind of drop that has no rule of its own."""
    snapshot = facts.snapshot
    passed = sum(row.packets for row in snapshot.cpus)
    for drop in snapshot.drops:
        if drop.reason in _OF_OTHER_RULES:
            continue
        share = share_of(drop.count, max(passed, drop.count))
        look = _LOOK.get(drop.reason)
        yield Finding(
            "drops",
            _severity(drop.count, share),
            f"{drop.reason} at {drop.where}",
            f"{quantity(drop.count, drop.estimated)} {drop.direction.label} "
            f"packet{'s were' if drop.count != 1 else ' was'} dropped by {drop.where} "
            f"({drop.reason}, {quantity(drop.rate, drop.estimated)}/s, {percent(share)} of the packets seen)",
            (
                Figure("dropped", drop.count, estimated=drop.estimated),
                Figure("per second", drop.rate, Unit.PER_SECOND, drop.estimated),
                Figure("of the packets seen", share, Unit.SHARE),
                Figure("last point", drop.reached, Unit.TEXT),
            ),
            View.DROP,
            drop.key,
            (look,) if look else (),
        )


def _severity(count: int, share: float) -> Severity:
    if count < LEAST_SAMPLES:
        return Severity.NOTE
    return Severity.HOT if share >= DROPS_SHARE else Severity.WARM


def backlog_full(facts: Facts) -> Iterator[Finding]:
    """A CPU's backlog (RPS, veth, lo) had no room: the kernel's own count, whatever the filter."""
    drops = [drop for drop in facts.snapshot.drops if drop.reason == "CPU_BACKLOG"]
    for cpu in facts.snapshot.cpus:
        if not cpu.backlog_dropped:
            continue
        yield Finding(
            "backlog-full",
            Severity.HOT,
            f"cpu{cpu.cpu}",
            f"the backlog of cpu{cpu.cpu} was full: {quantity(cpu.backlog_dropped)} packets dropped, of all filters' "
            f"(it receives for {percent(cpu.softirq_share)} of its time)",
            (
                Figure("dropped", cpu.backlog_dropped),
                Figure("of these, of the filter", sum(drop.count for drop in drops)),
                Figure("time in NET_RX", cpu.softirq_share, Unit.SHARE),
                Figure("squeezed", cpu.squeezed),
            ),
            View.DROP if drops else View.CPU,
            drops[0].key if drops else cpu.cpu,
            ("sysctl net.core.netdev_max_backlog; what else the CPU does; RPS to more CPUs",),
        )


def of_the_tracer(facts: Facts) -> Iterator[Finding]:
    """What makes the figures here less than whole."""
    snapshot = facts.snapshot
    if snapshot.every > 1:
        yield Finding(
            "tracer-estimates",
            Severity.NOTE,
            "tracer",
            f"figures are estimates: to stay within --budget, 1 packet in {snapshot.every} was counted",
            (Figure("counted, one in", snapshot.every), Figure("not measured", snapshot.held_back or None, Unit.TEXT)),
            View.PANE,
            "layers",
            ("--budget none counts all, at its cost",),
        )
    lost = snapshot.accounting
    if lost.lost:
        names = ("evicted", "expired", "ring_lost", "probe_misses", "rejected_deltas")
        some = [(name.replace("_", " "), int(getattr(lost, name))) for name in names if getattr(lost, name)]
        yield Finding(
            "tracer-lost",
            Severity.NOTE,
            "tracer",
            f"the tracer lost sight of packets, paths or times since the start: "
            f"{', '.join(f'{quantity(count)} {name}' for name, count in some)} (of {quantity(lost.seen)} seen)",
            tuple(Figure(name, count) for name, count in some),
            View.PANE,
            "layers",
        )
