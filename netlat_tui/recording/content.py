"""Origins and ticks as plain maps for the serialiser, and back with every type checked."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from netlat_tui.model.ticks import COUNTER_NAMES, Hook, IfaceInfo, IfaceSetup, IrqInfo, Origin, SelfCost, Tick
from netlat_tui.recording.arrays import DTYPES, pack, unpack
from netlat_tui.recording.format import FORMAT, VERSION, FrameError, RecordingError
from netlat_tui.recording.tables import Tables, gauges_now, points_now

_MOST_EVERY = 1 << 16


class _TickMeta(msgspec.Struct, kw_only=True):
    """The scalar part of a tick, as a file must hold it."""

    seq: int
    time_ns: int
    mono_ns: int
    duration_ns: int
    in_flight: int = 0
    counters: dict[str, int] = {}
    irq_info: list[tuple[int, str, str, str]] = []
    iface_info: list[tuple[int, int, str]] = []
    iface_setup: list[tuple[int, str, str, int | None, bool]] = []
    symbols: list[tuple[int, str]] = []
    self_cost: tuple[int | None, int | None, int, int] = (None, None, 0, 0)
    filter: str = ""
    every: int = 1
    held_back: str = ""
    rest: bool = False


class _OriginMeta(msgspec.Struct, kw_only=True):
    host: str
    kernel: str
    boot_id: str = ""
    machine: str = ""
    started_ns: int
    cpus: list[int] = []
    clocksource: str = ""
    hooks: list[tuple[str, str, str, str, str]] = []
    reasons: dict[int, str] = {}
    filter: str = ""
    interval_ns: int = 1_000_000_000
    version: str = ""


def header(origin: Origin) -> dict[str, Any]:
    meta = dataclasses.asdict(origin)
    meta["hooks"] = [dataclasses.astuple(hook) for hook in origin.hooks]
    meta["cpus"] = list(origin.cpus)
    tables = {"points": points_now(), "gauges": gauges_now()}
    return {"format": FORMAT, "version": VERSION, "origin": meta, **tables}


def parse_header(content: dict[str, Any]) -> tuple[Origin, Tables]:
    """``RecordingError`` where this is another kind or a newer version, ``FrameError`` where it is damaged."""
    if content.get("format") != FORMAT:
        raise RecordingError("This is not a netlat-tui recording: name a file written by `netlat-tui record`.")
    version = content.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise RecordingError(f"This recording has format version {version}: read it with a newer netlat-tui.")
    try:
        meta = msgspec.convert(content.get("origin"), _OriginMeta)
    except msgspec.ValidationError as error:
        raise FrameError(f"the header cannot be read ({error})") from error
    points, gauges = content.get("points"), content.get("gauges")
    if not isinstance(points, dict) or not isinstance(gauges, list):
        raise FrameError("the header's tables are missing")
    fields = msgspec.structs.asdict(meta)
    fields["cpus"] = tuple(meta.cpus)
    fields["hooks"] = tuple(Hook(*hook) for hook in meta.hooks)
    return Origin(**fields), Tables(points, gauges)


def tick(item: Tick) -> dict[str, Any]:
    return {
        "seq": item.seq,
        "time_ns": item.time_ns,
        "mono_ns": item.mono_ns,
        "duration_ns": item.duration_ns,
        "in_flight": item.in_flight,
        "counters": {name: count for name, count in item.counters.items() if count},
        "irq_info": [dataclasses.astuple(info) for info in item.irq_info],
        "iface_info": [dataclasses.astuple(info) for info in item.iface_info],
        "iface_setup": [dataclasses.astuple(setup) for setup in item.iface_setup],
        "symbols": list(item.symbols),
        "self_cost": dataclasses.astuple(item.self_cost),
        "filter": item.filter,
        "every": item.every,
        "held_back": item.held_back,
        "rest": item.rest,
        "arrays": {name: pack(getattr(item, name)) for name in DTYPES},
    }


def parse_tick(content: dict[str, Any], tables: Tables) -> tuple[Tick, int]:
    """(the tick, rows left out because they cannot be); ``FrameError`` where it is not a tick."""
    arrays = content.get("arrays")
    if not isinstance(arrays, dict):
        raise FrameError("a tick has no arrays")
    try:
        meta = msgspec.convert({k: v for k, v in content.items() if k != "arrays"}, _TickMeta)
    except msgspec.ValidationError as error:
        raise FrameError(f"a tick cannot be read ({error})") from error
    if not 1 <= meta.every <= _MOST_EVERY:
        raise FrameError("a tick stands for an impossible number of packets")
    if meta.duration_ns < 0 or meta.time_ns < 0:
        raise FrameError("a tick has an impossible time")
    rows = {name: unpack(name, arrays.get(name), tables) for name in DTYPES}
    made = Tick(
        seq=meta.seq,
        time_ns=meta.time_ns,
        mono_ns=meta.mono_ns,
        duration_ns=meta.duration_ns,
        counters={name: meta.counters.get(name, 0) for name in COUNTER_NAMES},
        in_flight=meta.in_flight,
        irq_info=tuple(IrqInfo(*info) for info in meta.irq_info),
        iface_info=tuple(IfaceInfo(*info) for info in meta.iface_info),
        iface_setup=tuple(IfaceSetup(*setup) for setup in meta.iface_setup),
        symbols=tuple(meta.symbols),
        self_cost=SelfCost(*meta.self_cost),
        filter=meta.filter,
        every=meta.every,
        held_back=meta.held_back,
        rest=meta.rest,
        cells=rows["cells"][0],
        sums=rows["sums"][0],
        paths=rows["paths"][0],
        cpus=rows["cpus"][0],
        irqs=rows["irqs"][0],
        drops=rows["drops"][0],
    )
    return made, sum(left_out for _, left_out in rows.values())
