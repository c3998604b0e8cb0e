"""Snapshots: the immutable view that screens and exports are drawn from (ticks × window × filter).

This module holds the types; ``netlat_tui.model.derive`` makes them from ticks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netlat_tui.model.flows import Flows
from netlat_tui.model.gaps import Between
from netlat_tui.model.heat import Heat, Span
from netlat_tui.model.histogram import Counts
from netlat_tui.model.later import Later
from netlat_tui.model.points import Delay, Direction, Point, Stage
from netlat_tui.model.ticks import Hook, IfaceInfo, IfaceSetup, IrqInfo, Rows

if TYPE_CHECKING:
    from netlat_tui.model.baseline import Against
    from netlat_tui.model.spread import Spread


@dataclass(frozen=True, slots=True)
class Distribution:
    """What was counted of one interval over the window. Times in ns; ``None`` where nothing was counted."""

    count: int
    sum_ns: int
    min_ns: int | None
    max_ns: int | None
    p50_ns: int | None
    p90_ns: int | None
    p99_ns: int | None
    p999_ns: int | None
    buckets: Counts = field(repr=False, compare=False)
    estimated: bool = False  # counted in part: count and sum are scaled

    @property
    def mean_ns(self) -> float | None:
        return self.sum_ns / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Trend:
    """One value per tick, oldest first, at most ``History.trend_length``; ``None``: nothing was counted."""

    rate: tuple[float, ...] = ()  # per second
    p99_ns: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage over the window. ``share`` is its part (0…1) of the time of all stages of its direction."""

    stage: Stage
    rate: float  # per second
    share: float
    values: Distribution
    trend: Trend

    @property
    def direction(self) -> Direction:
        return self.stage.direction


@dataclass(frozen=True, slots=True)
class DelayRow:
    """One of the delays of ``points.DELAYS`` over the window.

    ``missing`` says why nothing of it was counted though packets were seen; "" where something was.
    """

    delay: Delay
    rate: float  # per second
    values: Distribution
    trend: Trend
    missing: str = ""


@dataclass(frozen=True, slots=True)
class TotalRow:
    """Whole paths of a direction over the window: from their first to their last point."""

    direction: Direction
    rate: float  # per second
    values: Distribution
    trend: Trend


@dataclass(frozen=True, slots=True)
class DropRow:
    """One kind of drop over the window: who dropped, why, and how far the packets had come."""

    number: int  # skb_drop_reason of this kernel
    reason: str  # its name
    location: int  # address that dropped; 0: not known
    symbol: str  # its name; "" where it has none, or the kernel hides it
    where: str  # the symbol, or what is known instead of it
    direction: Direction
    point: Point | None  # the last point they had reached; None: they were seen at none
    count: int
    rate: float  # per second
    trend: Trend  # drops/s
    paths: Rows = field(repr=False, compare=False)  # PATH rows that match the filter, newest first
    estimated: bool = False  # counted in part, and scaled

    @property
    def key(self) -> tuple[int, int, Direction, int | None]:
        """The same in every snapshot."""
        return self.number, self.location, self.direction, self.point.index if self.point else None

    @property
    def reached(self) -> str:
        return self.point.name if self.point else "-"


@dataclass(frozen=True, slots=True)
class CpuRow:
    """A CPU over the window. Counts are totals of the window, rates per second."""

    cpu: int
    packets: int  # both ways
    packet_rate: float
    sent_rate: float  # of them, on their way out
    softirqs: int
    softirq_share: float  # 0…1 of the window's time spent in NET_RX
    ksoftirqd: int  # NET_RX runs in ksoftirqd
    squeezed: int
    backlog_dropped: int
    softirq_wait: Distribution  # raise→softirq per run
    softirq_run: Distribution
    trend: Trend  # packets/s, p99 of raise→softirq
    later_stages: Later[tuple[StageRow, ...]] = field(repr=False, compare=False)
    later_delays: Later[tuple[DelayRow, ...]] = field(repr=False, compare=False)
    later_totals: Later[tuple[TotalRow, ...]] = field(repr=False, compare=False)
    estimated: bool = False  # its packets were counted in part

    @property
    def stages(self) -> tuple[StageRow, ...]:
        return self.later_stages()

    @property
    def delays(self) -> tuple[DelayRow, ...]:
        """Only those that were counted."""
        return self.later_delays()

    @property
    def totals(self) -> tuple[TotalRow, ...]:
        return self.later_totals()


@dataclass(frozen=True, slots=True)
class IrqRow:
    """An interrupt over the window. ``irq`` is the kernel's number."""

    irq: int
    info: IrqInfo
    count: int
    rate: float
    packets: int
    ambiguous: int  # packets that may as well be another interrupt's
    handler: Distribution
    irq_to_poll: Distribution
    trend: Trend  # interrupts/s, p99 of irq→poll
    later_stages: Later[tuple[StageRow, ...]] = field(repr=False, compare=False)
    estimated: bool = False  # its packets were counted in part

    @property
    def stages(self) -> tuple[StageRow, ...]:
        return self.later_stages()


