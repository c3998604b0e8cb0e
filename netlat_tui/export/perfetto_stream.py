"""What a Perfetto trace is made of: tracks, slices, arrows and counters, written as they come.

The messages are those of the package ``perfetto``. A file of them joined together is one trace, in whatever order their
times are: what reads it sorts them. Of the same time, those that come first in the file come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

Value = str | int | None

LATEST_NS = (1 << 63) - 1
"""Perfetto's times are signed."""

_PORTION = 2048  # messages written at once
_KEPT_NAMES = 4096  # of slices, said once; others are said each time
_SEQUENCE = 1  # all of them are of one writer
_EVENT = pb.TrackEvent


class Stream:
    """A trace that is being written. Times are CLOCK_MONOTONIC; ``sync`` says what UNIX time that is."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._held = pb.Trace()
        self._tracks = 0
        self._names: dict[str, int] = {}
        self._arguments: dict[str, int] = {}
        first = self._packet()
        first.sequence_flags = pb.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        first.trace_packet_defaults.timestamp_clock_id = pb.BUILTIN_CLOCK_MONOTONIC

    def _packet(self) -> pb.TracePacket:
        if len(self._held.packet) >= _PORTION:
            self.flush()
        packet = self._held.packet.add()
        packet.trusted_packet_sequence_id = _SEQUENCE
        return packet

    def flush(self) -> None:
        self._out.write(self._held.SerializeToString())
        self._held.Clear()

    def system(self, kernel: str, machine: str) -> None:
        names = self._packet().system_info.utsname
        names.sysname, names.release, names.machine = "Linux", kernel, machine

    def sync(self, mono_ns: int, unix_ns: int) -> None:
        """Both clocks at one moment."""
        snapshot = self._packet().clock_snapshot
        snapshot.primary_trace_clock = pb.BUILTIN_CLOCK_MONOTONIC
        for clock, time_ns in ((pb.BUILTIN_CLOCK_MONOTONIC, mono_ns), (pb.BUILTIN_CLOCK_REALTIME, unix_ns)):
            snapshot.clocks.add(clock_id=clock, timestamp=min(time_ns, LATEST_NS))

    def track(self, name: str, parent: int = 0, rank: int = 0, text: str = "", alike: bool = False) -> int:
        """A track below another; those below one are in the order of their ranks.

        Neighbours of one name that are ``alike`` are shown as one track, as high as it takes.
        """
        made = self._track(name, parent, rank, text)
        kind = pb.TrackDescriptor
        made.sibling_merge_behavior = (
            kind.SIBLING_MERGE_BEHAVIOR_BY_TRACK_NAME if alike else kind.SIBLING_MERGE_BEHAVIOR_NONE
        )
        return self._tracks

    def counter(self, name: str, parent: int, rank: int, unit: str, text: str = "") -> int:
        """A track of numbers."""
        made = self._track(name, parent, rank, text)
        if unit == "ns":
            made.counter.unit = pb.CounterDescriptor.UNIT_TIME_NS
        else:
            made.counter.unit_name = unit
        return self._tracks

    def _track(self, name: str, parent: int, rank: int, text: str) -> pb.TrackDescriptor:
        self._tracks += 1
        made = self._packet().track_descriptor
        made.uuid, made.name, made.sibling_order_rank = self._tracks, name, rank
        made.child_ordering = pb.TrackDescriptor.EXPLICIT
        if parent:
            made.parent_uuid = parent
        if text:
            made.description = text
        return made

    def number(self, track: int, time_ns: int, value: float) -> None:
        """What a counter is from this moment on."""
        packet = self._packet()
        packet.timestamp = time_ns
        event = packet.track_event
        event.type, event.track_uuid, event.double_counter_value = _EVENT.TYPE_COUNTER, track, value

    def begin(
        self, track: int, time_ns: int, name: str, arguments: Mapping[str, Value] | None = None, flow: int = 0
    ) -> None:
        """A slice begins. Arrows lead from each event of a ``flow`` to its next."""
        self._event(_EVENT.TYPE_SLICE_BEGIN, track, time_ns, name, arguments, flow)

    def instant(
        self, track: int, time_ns: int, name: str, arguments: Mapping[str, Value] | None = None, flow: int = 0
    ) -> None:
        self._event(_EVENT.TYPE_INSTANT, track, time_ns, name, arguments, flow)

    def end(self, track: int, time_ns: int) -> None:
        """The slice that began last on this track, of those that go on, ends."""
        packet = self._packet()
        packet.timestamp = time_ns
        packet.track_event.type, packet.track_event.track_uuid = _EVENT.TYPE_SLICE_END, track

    def _event(
        self,
        kind: pb.TrackEvent.Type.ValueType,
        track: int,
        time_ns: int,
        name: str,
        arguments: Mapping[str, Value] | None,
        flow: int,
    ) -> None:
        packet = self._packet()
        packet.timestamp = time_ns
        packet.sequence_flags = pb.TracePacket.SEQ_NEEDS_INCREMENTAL_STATE
        event = packet.track_event
        event.type, event.track_uuid = kind, track
        known = self._names.get(name)
        if known is None and len(self._names) < _KEPT_NAMES:
            known = self._names[name] = len(self._names) + 1
            packet.interned_data.event_names.add(iid=known, name=name)
        if known is None:
            event.name = name
        else:
            event.name_iid = known
        if flow:
            event.flow_ids.append(flow)
        for key, value in (arguments or {}).items():
            if value is None or value == "":
                continue
            number = self._arguments.get(key)
            if number is None:
                number = self._arguments[key] = len(self._arguments) + 1
                packet.interned_data.debug_annotation_names.add(iid=number, name=key)
            made = event.debug_annotations.add()
            made.name_iid = number
            if isinstance(value, str):
                made.string_value = value
            else:
                made.uint_value = value
