"""Rows of a snapshot for CPUs and interrupts. Their stages are made when somebody looks at them: few are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netlat_tui.model.codes import Region
from netlat_tui.model.intervals import Intervals
from netlat_tui.model.later import Later
from netlat_tui.model.points import DIRECTION_OF, GAUGE, N_STAGES, Direction
from netlat_tui.model.snapshot import CpuRow, DelayRow, Distribution, IrqRow, StageRow, Taken, TotalRow
from netlat_tui.model.ticks import IrqInfo, Rows, Scope

_OF_CPU = (GAUGE["softirq_wait"], GAUGE["softirq_run"])
_OF_IRQ = (GAUGE["irq_handler"], GAUGE["irq_to_poll"])


def cpu_rows(made: Intervals, numbers: Sequence[int], counted: Rows) -> tuple[CpuRow, ...]:
    """Rows of these CPUs; ``counted`` are ``CPU_ROW`` rows, of some of them."""
    regions = [Region(Scope.CPU, cpu) for cpu in numbers]
    counts = _by_number(counted, numbers)
    found = zip(regions, counts, made.of_each(regions, _OF_CPU), strict=True)
    return tuple(_cpu(made, region, row, *values) for region, row, values in found)


def irq_rows(
    made: Intervals, numbers: Sequence[int], counted: Rows, about: Mapping[int, IrqInfo]
) -> tuple[IrqRow, ...]:
    """The same for interrupts; ``about`` says what is known of them."""
    regions = [Region(Scope.IRQ, irq) for irq in numbers]
    counts = _by_number(counted, numbers)
    found = zip(regions, counts, made.of_each(regions, _OF_IRQ), strict=True)
    return tuple(
        _irq(made, region, row, about.get(region.key, IrqInfo(region.key, "")), *values)
        for region, row, values in found
    )


def taken(made: Intervals, rows: Sequence[CpuRow | IrqRow], dist: int) -> tuple[Taken, ...]:
    """What each of these has of a stage, a delay or whole paths, where it has any: of all of them at once."""
    if made.direction not in (None, DIRECTION_OF.get(dist)):
        return ()
    if dist >= N_STAGES:  # delays and whole paths are counted by CPU only
        rows = [row for row in rows if isinstance(row, CpuRow)]
    regions = [Region(Scope.CPU, row.cpu) if isinstance(row, CpuRow) else Region(Scope.IRQ, row.irq) for row in rows]
    found = zip(rows, regions, made.of_each(regions, [dist]), strict=True)
    return tuple(
        Taken(row, values.count / made.seconds, values, made.past.of(region.code(dist)))
        for row, region, (values,) in found
        if values.count
    )


def packets_of(cpus: Rows, direction: Direction | None) -> int:
    """Packets of ``CPU_ROW`` rows that went this way; both ways for ``None``."""
    return _went(int(cpus["packets"].sum()), int(cpus["sent"].sum()), direction)


def _went(every: int, sent: int, direction: Direction | None) -> int:
    sent = min(sent, every)
    return every if direction is None else sent if direction is Direction.TX else every - sent


def _by_number(counted: Rows, numbers: Sequence[int]) -> list[dict[str, int]]:
    """The fields of each number's row, whose first it is; zeros where it has none."""
    names = counted.dtype.names or ()
    rows = {row[0]: row for row in counted.tolist()}
    none = (0,) * len(names)
    return [dict(zip(names, rows.get(number, none), strict=True)) for number in numbers]


def _cpu(made: Intervals, region: Region, row: Mapping[str, int], wait: Distribution, run: Distribution) -> CpuRow:
    stages = Later(lambda: made.stages([region], region))

    def delays() -> tuple[DelayRow, ...]:
        return tuple(delay for delay in made.delays([region], region, ()) if delay.values.count)

    def totals() -> tuple[TotalRow, ...]:
        return made.totals([region], region, {stage.direction for stage in stages()})

    return CpuRow(
        cpu=region.key,
        packets=row["packets"],
        packet_rate=row["packets"] / made.seconds,
        sent_rate=_went(row["packets"], row["sent"], Direction.TX) / made.seconds,
        softirqs=row["softirqs"],
        softirq_share=row["softirq_ns"] / (made.seconds * 1e9),
        ksoftirqd=row["ksoftirqd"],
        squeezed=row["squeezed"],
        backlog_dropped=row["backlog_dropped"],
        softirq_wait=wait,
        softirq_run=run,
        later_stages=stages,
        later_delays=Later(delays),
        later_totals=Later(totals),
        trend=made.past.of_cpu(region.key, region.code(GAUGE["softirq_wait"])),
        estimated=made.estimated,
    )


def _irq(
    made: Intervals, region: Region, row: Mapping[str, int], info: IrqInfo, handler: Distribution, to_poll: Distribution
) -> IrqRow:
    def stages() -> tuple[StageRow, ...]:
        return made.stages([region], region)

    return IrqRow(
        irq=region.key,
        info=info,
        count=row["count"],
        rate=row["count"] / made.seconds,
        packets=row["packets"],
        ambiguous=row["ambiguous"],
        handler=handler,
        irq_to_poll=to_poll,
        later_stages=Later(stages),
        trend=made.past.of_irq(region.key, region.code(GAUGE["irq_to_poll"])),
        estimated=made.estimated,
    )
