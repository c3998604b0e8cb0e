"""A summary of a window: JSON for scripts, text for people, CSV for tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from netlat_tui.export import baseline, values
from netlat_tui.export.compare import plain_words
from netlat_tui.model.derive import decode_rows
from netlat_tui.model.findings import Severity, findings
from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import Distribution, Snapshot
from netlat_tui.model.text import duration, percent, printable, quantity, size
from netlat_tui.model.ticks import Origin
from netlat_tui.recording import Mark

SCHEMA = "netlat-tui/report/1"


def to_dict(snapshot: Snapshot, origin: Origin, live: bool, marks: Sequence[Mark] = ()) -> dict[str, Any]:
    """The report as ``docs/report.schema.json`` describes it; the slowest paths."""
    return {
        "schema": SCHEMA,
        **values.identity(snapshot, origin, live),
        "accounting": values.accounting(snapshot),
        "self": values.own_cost(snapshot),
        "hooks": values.hooks(snapshot),
        "delays": values.delays(snapshot),
        "stages": values.stages(snapshot),
        "cpus": values.cpus(snapshot),
        "irqs": values.irqs(snapshot),
        "drops": values.drops(snapshot),
        "findings": values.findings(snapshot),
        "paths": values.paths(snapshot, snapshot.slowest),
        **({"changes": baseline.records(snapshot)} if snapshot.against is not None else {}),
    } | ({"marks": [_mark(mark) for mark in marks]} if marks else {})


def _mark(mark: Mark) -> dict[str, Any]:
    return {"time": values.iso(mark.time_ns), "text": printable(mark.text)}


def to_json(snapshot: Snapshot, origin: Origin, live: bool, marks: Sequence[Mark] = ()) -> str:
    return json.dumps(to_dict(snapshot, origin, live, marks), ensure_ascii=False, indent=1) + "\n"


_CSV_COLUMNS = (
    "row", "direction", "layer", "stage", "from", "to", "count", "min_ns", "mean_ns", "p50_ns", "p90_ns", "p99_ns",
    "p999_ns", "max_ns", "rate", "share", "reason", "symbol", "location", "point",
)  # fmt: skip


def to_csv(snapshot: Snapshot, origin: Origin, live: bool) -> str:
    """A row per stage, delay and kind of drop, which ``row`` says; lines that begin with # say where they come from."""
    out = io.StringIO()
    for name, value in (values.identity(snapshot, origin, live) | values.accounting(snapshot)).items():
        out.write(f"# {name}: {value}\n")
    rows = [{"row": "stage", **row} for row in values.stages(snapshot)]
    rows += [_delay_record(row) for row in values.delays(snapshot) if row["count"]]
    rows += [{"row": "drop", **row} for row in values.drops(snapshot)]
    writer = csv.DictWriter(out, _CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: values.cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _delay_record(row: dict[str, Any]) -> dict[str, Any]:
    ends = {"stage": row["name"], "from": " ".join(row["from"]), "to": " ".join(row["to"])}
    rest = {name: value for name, value in row.items() if name not in ("name", "from", "to", "missing")}
    return {"row": "delay", "direction": Direction.RX.label, **ends, **rest}


def to_text(
    snapshot: Snapshot, origin: Origin, live: bool, ascii_only: bool = False, marks: Sequence[Mark] = ()
) -> str:
    """For people: what the screens show, one after the other."""
    parts = [
        _head(snapshot, origin, live),
        _findings(snapshot),
        _whole(snapshot, ascii_only),
        _stages(snapshot, ascii_only),
    ]
    parts += [_cpus(snapshot, ascii_only), _irqs(snapshot, ascii_only), _drops(snapshot)]
    parts += [_paths(snapshot, ascii_only), _baseline(snapshot, ascii_only), _marks(marks), _accounting(snapshot)]
    text = "\n".join(part for part in parts if part)
    return text.replace("→", "->").replace("µs", "us") if ascii_only else text


def _head(snapshot: Snapshot, origin: Origin, live: bool) -> str:
    identity = values.identity(snapshot, origin, live)
    lines = [
        f"{identity['host']}, Linux {identity['kernel']}, {identity['mode']}, {identity['time']}, "
        f"{snapshot.window_ns / 1e9:.1f} s, {quantity(snapshot.packet_rate, snapshot.every > 1)} packets/s",
        f"filter: {identity['filter'] or 'none'}",
    ]
    if snapshot.every > 1:
        lines.append(f"estimated (~): to stay within --budget, 1 packet in {snapshot.every} was counted at the least")
    if identity["path_filter"]:
        lines.append(f"  counted by the kernel: {identity['kernel_filter'] or 'everything'}")
        lines.append(f"  paths selected by: {identity['path_filter']}")
    return "\n".join(lines) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], left: int) -> str:
    """Columns wide enough for what is in them; the first ``left`` are text."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _findings(snapshot: Snapshot) -> str:
    """What stands out, worst first: marked where it hurts."""
    lines = ["WHAT STANDS OUT"]
    for one in findings(snapshot):
        lines.append(f"{'!' if one.severity is Severity.HOT else '-'} {one.kind.replace('-', ' ')}: {one.sentence}")
        lines += [f"    look at: {words}" for words in one.look]
    if len(lines) == 1:
        lines.append("  nothing")
    return "\n".join(lines) + "\n"


def _count(values: Distribution) -> str:
    return f"~{values.count}" if values.estimated else str(values.count)


def _whole(snapshot: Snapshot, plain: bool) -> str:
    """The delays of the way up, and whole paths."""
    if not snapshot.stages:
        return ""
    intervals = [(row.delay.name, row.values) for row in snapshot.delays]
    intervals += [(f"{row.direction.label.upper()} total", row.values) for row in snapshot.totals]
    rows = []
    for name, v in intervals:
        times = (duration(t, plain) for t in (v.p50_ns, v.p90_ns, v.p99_ns, v.p999_ns, v.max_ns))
        rows.append((name, _count(v) if v.count else "-", *times))
    lines = _table(("DELAY", "COUNT", "P50", "P90", "P99", "P99.9", "MAX"), rows, 1).splitlines()
    why = [row.missing for row in snapshot.delays] + [""] * len(snapshot.totals)
    told = [f"{line}  {words}" if words else line for line, words in zip(lines, ["", *why], strict=True)]
    return "\n".join(told) + "\n"


def _stages(snapshot: Snapshot, plain: bool) -> str:
    if not snapshot.stages:
        return "no packets were counted\n"
    rows, layer = [], ""
    for row in snapshot.stages:
        v = row.values
        shown = "" if row.stage.layer == layer else row.stage.layer
        layer = row.stage.layer
        times = (duration(t, plain) for t in (v.p50_ns, v.p90_ns, v.p99_ns, v.p999_ns, v.max_ns))
        rows.append((row.direction.label, shown, row.stage.name, _count(v), *times, percent(row.share)))
    return _table(("", "LAYER", "STAGE", "COUNT", "P50", "P90", "P99", "P99.9", "MAX", "SHARE"), rows, 3)


def _cpus(snapshot: Snapshot, plain: bool) -> str:
    rows = [
        (
            f"cpu{row.cpu}",
            "~" * row.estimated + str(row.packets),
            percent(row.softirq_share),
            str(row.softirqs),
            str(row.ksoftirqd),
            str(row.squeezed),
            duration(row.softirq_wait.p99_ns, plain),
        )
        for row in snapshot.cpus
    ]
    head = ("CPU", "PACKETS", "SOFTIRQ", "RUNS", "KSOFTIRQD", "SQUEEZED", "RAISE→SOFTIRQ P99")
    return _table(head, rows, 1) if rows else ""


def _irqs(snapshot: Snapshot, plain: bool) -> str:
    rows = [
        (
            str(row["irq"]),
            row["name"],
            row["iface"] or "-",
            row["cpus"],
            str(row["count"]),
            duration(row["handler_p99_ns"], plain),
            duration(row["irq_to_poll_p99_ns"], plain),
            str(row["ambiguous"]),
        )
        for row in values.irqs(snapshot)
    ]
    head = ("IRQ", "NAME", "INTERFACE", "CPUS", "COUNT", "HANDLER P99", "IRQ→POLL P99", "AMBIGUOUS")
    return _table(head, rows, 4) if rows else ""


def _drops(snapshot: Snapshot) -> str:
    rows = [
        (
            row.reason,
            row.where,
            row.direction.label,
            row.reached,
            "~" * row.estimated + str(row.count),
            quantity(row.rate, row.estimated),
        )
        for row in snapshot.drops
    ]
    return _table(("DROPS", "WHERE", "", "REACHED", "COUNT", "/S"), rows, 4) if rows else ""


def _paths(snapshot: Snapshot, plain: bool) -> str:
    rows = []
    for item in decode_rows(snapshot, snapshot.slowest[:10]):
        worst = item.worst
        rows.append(
            (
                item.id,
                item.direction.label,
                item.flow,
                item.iface,
                f"{item.comm}/{item.pid}" if item.pid else "-",
                f"{item.outcome.label} {item.reason}".strip(),
                duration(item.total_ns, plain),
                f"{worst.stage.name} {duration(worst.duration_ns, plain)}" if worst else "-",
            )
        )
    return (
        _table(("SLOWEST PATHS", "", "FLOW", "IFACE", "PROCESS", "OUTCOME", "TOTAL", "WORST STAGE"), rows, 6)
        if rows
        else ""
    )


def _baseline(snapshot: Snapshot, plain: bool) -> str:
    text = "".join(f"{line}\n" for line in baseline.lines(snapshot))
    return plain_words(text) if plain else text


def _marks(marks: Sequence[Mark]) -> str:
    rows = [(values.iso(mark.time_ns), printable(mark.text)) for mark in marks]
    return _table(("MARKS", "NOTE"), rows, 2) if rows else ""


def _accounting(snapshot: Snapshot) -> str:
    counted = values.accounting(snapshot)
    ends = ("complete", "merged", "dropped", "forwarded", "consumed", "evicted", "expired", "in_flight")
    rest = ("filtered", "unmatched", "rejected_deltas", "ring_lost", "paths_held_back", "probe_misses")
    lines = [f"seen {counted['seen']} = " + " + ".join(f"{name} {counted[name]}" for name in ends)]
    if snapshot.accounting.difference:
        lines.append(f"  the books are open by {snapshot.accounting.difference}: packets were under way while counting")
    lines.append(", ".join(f"{name} {counted[name]}" for name in rest))
    own = snapshot.self_view
    kernel = "-" if own.kernel_ns_per_packet is None else f"{own.kernel_ns_per_packet:.0f} ns/packet"
    lines.append(
        f"cost of tracing: kernel {kernel}, {percent(own.kernel_cpu_share)} of all CPUs; "
        f"this process {percent(own.user_cpu_share)} of one CPU, {size(own.rss_bytes)}"
    )
    return "\n".join(lines) + "\n"
