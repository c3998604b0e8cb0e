"""Snapshots and paths as plain values, named as in DESIGN: what every format is written from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from netlat_tui.model.derive import decode_rows
from netlat_tui.model.findings import findings as found
from netlat_tui.model.flows import FlowRow, StageFigures
from netlat_tui.model.gaps import Gap, gaps_of
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import DelayRow, Distribution, DropRow, Snapshot, StageRow
from netlat_tui.model.text import printable
from netlat_tui.model.ticks import Origin, Rows

ACCOUNTED = (
    "seen", "complete", "merged", "dropped", "forwarded", "consumed", "evicted", "expired", "in_flight",
    "filtered", "unmatched", "rejected_deltas", "ring_lost", "paths_held_back", "paths_sent", "probe_misses",
    "irq_overflow",
)  # fmt: skip


def iso(time_ns: int) -> str:
    """UNIX time as ISO 8601 in UTC, to the microsecond."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000 // 1000:06d}Z"


def cell(value: object) -> object:
    """A value for a CSV file: a text that a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 4)


def distribution(values: Distribution) -> dict[str, Any]:
    return {
        "count": values.count,
        "min_ns": values.min_ns,
        "mean_ns": None if values.mean_ns is None else round(values.mean_ns),
        "p50_ns": values.p50_ns,
        "p90_ns": values.p90_ns,
        "p99_ns": values.p99_ns,
        "p999_ns": values.p999_ns,
        "max_ns": values.max_ns,
    }


def stage(row: StageRow) -> dict[str, Any]:
    found = row.stage
    return {
        "direction": found.direction.label,
        "layer": found.layer,
        "stage": found.name,
        "from": found.start.name,
        "to": found.end.name,
        **distribution(row.values),
        "rate": round(row.rate, 3),
        "share": round(row.share, 6),
    }


def delay(row: DelayRow) -> dict[str, Any]:
    return {
        "name": row.delay.name,
        "from": list(row.delay.starts),
        "to": list(row.delay.ends),
        **distribution(row.values),
        "rate": round(row.rate, 3),
        "missing": row.missing or None,
    }


def drop(row: DropRow) -> dict[str, Any]:
    return {
        "reason": row.reason,
        "location": f"{row.location:#x}" if row.location else None,
        "symbol": row.symbol or None,
        "direction": row.direction.label,
        "point": row.point.name if row.point else None,
        "count": row.count,
        "rate": round(row.rate, 3),
    }


def flow(row: FlowRow) -> dict[str, Any]:
    """``estimated``: rates and counts are; quantiles always are, from so many records."""
    return {
        "flow": row.name,
        "proto": row.proto or None,
        "local": row.local or None,
        "lport": row.lport,
        "remote": row.remote or None,
        "rport": row.rport,
        "netns": row.netns or None,
        "iface": row.iface or None,
        "comm": row.comm or None,
        "pid": row.pid,
        "processes": row.processes,
        **{
            f"{way}_{name}": value
            for way, figures in (("rx", row.received), ("tx", row.sent))
            for name, value in (
                ("rate", round(figures.rate, 3)),
                ("records", figures.records),
                ("p50_ns", figures.p50_ns),
                ("p99_ns", figures.p99_ns),
                ("max_ns", figures.max_ns),
            )
        },
        "worst_stage": row.worst.name if row.worst else None,
        "worst_direction": row.worst.direction.label if row.worst else None,
        "worst_p99_ns": row.worst_ns,
        "retransmits": row.retransmits,
        "drops": row.drops,
        "estimated": row.estimated,
    }


def flow_stage(row: StageFigures) -> dict[str, Any]:
    return {
        "direction": row.stage.direction.label,
        "stage": row.stage.name,
        "records": row.records,
        "p50_ns": row.p50_ns,
        "p99_ns": row.p99_ns,
        "max_ns": row.max_ns,
    }


def path(item: Path) -> dict[str, Any]:
    return {
        "id": item.id,
        "time": iso(item.time_ns),
        "direction": item.direction.label,
        "iface": item.iface,
        "netns": item.netns,
        "proto": item.proto,
        "src": item.src,
        "sport": item.sport,
        "dst": item.dst,
        "dport": item.dport,
        "length": item.length,
        "irq": item.irq,
        "irq_class": item.irq_class.label,
        "pid": item.pid,
        "comm": item.comm,
        "outcome": item.outcome.label,
        "reason": item.reason or None,
        "symbol": item.symbol or None,
        "total_ns": item.total_ns,
        "merged": item.merged,
        "hops": item.hops,
        "flags": [flag.name.lower() for flag in item.flags],
        "softirq_cpu": item.softirq_cpu,
        "peer": item.peer or None,
        "socket": item.socket,
        "seq": item.seq,
        "segs": item.segs,
        "queue": item.queue,
        "points": [{"point": p.point.name, "t_ns": p.t_ns, "cpu": p.cpu} for p in item.points],
        **({"gaps": known} if (known := [gap(one) for one in gaps_of(item)]) else {}),
    }


def gap(item: Gap) -> dict[str, Any]:
    """What else the CPU was doing before a point; what is not known of it is left out."""
    told: dict[str, Any] = {"stage": item.stage.stage.name, "to": item.stage.stage.end.name, "cpu": item.stage.cpu}
    if item.softirqs:
        told["softirqs"] = [vector.name for vector in item.softirqs]
    if item.ksoftirqd:
        told["ksoftirqd"] = True
    if item.task is not None:
        told |= {"pid": item.task.pid, "comm": item.task.comm}
    return told


def findings(snapshot: Snapshot) -> list[dict[str, Any]]:
    """What stands out, worst first."""
    return [
        {
            "kind": one.kind,
            "severity": one.severity.name.lower(),
            "subject": one.subject,
            "sentence": one.sentence,
            "cost_ns": one.cost_ns,
            "figures": [
                {"name": figure.name, "value": figure.value, "unit": figure.unit.value, "estimated": figure.estimated}
                for figure in one.figures
            ],
            "look": list(one.look),
        }
        for one in found(snapshot)
    ]


def paths(snapshot: Snapshot, rows: Rows) -> list[dict[str, Any]]:
    return [path(item) for item in decode_rows(snapshot, rows)]


def accounting(snapshot: Snapshot) -> dict[str, int]:
    return {name: int(getattr(snapshot.accounting, name)) for name in ACCOUNTED}


def own_cost(snapshot: Snapshot) -> dict[str, Any]:
    view = snapshot.self_view
    per_packet = view.kernel_ns_per_packet
    return {
        "kernel_ns_per_packet": None if per_packet is None else round(per_packet, 1),
        "kernel_cpu_pct": percent(view.kernel_cpu_share),
        "user_cpu_pct": percent(view.user_cpu_share),
        "rss_bytes": view.rss_bytes,
    }


def identity(snapshot: Snapshot, origin: Origin, live: bool) -> dict[str, Any]:
    """What every file says of where it comes from."""
    return {
        "host": printable(origin.host),
        "kernel": printable(origin.kernel),
        "started": iso(origin.started_ns),
        "time": iso(snapshot.time_ns),
        "duration_s": round(snapshot.window_ns / 1e9, 6),
        "filter": printable(snapshot.filter),
        "kernel_filter": printable(snapshot.kernel_filter),
        "path_filter": printable(snapshot.user_filter),
        "direction": snapshot.direction.label if snapshot.direction is not None else "both",
        "mode": "live" if live else "recording",
        "counted_one_in": snapshot.every,
        "held_back": printable(snapshot.held_back),
        **_baseline(snapshot),
    }


def _baseline(snapshot: Snapshot) -> dict[str, Any]:
    """The end and the length of the window that is compared with, where one is."""
    if snapshot.against is None:
        return {}
    then = snapshot.against.baseline.snapshot
    return {
        "baseline": iso(then.time_ns),
        "baseline_s": round(then.window_ns / 1e9, 6),
        "baseline_unlike": printable(snapshot.against.unlike),
    }


def cpus(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [
        {
            "cpu": row.cpu,
            "packets": row.packets,
            "softirqs": row.softirqs,
            "softirq_pct": percent(row.softirq_share),
            "ksoftirqd": row.ksoftirqd,
            "squeezed": row.squeezed,
            "backlog_dropped": row.backlog_dropped,
            "raise_to_softirq_p99_ns": row.softirq_wait.p99_ns,
            "stages": [stage(one) for one in row.stages],
        }
        for row in snapshot.cpus
    ]


def irqs(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [
        {
            "irq": row.irq,
            "name": printable(row.info.name),
            "iface": printable(row.info.iface) or None,
            "cpus": printable(row.info.cpus),
            "count": row.count,
            "packets": row.packets,
            "handler_p99_ns": row.handler.p99_ns,
            "irq_to_poll_p99_ns": row.irq_to_poll.p99_ns,
            "ambiguous": row.ambiguous,
        }
        for row in snapshot.irqs
    ]


def hooks(snapshot: Snapshot) -> list[dict[str, str]]:
    """A recording's hooks are whatever its header says."""
    names = ("point", "direction", "hook", "kind", "reason")
    return [{name: printable(asdict(hook)[name]) for name in names} for hook in snapshot.hooks]


def stages(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [stage(row) for row in snapshot.stages]


def delays(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [delay(row) for row in snapshot.delays]


def drops(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [drop(row) for row in snapshot.drops]


def directions(rows: Iterable[StageRow]) -> list[Direction]:
    """The directions that were counted."""
    return sorted({row.direction for row in rows})