@dataclass(frozen=True, slots=True)
class Taken:
    """What one CPU or interrupt has of a stage, a delay or whole paths."""

    scope: CpuRow | IrqRow
    rate: float  # per second
    values: Distribution
    trend: Trend


LOSSES = ("evicted", "expired", "ring_lost", "probe_misses", "rejected_deltas")
"""Counters of what the tracer could not follow or show."""


@dataclass(frozen=True, slots=True)
class Accounting:
    """DESIGN.md's equation, and what stands beside it. Counts over the whole run, not the window."""

    seen: int = 0
    complete: int = 0
    merged: int = 0
    dropped: int = 0
    forwarded: int = 0
    consumed: int = 0
    evicted: int = 0
    expired: int = 0
    in_flight: int = 0
    filtered: int = 0
    unmatched: int = 0
    rejected_deltas: int = 0
    ring_lost: int = 0
    paths_held_back: int = 0
    paths_sent: int = 0
    probe_misses: int = 0
    irq_overflow: int = 0

    @property
    def difference(self) -> int:
        """``seen`` minus everything that became of the packets: 0 where the books balance."""
        return self.seen - (
            self.complete + self.merged + self.dropped + self.forwarded
            + self.consumed + self.evicted + self.expired + self.in_flight
        )  # fmt: skip

    @property
    def lost(self) -> int:
        """All of ``LOSSES``: the status line's figure."""
        return sum(getattr(self, name) for name in LOSSES)


@dataclass(frozen=True, slots=True)
class SelfView:
    """The tracer's own cost over the window; ``None`` where it was not measured."""

    kernel_ns_per_packet: float | None = None
    kernel_cpu_share: float | None = None  # 0…1 of all CPUs
    user_cpu_share: float = 0.0  # of one CPU
    rss_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The view of one moment. Built by ``History.snapshot``; never changed afterwards."""

    time_ns: int  # UNIX time of the newest tick
    mono_ns: int
    window_ns: int  # the time the figures cover
    ticks: int  # ticks the figures cover
    direction: Direction | None  # None: both
    filter: str  # the filter as the user wrote it
    kernel_filter: str  # the part the kernel decided on
    user_filter: str  # the part that only selected paths
    packet_rate: float
    stages: tuple[StageRow, ...]  # by direction, layer, then order on the way; only those that were counted
    delays: tuple[DelayRow, ...]  # in the order of points.DELAYS, counted or not; none where only TX is shown
    totals: tuple[TotalRow, ...]  # of the directions shown; of both, only those that were counted
    total: Distribution  # the first of these
    cpus: tuple[CpuRow, ...]
    irqs: tuple[IrqRow, ...]
    drops: tuple[DropRow, ...]  # most first
    drops_of_no_kind: int  # dropped packets of the window whose kind is not known
    latest: Rows  # PATH rows that match the filter, newest first
    slowest: Rows  # PATH rows of the window that match the filter, longest total first
    peers: Rows  # PATH rows named as peers by those above, of whichever window, as far as they are retained
    paths_in_window: int  # paths of the window, before the user filter
    accounting: Accounting
    self_view: SelfView
    hooks: tuple[Hook, ...]
    taken: Callable[[int], tuple[Taken, ...]] = field(
        repr=False, compare=False
    )  # by whom, of the distribution of an id
    under_way: Between = field(
        repr=False, compare=False
    )  # recent paths that may have been under way between two times (CLOCK_MONOTONIC)
    spread: Spread = field(repr=False, compare=False)  # how the window differs within itself
    heat: Callable[[int, int], Heat] = field(
        repr=False, compare=False
    )  # the distribution of an id tick by tick: those of the window, and at least so many
    paths_in: Callable[[Span], Rows] = field(
        repr=False, compare=False
    )  # PATH rows that match the filter, latest first, of whichever window, as far as they are retained
    later_flows: Later[Flows] = field(repr=False, compare=False, default_factory=lambda: Later(Flows))
    reasons: dict[int, str] = field(repr=False, default_factory=dict)
    ifaces: tuple[IfaceInfo, ...] = ()
    symbols: dict[int, str] = field(repr=False, default_factory=dict)
    every: int = 1  # at the most, one packet in so many was counted: above 1 the figures are estimates
    retransmitted: int = 0  # of the packets sent in the window: TCP had sent their bytes before
    setups: tuple[IfaceSetup, ...] = ()  # of the interfaces of the tracer's own namespace
    held_back: str = ""  # what is not measured now to stay within the budget (Tick.held_back)
    against: Against | None = field(repr=False, compare=False, default=None)  # a baseline, where one is pinned

    @property
    def flows(self) -> Flows:
        return self.later_flows()
