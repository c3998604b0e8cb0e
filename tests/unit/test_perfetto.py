"""What a trace for Perfetto holds: read by its own protobuf classes."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from netlat_tui.export.perfetto import Trace
from netlat_tui.export.perfetto_lanes import Nest
from netlat_tui.export.perfetto_stream import Stream
from netlat_tui.model.paths import Path, decode
from netlat_tui.model.points import POINTS, Direction, IrqClass, Outcome
from netlat_tui.model.ticks import PATH, Tick
from tests.perfetto_reader import Read, read
from tests.synth import NETNS, ORIGIN, SECOND, hostile, make_tick, make_ticks

IFACES = {(NETNS, 1): "lo", (NETNS, 2): "eth0"}


def paths_of(tick: Tick) -> list[Path]:
    return [decode(row, tick.time_ns - tick.mono_ns, IFACES, ORIGIN.reasons) for row in tick.paths]


def written(ticks: list[Tick]) -> bytes:
    out = io.BytesIO()
    trace = Trace(out, ORIGIN)
    for tick in ticks:
        trace.add(tick, paths_of(tick))
    trace.close()
    assert trace.left_out == 0
    return out.getvalue()


def check_packets(found: Read, paths: list[Path]) -> None:
    """Each path is there once, with its stages, which add up to it; what it names leads somewhere."""
    packets = {one.told["id"]: one for one in found.packets}
    assert len(packets) == len(found.packets)
    assert set(packets) == {path.id for path in paths}
    stages = defaultdict(list)
    for one in found.below("Packets"):
        if one.parent is not None:
            stages[one.parent.told["id"]].append(one)
    for path in paths:
        packet = packets[path.id]
        assert (packet.start_ns, packet.end_ns) == (path.t0_ns, path.t0_ns + path.total_ns)
        assert [(one.name, one.end_ns - one.start_ns) for one in stages[path.id]] == [
            (stage.stage.name, stage.duration_ns) for stage in path.stages
        ]
        assert sum(one.end_ns - one.start_ns for one in stages[path.id]) == path.total_ns
        assert (packet.told["flow"], packet.told["length"]) == (path.flow, path.length)
    arrows = Counter(flow for one in found.slices for flow in one.flows)
    known = {int(path.id, 16) for path in paths}
    pairs = [flow for flow, ends in arrows.items() if flow not in known and ends > 1]
    assert len(pairs) == sum(path.peer in packets for path in paths) / 2
    for path in paths:
        at = [(one.start_ns, one) for one in found.slices if int(path.id, 16) in one.flows]
        assert {one.told.get("id") or one.parent.told["id"] for _, one in at if one.parent or one.told} >= {path.id}
        points = {(path.t0_ns + passage.t_ns, passage.cpu) for passage in path.points}
        for time_ns, one in at:
            if found.root(one.track) == "CPUs":
                cpu = int(found.tracks[one.track].name.split()[1])
                assert (time_ns, cpu) in points, "an arrow is where and when the packet was"


# --- What there is to be seen ---


def test_a_packet_is_followed_from_cpu_to_cpu() -> None:
    (tick,) = make_ticks(1, paths=1, drops=0)
    rows = tick.paths.copy()
    rows["cpu"][0, [point.index for point in POINTS[Direction.RX] if point.key in ("wakeup", "copy", "return")]] = 7
    rows["cpu"][0, : POINTS[Direction.RX][11].index] = 3
    tick = replace(tick, paths=rows)
    (path,) = paths_of(tick)
    found = read(written([tick]))
    check_packets(found, [path])
    names = {track.uuid: track.name for track in found.tracks.values()}
    by_cpu = defaultdict(list)
    for one in found.below("CPUs"):
        by_cpu[names[one.track]].append(one.name)
    assert sorted(by_cpu["CPU 3"]) == ["NET_RX", "irq 41 virtio0-input.0", "poll"]
    assert sorted(by_cpu["CPU 3 points"]) == ["irq", "softirq"]
    assert by_cpu["CPU 3 raise→softirq"] == ["raise→softirq"]
    assert (by_cpu["CPU 7"], by_cpu["CPU 7 points"]) == (["read nginx"], ["wakeup"])
    arrow = [one for one in sorted(found.slices, key=lambda one: one.start_ns) if int(path.id, 16) in one.flows]
    ways = [f"{names[one.track]}: {one.name}" for one in arrow if found.root(one.track) == "CPUs"]
    assert ways == ["CPU 3 points: irq", "CPU 3 points: softirq", "CPU 7 points: wakeup"]
    assert {"irq→raise", "softirq→poll", "wakeup→copy"} <= {one.name for one in arrow}


def test_packets_of_one_softirq_run_are_in_one_slice() -> None:
    (tick,) = make_ticks(1, paths=8, drops=0)
    rows = tick.paths.copy()
    for row in rows:  # interrupt to poll are the same; each packet comes a little later to gro
        row["t_ns"], row["t0_ns"], row["cpu"], row["softirq_cpu"] = rows["t_ns"][0], rows["t0_ns"][0], 0, 0
        row["t_ns"][5:] += int(row["id"] & 0xFFFF) * 300
    found = read(written([replace(tick, paths=rows)]))
    slices = {one.name: one for one in found.below("CPUs") if one.end_ns > one.start_ns}
    for name in ("irq 41 virtio0-input.0", "NET_RX", "poll", "raise→softirq"):
        assert slices[name].told["packets"] == 8
    assert slices["poll"].parent is slices["NET_RX"]
    spans = [one for one in found.below("CPUs") if one.name in ("NET_RX", "poll", "raise→softirq")]
    assert len(spans) == 3


def test_a_poll_is_over_when_the_next_begins() -> None:
    """GRO may keep a packet of one poll for the next: it was at the link layer when its own poll was long over."""
    (tick,) = make_ticks(1, paths=2, drops=0)
    rows = tick.paths.copy()
    way = [point.index for point in POINTS[Direction.RX] if point.key in ("softirq", "poll", "gro", "link")]
    rows["t0_ns"], rows["cpu"], rows["mask"] = 1_000_000, 0, sum(1 << index for index in way)
    rows["t_ns"][0, way], rows["t_ns"][1, way] = (0, 100, 200, 5_000), (0, 3_000, 3_200, 4_000)
    found = read(written([replace(tick, paths=rows)]))
    spans = {(one.name, one.start_ns - 1_000_000, one.end_ns - 1_000_000) for one in found.below("CPUs")}
    assert {("NET_RX", 0, 5_000), ("poll", 100, 3_000), ("poll", 3_000, 4_000)} <= spans


def test_figures_are_those_of_the_ticks() -> None:
    ticks = make_ticks(3, paths=20, drops=2, sent=5)
    numbers = read(written(ticks)).numbers
    assert numbers["packets/s"] == [(tick.mono_ns - SECOND, 27.0) for tick in ticks]
    assert [value for _, value in numbers["drops/s"]] == [2.0, 2.0, 2.0]
    assert all(value > 10_000 for _, value in numbers["received: p99 of the total"])
    assert all(value > 10_000 for _, value in numbers["sent: p99 of the total"])
    lossy = replace(ticks[0], counters=ticks[0].counters | {"ring_lost": 3, "evicted": 4})
    assert [value for _, value in read(written([lossy])).numbers["lost"]] == [7.0]


def test_a_time_of_day_can_be_told() -> None:
    ticks = make_ticks(2)
    before, first, second = read(written(ticks)).clocks
    assert before == {pb.BUILTIN_CLOCK_MONOTONIC: 999 * SECOND, pb.BUILTIN_CLOCK_REALTIME: ticks[0].time_ns - SECOND}
    assert first == {pb.BUILTIN_CLOCK_MONOTONIC: ticks[0].mono_ns, pb.BUILTIN_CLOCK_REALTIME: ticks[0].time_ns}
    assert second[pb.BUILTIN_CLOCK_REALTIME] - first[pb.BUILTIN_CLOCK_REALTIME] == SECOND


def test_both_halves_of_a_packet_are_joined() -> None:
    ticks = make_ticks(1, paths=4, drops=0, sent=4)
    check_packets(read(written(ticks)), paths_of(ticks[0]))


@pytest.mark.parametrize("name", ["\x1b]0;x\x07", "käse", "\u202e", "[red]"])
def test_names_of_others_are_text(name: str) -> None:
    found = read(written([hostile(tick, name) for tick in make_ticks(1)]))
    told = {value for one in found.slices for value in one.told.values() if isinstance(value, str)}
    shown = told | {one.name for one in found.slices} | {track.name for track in found.tracks.values()}
    assert all(text.isprintable() for text in shown)
    assert any("red" in text or "käse" in text or "?" in text for text in shown)


# --- Whatever comes ---


@st.composite
def rows(draw: st.DrawFn) -> np.void:
    row = np.zeros(1, dtype=PATH)[0]
    direction = draw(st.sampled_from(Direction))
    count = len(POINTS[direction])
    points = sorted(draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=count)))
    cpu = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    gaps = draw(st.lists(st.sampled_from((0, 1, 7, 100, 3_000, 2 * SECOND)), min_size=count, max_size=count))
    now = 0
    for place, index in enumerate(points):
        now += gaps[place] if place else 0
        row["t_ns"][index], row["cpu"][index] = now, cpu[index]
    row["mask"] = sum(1 << index for index in points)
    row["direction"], row["outcome"] = direction, draw(st.sampled_from(Outcome))
    row["irq_class"], row["irq"] = draw(st.sampled_from(IrqClass)), draw(st.integers(0, 2))
    row["t0_ns"] = draw(st.integers(1, 2_000))  # close together, so that much coincides
    row["family"], row["proto"] = 4, draw(st.sampled_from((6, 17, 1)))
    row["sport"], row["dport"] = draw(st.integers(1, 2)), 80
    row["pid"] = row["tid"] = draw(st.integers(0, 2))
    row["comm"], row["ifindex"], row["netns"] = b"x", draw(st.integers(1, 3)), NETNS
    return row


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(rows(), max_size=8), min_size=1, max_size=4), st.sampled_from((1, 8)))
def test_whatever_paths_there_are(ticks: list[list[np.void]], seconds: int) -> None:
    """With eight seconds between ticks, what CPUs did is written before the next paths come."""
    made, number = [], 0
    for seq, some in enumerate(ticks):
        paths = np.array(some, dtype=PATH) if some else np.zeros(0, dtype=PATH)
        for path in paths:
            number += 1
            path["id"] = number
            if seq % 2:
                path["t0_ns"] += np.uint64(seq * seconds * SECOND)
        made.append(replace(make_tick(0), paths=paths, mono_ns=(1 + seq * seconds) * SECOND))
    found = read(written(made))
    check_packets(found, [path for tick in made for path in paths_of(tick)])
    cpu_slices = [one for one in found.below("CPUs") if one.end_ns > one.start_ns]
    runs = sorted((found.tracks[one.track].name, one.start_ns, one.end_ns) for one in cpu_slices if one.name == "poll")
    for (name, _, end_ns), (next_name, start_ns, _) in pairwise(runs):
        assert name != next_name or end_ns <= start_ns, "a CPU polls one thing at a time"


def test_paths_no_kernel_would_send_are_left_out_and_counted() -> None:
    (tick,) = make_ticks(1, paths=3, drops=0)
    rows = tick.paths.copy()
    rows["t_ns"][0, POINTS[Direction.RX][3].index] = 1 << 63
    rows["t0_ns"][1] = (1 << 64) - 5
    out = io.BytesIO()
    trace = Trace(out, ORIGIN)
    trace.add(replace(tick, paths=rows), paths_of(replace(tick, paths=rows)))
    trace.close()
    assert trace.left_out == 2
    assert len(read(out.getvalue()).packets) == 1


class Nowhere(io.RawIOBase):
    """What is written is forgotten."""

    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]


def peak_bytes(seconds: int) -> int:
    trace = Trace(Nowhere(), ORIGIN)  # type: ignore[arg-type]
    tracemalloc.start()
    for seq in range(seconds):
        tick = make_tick(seq, paths=20)
        trace.add(tick, paths_of(tick))
    trace.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_recording() -> None:
    peak_bytes(2)
    assert peak_bytes(40) < 1.5 * peak_bytes(10)


spans = st.tuples(st.integers(0, 20), st.integers(0, 10)).map(lambda span: (span[0], span[0] + span[1]))


@given(st.lists(spans, max_size=12))
def test_slices_keep_their_lengths_on_as_many_tracks_as_it_takes(some: list[tuple[int, int]]) -> None:
    out = io.BytesIO()
    stream = Stream(out)
    nest = Nest(stream, lambda: stream.track("x", alike=True))
    some.sort(key=lambda span: (span[0], -span[1]))
    for start_ns, end_ns in some:
        nest.add(start_ns, end_ns, f"{start_ns}-{end_ns}", {})
    nest.close()
    stream.flush()
    found = read(out.getvalue())
    assert sorted((one.start_ns, one.end_ns) for one in found.slices) == sorted(some)
    assert all(one.name == f"{one.start_ns}-{one.end_ns}" for one in found.slices)
