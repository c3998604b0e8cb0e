"""Points and stages: the one place where they are defined.

The kernel side's constants are generated from these tables (``netlat_tui.bpf.constants``), the screens, files and
documents take their names from them. A *point* is a place in the kernel where a packet is seen, a *stage* the interval
between two consecutive points that were observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache


class Direction(IntEnum):
    """Which way a packet goes; the value is the one the kernel side uses."""

    RX = 0
    TX = 1

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the kernel where a packet is seen.

    ``index`` is the point's position on the way of its direction: a packet passes points in rising order.
    ``place`` is the index in ``PLACES`` of the part of the stack the packet has reached at this point.
    ``within_ns`` is what nearly all packets take to it from the point before on an idle machine, 0 where that is up
    to others; ``slow`` says of what it is when it takes longer.
    """

    direction: Direction
    index: int
    key: str
    place: int
    summary: str
    label: str = ""
    within_ns: int = 0
    slow: str = ""

    @property
    def name(self) -> str:
        """The word shown to people; differs from ``key`` only where two points share a word."""
        return self.label or self.key

    @property
    def normal(self) -> str:
        """What is normal of the way to it from the point before, as a clause; "" where a packet begins."""
        if self.place == ELSEWHERE or self.index == 0:
            return _RARE.get(self.key, "")
        if not self.within_ns:
            return f"normally soon after a reader that waits has a CPU, else when it comes; longer: {self.slow}"
        return f"normally below {_round(self.within_ns)} after the point before; longer: {self.slow}"


PLACES: dict[Direction, tuple[str, ...]] = {
    Direction.RX: ("interface", "data link", "network", "transport", "application"),
    Direction.TX: ("application", "transport", "network", "data link", "interface"),
}
"""Parts of the stack in the order a packet reaches them."""

ELSEWHERE = -1
"""Place of the points that end a path wherever it has got to."""

_RARE = {
    "drop": "normally few packets or none end here; the path names the kernel's reason",
    "forward": "normally none on a host that does not route; where it does, below 50 µs from the link layer",
}

_US = 1000

# Read off the bundled recording, a virtual machine with little to do and tracing on, and rounded up to what the slowest
# tenth or hundredth took; where no hook was to be had there, the point's part of the stage that spans it. Nothing was
# measured of a real card: `irq`, `raise` after it, `driver`, `gro` and `complete` are what its drivers are built for.
_RX: tuple[tuple[str, int, str, int, str], ...] = (
    ("irq", 0, "the interface's hard interrupt handler was entered", 0, ""),
    (
        "raise", 0, "the NET_RX softirq was asked for; for a backlog device, the packet was put on the backlog",
        5 * _US, "a slow interrupt handler",
    ),
    (
        "softirq", 0, "the NET_RX softirq began to run",
        10 * _US, "other softirqs, ksoftirqd, a real-time task, interrupts held off",
    ),
    ("poll", 0, "the NAPI poll that fetched the packet began", 5 * _US, "devices polled before"),
    ("driver", 1, "the driver handed over the frame (eth_type_trans)", 10 * _US, "packets of the same poll"),
    ("gro", 1, "generic receive offload got the packet", 2 * _US, "the driver's work on it"),
    (
        "link", 1, "the link layer got the packet (netif_receive_skb, after RPS)",
        10 * _US, "GRO that waits for more, RPS to a busy CPU",
    ),
    ("ip", 2, "IP checked the header (ip_rcv_core, ip6_rcv_core)", 5 * _US, "taps, bridges, tc filters"),
    (
        "local", 3, "IP found the packet to be for this host (ip_local_deliver, ip6_input)",
        5 * _US, "netfilter, routing",
    ),
    ("transport", 3, "TCP, UDP or ICMP got the packet", 5 * _US, "netfilter, fragments to wait for"),
    ("socket", 4, "the packet was put on the socket's receive queue", 10 * _US, "a busy socket's backlog"),
    (
        "wakeup", 4, "the reader, woken for the packet, was given a CPU",
        200 * _US, "a CPU that is busy with others or deep asleep",
    ),
    (
        "copy", 4, "the last byte of the packet was copied to the reader",
        0, "an application that does not come to read",
    ),
    (
        "return", 4, "the reader's receive call was about to return",
        50 * _US, "several packets in one read, memory to be fetched",
    ),
    ("drop", ELSEWHERE, "the kernel dropped the packet (kfree_skb with a reason)", 0, ""),
    ("forward", ELSEWHERE, "the packet was handed to another interface's queue", 0, ""),
)  # fmt: skip

