"""The way down: queues that hold packets back, and what TCP had to send again."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from netlat_tui.model.findings.facts import Facts, listed, ranked, share_of
from netlat_tui.model.findings.finding import Figure, Finding, Severity, Unit, View
from netlat_tui.model.findings.limits import LEAST_SAMPLES, RETRANSMIT_SHARE
from netlat_tui.model.findings.sockets import is_long, severity
from netlat_tui.model.points import Direction
from netlat_tui.model.text import duration, percent, quantity
from netlat_tui.model.ticks import PathFlag


def queued(facts: Facts) -> Iterator[Finding]:
    """A queueing discipline lets packets out late."""
    for row in facts.ending_at(Direction.TX, "qdisc_in", "qdisc_out"):
        if not is_long(row):
            continue
        slow = facts.slow_in(row)
        names = facts.ifaces(slow)
        ifaces, one = listed(names), names[0] if names else ""
        yield Finding(
            "qdisc-wait",
            severity(row),
            one or row.stage.name,
            f"packets wait {duration(row.values.p99_ns)} in the queueing discipline{f' of {ifaces}' if ifaces else ''} "
            f"(p99; p50 {duration(row.values.p50_ns)}, {percent(row.share)} of tx time)",
            (
                Figure("qdisc_in→qdisc_out p50", row.values.p50_ns, Unit.NS),
                Figure("qdisc_in→qdisc_out p99", row.values.p99_ns, Unit.NS),
                Figure("qdisc_in→qdisc_out max", row.values.max_ns, Unit.NS),
                Figure("packets", row.values.count, estimated=row.values.estimated),
                Figure("of tx time", row.share, Unit.SHARE),
                Figure("such paths recorded", len(slow.rows)),
                Figure("interfaces", ifaces or None, Unit.TEXT),
            ),
            View.STAGE,
            row.stage.id,
            (f"tc -s qdisc show{f' dev {quote(one)}' if one else ''}: a rate (tbf, htb), a delay (netem), drops",),
            row.values.sum_ns,
        )


def retransmitted(facts: Facts) -> Iterator[Finding]:
    """TCP sent again what it had sent before."""
    again, sent = facts.snapshot.retransmitted, facts.packets_sent
    if not again:
        return
    share = share_of(again, sent)
    slow = [path for path in facts.slowest if PathFlag.RETRANSMIT in path.flags]
    others = ranked((path.dst, 1) for path in slow)
    peers = listed(others)
    path = slow[0] if slow else None
    estimated = facts.snapshot.every > 1
    enough = again >= LEAST_SAMPLES and share >= RETRANSMIT_SHARE
    yield Finding(
        "retransmissions",
        Severity.HOT if enough else Severity.WARM if again >= LEAST_SAMPLES else Severity.NOTE,
        others[0] if others else "tcp",
        f"TCP sent {quantity(again, estimated)} of {quantity(sent, estimated)} sent packets again ({percent(share)})"
        + (f": to {peers}" if peers else ""),
        (
            Figure("sent again", again, estimated=estimated),
            Figure("packets sent", sent, estimated=estimated),
            Figure("share", share, Unit.SHARE),
            Figure("to", peers or None, Unit.TEXT),
        ),
        View.PATH if path else View.PANE,
        path.id if path else "paths",
        ("ss -ti dst ADDRESS: retrans, lost, rtt; drops here or on the way; the other end's window",),
        path=path,
    )
