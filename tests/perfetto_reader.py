"""A trace for Perfetto as the classes of its own package read it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb


@dataclass
class Slice:
    """A slice or an instant, as a reader understands the events of its track."""

    name: str
    track: int
    start_ns: int
    end_ns: int = -1
    parent: Slice | None = None
    told: dict[str, str | int] = field(default_factory=dict)
    flows: tuple[int, ...] = ()


@dataclass
class Read:
    tracks: dict[int, pb.TrackDescriptor]
    slices: list[Slice]
    numbers: dict[str, list[tuple[int, float]]]
    clocks: list[dict[int, int]]

    def root(self, track: int) -> str:
        while self.tracks[track].parent_uuid:
            track = self.tracks[track].parent_uuid
        return self.tracks[track].name

    def below(self, root: str) -> list[Slice]:
        return [one for one in self.slices if self.root(one.track) == root]

    @property
    def packets(self) -> list[Slice]:
        return [one for one in self.below("Packets") if one.parent is None]


def read(data: bytes) -> Read:
    """The whole trace; every slice must be closed, none negative, and on its track each within another or apart."""
    tracks, names, arguments = {}, {}, {}
    events, clocks = [], []
    for packet in pb.Trace.FromString(data).packet:
        names.update((entry.iid, entry.name) for entry in packet.interned_data.event_names)
        arguments.update((entry.iid, entry.name) for entry in packet.interned_data.debug_annotation_names)
        if packet.HasField("track_descriptor"):
            assert packet.track_descriptor.parent_uuid in (0, *tracks), "a track is said before those below it"
            assert tracks.setdefault(packet.track_descriptor.uuid, packet.track_descriptor) is packet.track_descriptor
        elif packet.HasField("clock_snapshot"):
            clocks.append({clock.clock_id: clock.timestamp for clock in packet.clock_snapshot.clocks})
        elif packet.HasField("track_event"):
            events.append(packet)
    slices: list[Slice] = []
    numbers: dict[str, list[tuple[int, float]]] = defaultdict(list)
    going_on: dict[int, list[Slice]] = defaultdict(list)
    kinds = pb.TrackEvent
    for packet in sorted(events, key=lambda packet: packet.timestamp):
        event, track = packet.track_event, packet.track_event.track_uuid
        assert track in tracks
        if event.type == kinds.TYPE_COUNTER:
            numbers[tracks[track].name].append((packet.timestamp, event.double_counter_value))
        elif event.type == kinds.TYPE_SLICE_END:
            going_on[track].pop().end_ns = packet.timestamp
        else:
            told = {arguments[a.name_iid]: a.string_value or a.uint_value for a in event.debug_annotations}
            parent = going_on[track][-1] if going_on[track] else None
            name = names[event.name_iid] if event.name_iid else event.name
            made = Slice(name, track, packet.timestamp, parent=parent, told=told, flows=tuple(event.flow_ids))
            slices.append(made)
            if event.type == kinds.TYPE_INSTANT:
                made.end_ns = made.start_ns
            else:
                going_on[track].append(made)
    assert not any(going_on.values()), "every slice is closed"
    for one in slices:
        assert one.end_ns >= one.start_ns
        assert one.parent is None or one.parent.start_ns <= one.start_ns <= one.end_ns <= one.parent.end_ns
    return Read(tracks, slices, numbers, clocks)