_TX: tuple[tuple[str, int, str, str, int, str], ...] = (
    ("send", 0, "the application's send call reached the socket layer", "", 0, ""),
    (
        "tx_transport", 1, "TCP or UDP built and sent the segment", "transport",
        20 * _US, "TCP without a window, losses",
    ),
    ("ip_out", 2, "IP sent the packet (ip_output, ip6_output)", "", 5 * _US, "routing, netfilter"),
    (
        "device", 3, "the packet reached the device queue (net_dev_queue)", "",
        10 * _US, "netfilter, a neighbour's address to ask for",
    ),
    ("qdisc_in", 3, "the packet was put into the queueing discipline", "", 5 * _US, "a contended queue"),
    (
        "qdisc_out", 3, "the packet was taken out of the queueing discipline", "",
        10 * _US, "shaping, a queue that is full",
    ),
    (
        "xmit", 4, "the packet was handed to the driver (net_dev_start_xmit)", "",
        5 * _US, "a busy device, a segment to be cut up",
    ),
    (
        "complete", 4, "the driver was done with the packet", "",
        1000 * _US, "a full ring, the wire, a completion put off until the next send",
    ),
    ("drop", ELSEWHERE, "the kernel dropped the packet (kfree_skb with a reason)", "", 0, ""),
)  # fmt: skip

POINTS: dict[Direction, tuple[Point, ...]] = {
    Direction.RX: tuple(
        Point(Direction.RX, i, key, place, summary, "", within, slow)
        for i, (key, place, summary, within, slow) in enumerate(_RX)
    ),
    Direction.TX: tuple(
        Point(Direction.TX, i, key, place, summary, label, within, slow)
        for i, (key, place, summary, label, within, slow) in enumerate(_TX)
    ),
}
"""Every point, by direction, in the order a packet passes them."""

MAX_POINTS = 16
"""Slots for point times in a flight and in a path record: the longer of the two ways."""

_BY_KEY: dict[tuple[Direction, str], Point] = {
    (point.direction, point.key): point for points in POINTS.values() for point in points
}


def point(key: str, direction: Direction = Direction.RX) -> Point:
    """The point with this key; ``KeyError`` where there is none."""
    return _BY_KEY[direction, key]


def stage_count(direction: Direction) -> int:
    """How many (from, to) pairs the direction has."""
    n = len(POINTS[direction])
    return n * (n - 1) // 2


@dataclass(frozen=True, slots=True)
class Stage:
    """The interval between two points of one direction. ``id`` is unique over both directions."""

    id: int
    direction: Direction
    start: Point
    end: Point

    @property
    def name(self) -> str:
        """``link→socket``: both ends are named, so a stage that spans a hidden point says so."""
        return f"{self.start.name}→{self.end.name}"

    @property
    def ascii_name(self) -> str:
        return f"{self.start.name}->{self.end.name}"

    @property
    def layer_key(self) -> tuple[int, int]:
        """Sort key of the layer: (place it starts in, place it reaches)."""
        start, end = self.start.place, self.end.place
        if end == ELSEWHERE:
            end = start
        if start == end == 0:
            return (0, 0)
        return (end - 1, end) if start == end else (start, end)

    @property
    def layer(self) -> str:
        """The layer the stage is grouped under.

        A stage within one place belongs to the layer that leads there (``gro→link`` to ``interface→data link``);
        one that spans places whose border the kernel hides has a layer of its own that says so
        (``link→socket`` is ``data link→application``).
        """
        start, end = self.layer_key
        places = PLACES[self.direction]
        if start == end:
            return "interrupt" if self.direction is Direction.RX else places[0]
        return f"{places[start]}→{places[end]}"

    @property
    def summary(self) -> str:
        """What it is, from end to end, as a clause."""
        return f"from when {self.start.summary} to when {self.end.summary}"

    @property
    def normal(self) -> str:
        """What is normal of it on an idle machine, as a clause; what it spans adds up."""
        if self.end.place == ELSEWHERE:
            return self.end.normal
        return normal_way(POINTS[self.direction][self.start.index + 1 : self.end.index + 1])

    @property
    def sentence(self) -> str:
        return f"{self.summary}; {self.normal}"


