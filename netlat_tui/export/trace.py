"""A line per path, as it ends."""

from __future__ import annotations

import json
from datetime import datetime

from netlat_tui.export import values
from netlat_tui.model.paths import Path
from netlat_tui.model.points import Direction, IrqClass

HEADER = "# time            id               dir outcome   total_us flow iface cpu irq process stage=us..."


def irq_text(path: Path) -> str:
    """``irq41``, or how else the packet came to be polled; ``-`` for one that was sent."""
    if path.direction is Direction.TX and path.irq_class is IrqClass.UNKNOWN:
        return "-"
    if path.irq is not None and path.irq_class is IrqClass.IRQ:
        return f"irq{path.irq}"
    return path.irq_class.label + (f":irq{path.irq}" if path.irq is not None else "")


def outcome_text(path: Path) -> str:
    """How the path ended, as one word: ``dropped(NO_SOCKET@udp_queue_rcv_one_skb+0x1f[module])``."""
    if not path.reason:
        return path.outcome.label
    where = f"@{''.join(path.symbol.split())}" if path.symbol else ""
    return f"{path.outcome.label}({path.reason}{where})"


def line(path: Path) -> str:
    """One line: local time, packet id, direction, outcome, total, flow, interface, CPU, IRQ, process, stages in µs."""
    moment = datetime.fromtimestamp(path.time_ns // 1_000_000_000).astimezone()
    clock = f"{moment:%H:%M:%S}.{path.time_ns % 1_000_000_000 // 1000:06d}"
    process = f"{path.comm}/{path.pid}" if path.pid else "-"
    stages = " ".join(f"{stage.stage.name}={stage.duration_ns / 1000:.3f}" for stage in path.stages)
    front = f"{clock}  {path.id} {path.direction.label}  {outcome_text(path):<9} {path.total_ns / 1000:>9.3f}"
    return f"{front} {path.flow} {path.iface} cpu{path.softirq_cpu} {irq_text(path)} {process} {stages}".rstrip()


def json_line(path: Path) -> str:
    """The same as one JSON object, with the fields of a report's path."""
    return json.dumps(values.path(path), ensure_ascii=False, separators=(",", ":"))