@lru_cache
def normal_way(points: tuple[Point, ...]) -> str:
    """What is normal of the way that leads to these points, one after the other, as a clause."""
    keys = [point.key for point in points]
    reasons = list(dict.fromkeys(reason for point in points for reason in point.slow.split(", ") if reason))
    longer = f"longer: {', '.join(reasons[-_MOST_REASONS:])}"
    below = _round(sum(point.within_ns or _COPY_NS for point in points))
    if "copy" in keys:  # whether its reader waits for a packet is the reader's choice
        return f"normally below {below} where a reader waits for it, else as long as that stays away; {longer}"
    return f"normally below {below} on an idle machine; {longer}"


_MOST_REASONS = 5
_COPY_NS = 20 * _US
"""What a reader that was woken and has a CPU takes to have the packet."""


def _round(ns: int) -> str:
    """In two digits: it is no more exact than that."""
    ns = -(-ns // 10_000) * 10_000 if ns > 100_000 else ns
    return f"{ns // 1_000_000} ms" if ns >= 1_000_000 else f"{ns // _US} µs"


def _build_stages() -> tuple[Stage, ...]:
    stages: list[Stage] = []
    for direction in Direction:
        points = POINTS[direction]
        for end in range(1, len(points)):
            for start in range(end):
                stages.append(Stage(len(stages), direction, points[start], points[end]))
    return tuple(stages)


STAGES: tuple[Stage, ...] = _build_stages()
"""Every stage by id: ``base(direction) + end * (end - 1) / 2 + start``, as the kernel side computes it."""

N_STAGES = len(STAGES)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A distribution kept beside the stages: per interrupt or per softirq run, not per packet."""

    id: int
    key: str
    summary: str
    normal: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.summary}; {self.normal}" if self.normal else self.summary


GAUGES: tuple[Gauge, ...] = (
    Gauge(
        N_STAGES,
        "softirq_wait",
        "raise→softirq of every NET_RX run, whether or not a packet of the filter was in it",
        "normally below 10 µs",
    ),
    Gauge(
        N_STAGES + 1, "softirq_run", "how long a NET_RX run took", "normally below 100 µs; it is cut off after some ms"
    ),
    Gauge(N_STAGES + 2, "irq_handler", "how long the hard interrupt's handler took", "normally below 10 µs"),
    Gauge(
        N_STAGES + 3,
        "irq_to_poll",
        "from the interrupt to the start of the first poll it caused",
        "normally below 20 µs",
    ),
    Gauge(
        N_STAGES + 4,
        "total",
        "first to last point of every received packet that was read",
        "normally below 500 µs where its reader was waiting for it, else as long as that stays away",
    ),
    Gauge(
        N_STAGES + 5,
        "total_tx",
        "first to last point of every sent packet the driver was done with",
        "normally below 100 µs, and until the driver says that it is done where it does",
    ),
    Gauge(N_STAGES + 6, "to_link", "from the interrupt, or what asked for the softirq, to the data link layer"),
    Gauge(N_STAGES + 7, "to_network", "from the data link layer to IP"),
    Gauge(N_STAGES + 8, "to_transport", "from IP to the transport layer"),
    Gauge(N_STAGES + 9, "to_application", "from the transport layer to the socket's queue"),
    Gauge(N_STAGES + 10, "to_read", "from the socket's queue to the reader's return"),
)
N_DISTRIBUTIONS = N_STAGES + len(GAUGES)
"""Stages and gauges together: distributions per region (CPU or IRQ) of the kernel's histogram array."""

GAUGE_BY_KEY: dict[str, Gauge] = {gauge.key: gauge for gauge in GAUGES}
GAUGE: dict[str, int] = {gauge.key: gauge.id for gauge in GAUGES}

TOTAL: dict[Direction, int] = {Direction.RX: GAUGE["total"], Direction.TX: GAUGE["total_tx"]}
"""The gauge of whole paths, by direction."""


@dataclass(frozen=True, slots=True)
class Delay:
    """One of the delays a received packet has on its way up, whatever was seen in between.

    It runs from the first point observed of ``starts`` to the first observed of ``ends`` (keys of RX points); where
    neither side of it has one it is not counted. ``name`` is the layer's.
    """

    gauge: int
    name: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]

    @property
    def summary(self) -> str:
        starts, ends = ", ".join(self.starts), ", ".join(self.ends)
        return f"received packets, from the first point seen of {starts} to the first seen of {ends}"

    @property
    def normal(self) -> str:
        """As of the longest stage it can be: from the first of its starts to the last of its ends."""
        start, end = point(self.starts[0]).index, point(self.ends[-1]).index
        return normal_way(POINTS[Direction.RX][start + 1 : end + 1])


_INTERFACE, _LINK = ("irq", "raise", "softirq", "poll"), ("driver", "gro", "link")
DELAYS: tuple[Delay, ...] = (
    Delay(GAUGE["to_link"], "interface→data link", _INTERFACE, _LINK),
    Delay(GAUGE["to_network"], "data link→network", _LINK, ("ip",)),
    Delay(GAUGE["to_transport"], "network→transport", ("ip",), ("local",)),
    Delay(GAUGE["to_application"], "transport→application", ("local",), ("socket",)),
    Delay(GAUGE["to_read"], "application→read", ("socket",), ("return",)),
)
"""In the order a packet has them. The driver is seen in ``eth_type_trans``; lo and veth begin at ``link``."""


DIRECTION_OF: dict[int, Direction] = (
    {stage.id: stage.direction for stage in STAGES}
    | {delay.gauge: Direction.RX for delay in DELAYS}
    | {gauge: direction for direction, gauge in TOTAL.items()}
)
"""The direction of every distribution of packets: stages, delays, whole paths."""


def stage_base(direction: Direction) -> int:
    """The id of the first stage of a direction."""
    return 0 if direction is Direction.RX else stage_count(Direction.RX)


def stage_id(direction: Direction, start: int, end: int) -> int:
    """Id of the stage between two point indexes, ``start < end``; ``ValueError`` otherwise."""
    if not 0 <= start < end < len(POINTS[direction]):
        raise ValueError(f"no stage leads from point {start} to point {end}")
    return stage_base(direction) + end * (end - 1) // 2 + start


@lru_cache(maxsize=1)
def stages_by_name() -> dict[str, tuple[Stage, ...]]:
    """Stages by the words a filter may use: ``link→socket``, ``link->socket``; a point's name for all ending there."""
    names: dict[str, list[Stage]] = {}
    for stage in STAGES:
        for word in (stage.name, stage.ascii_name, stage.end.name):
            names.setdefault(word, []).append(stage)
    return {name: tuple(stages) for name, stages in names.items()}


class Outcome(IntEnum):
    """How a path ended; the values are the kernel side's."""

    COMPLETE = 1
    MERGED = 2
    DROPPED = 3
    FORWARDED = 4
    CONSUMED = 5
    EVICTED = 6
    EXPIRED = 7

    @property
    def label(self) -> str:
        return self.name.lower()


class IrqClass(IntEnum):
    """How a packet came to be polled; the values are the kernel side's."""

    UNKNOWN = 0
    IRQ = 1
    REPOLL = 2
    BUSY_POLL = 3
    THREADED = 4
    TIMER = 5
    RPS = 6
    LOCAL = 7
    AMBIGUOUS = 8

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", "-")
