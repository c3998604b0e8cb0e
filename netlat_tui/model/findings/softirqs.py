"""Receiving CPUs: softirqs that start late, that do not come to their end, or that one CPU has all of."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from statistics import median

from netlat_tui.model.findings.facts import Facts, share_of
from netlat_tui.model.findings.finding import Figure, Finding, Severity, Unit, View
from netlat_tui.model.findings.limits import (
    AMONG_OTHERS,
    KSOFTIRQD_SHARE,
    LEAST_SAMPLES,
    LONG_WAIT_NS,
    MODERATION_NS,
    ONE_CPU_BUSY,
    ONE_CPU_RATE,
    ONE_CPU_SHARE,
    SQUEEZED_LEAST,
    SQUEEZED_SHARE,
    WAIT_NS,
)
from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import CpuRow
from netlat_tui.model.text import duration, percent, quantity


def starved(facts: Facts) -> Iterator[Finding]:
    """NET_RX begins long after it was raised, on a CPU more than on the others."""
    rows = facts.snapshot.cpus
    for cpu in rows:
        wait = cpu.softirq_wait
        if wait.count < LEAST_SAMPLES or (wait.p99_ns or 0) < WAIT_NS:
            continue
        others = [row.softirq_wait.p99_ns for row in rows if row is not cpu and row.softirq_wait.p99_ns is not None]
        usual = median(others) if others else None
        if usual is not None and (wait.p99_ns or 0) < AMONG_OTHERS * usual and usual < WAIT_NS:
            continue
        beside = f"; other CPUs: {duration(usual)}" if usual is not None else ""
        thread = f"; {quantity(cpu.ksoftirqd)} of {quantity(cpu.softirqs)} runs in ksoftirqd" if cpu.ksoftirqd else ""
        squeezed = f"; {quantity(cpu.squeezed)} squeezed" if cpu.squeezed else ""
        yield Finding(
            "softirq-starved",
            Severity.HOT if (wait.p99_ns or 0) >= LONG_WAIT_NS else Severity.WARM,
            f"cpu{cpu.cpu}",
            f"NET_RX of cpu{cpu.cpu} starts {duration(wait.p99_ns)} after it was raised "
            f"(p99{beside}){thread}{squeezed}",
            (
                Figure("raise→softirq p50", wait.p50_ns, Unit.NS),
                Figure("raise→softirq p99", wait.p99_ns, Unit.NS),
                Figure("raise→softirq max", wait.max_ns, Unit.NS),
                Figure("p99 of other CPUs", usual, Unit.NS),
                Figure("NET_RX runs", cpu.softirqs),
                Figure("in ksoftirqd", cpu.ksoftirqd),
                Figure("squeezed", cpu.squeezed),
                Figure("time in NET_RX", cpu.softirq_share, Unit.SHARE),
            ),
            View.CPU,
            cpu.cpu,
            _look_at_starved(cpu),
            sum(row.values.sum_ns for row in cpu.stages if row.stage.end.key == "softirq"),
        )


def _look_at_starved(cpu: CpuRow) -> tuple[str, ...]:
    if cpu.softirqs and cpu.ksoftirqd >= KSOFTIRQD_SHARE * cpu.softirqs:
        return (
            f"ksoftirqd/{cpu.cpu} takes part in it, a thread like others: what else is run there? "
            f"top -H, or perf sched timehist -C {cpu.cpu}",
        )
    return (
        f"What runs on cpu{cpu.cpu} with interrupts or softirqs off, and which other softirqs: /proc/softirqs, "
        f"perf record -a -g -C {cpu.cpu}",
    )


def squeezed(facts: Facts) -> Iterator[Finding]:
    """Runs that ended with packets left over: out of budget, or out of time."""
    for cpu in facts.snapshot.cpus:
        if cpu.squeezed < SQUEEZED_LEAST or cpu.squeezed < SQUEEZED_SHARE * cpu.softirqs:
            continue
        share = share_of(cpu.squeezed, cpu.softirqs)
        yield Finding(
            "softirq-squeezed",
            Severity.WARM,
            f"cpu{cpu.cpu}",
            f"{quantity(cpu.squeezed)} of {quantity(cpu.softirqs)} NET_RX runs of cpu{cpu.cpu} ended with packets left "
            f"over ({percent(share)}); it receives for {percent(cpu.softirq_share)} of its time",
            (
                Figure("squeezed", cpu.squeezed),
                Figure("NET_RX runs", cpu.softirqs),
                Figure("softirq run p99", cpu.softirq_run.p99_ns, Unit.NS),
                Figure("time in NET_RX", cpu.softirq_share, Unit.SHARE),
            ),
            View.CPU,
            cpu.cpu,
            ("sysctl net.core.netdev_budget net.core.netdev_budget_usecs; first spread interrupts one CPU has",),
        )


def one_cpu(facts: Facts) -> Iterator[Finding]:
    """One CPU takes nearly all that comes in, though there are others, and is busy with it."""
    rows = facts.snapshot.cpus
    rates = {row.cpu: row.packet_rate - row.sent_rate for row in rows}
    everything = sum(rates.values())
    if len(rows) < 2 or everything < ONE_CPU_RATE or facts.snapshot.direction is Direction.TX:
        return
    cpu = max(rows, key=lambda row: rates[row.cpu])
    share = share_of(rates[cpu.cpu], everything)
    if share < ONE_CPU_SHARE or cpu.softirq_share < ONE_CPU_BUSY:
        return
    irqs = [row for row in facts.snapshot.irqs if row.packets and row.info.cpus == str(cpu.cpu)]
    steered = [setup for setup in facts.snapshot.setups if setup.rps]
    tied = ", ".join(f"irq {row.irq} {row.info.iface or row.info.name}" for row in irqs[:3])
    figures = [
        Figure("its packets/s", rates[cpu.cpu], Unit.PER_SECOND, cpu.estimated),
        Figure("of all received", share, Unit.SHARE),
        Figure("time in NET_RX", cpu.softirq_share, Unit.SHARE),
        Figure("CPUs online", len(rows)),
    ]
    look = []
    if tied:
        figures.append(Figure("interrupts tied to it", tied, Unit.TEXT))
        look += [f"cat /proc/irq/{row.irq}/smp_affinity_list" for row in irqs[:3]]
    busy = {row.info.iface for row in irqs if row.info.iface}
    off = sorted(setup.name for setup in steered if setup.name in busy and not int(setup.rps.replace(",", ""), 16))
    if off:
        figures.append(Figure("RPS is off on", ", ".join(off), Unit.TEXT))
        look += [
            f"RPS, RFS or more queues: /sys/class/net/{name}/queues/rx-*/rps_cpus, ethtool -l {quote(name)}"
            for name in off
        ]
    yield Finding(
        "one-cpu",
        Severity.HOT if cpu.softirq_share >= 2 * ONE_CPU_BUSY else Severity.WARM,
        f"cpu{cpu.cpu}",
        f"cpu{cpu.cpu} takes {percent(share)} of {quantity(everything)} received packets/s and receives for "
        f"{percent(cpu.softirq_share)} of its time; {len(rows)} CPUs are online"
        + (f"; {tied} may run nowhere else" if tied else ""),
        tuple(figures),
        View.CPU,
        cpu.cpu,
        tuple(look),
    )


def moderation(facts: Facts) -> Iterator[Finding]:
    """A card that holds its interrupts back: what its own settings say, and how many packets come by one."""
    for setup in facts.snapshot.setups:
        rows = [row for row in facts.snapshot.irqs if row.info.iface == setup.name and row.count >= LEAST_SAMPLES]
        taken, raised = sum(row.packets for row in rows), sum(row.count for row in rows)
        held_ns = (setup.rx_usecs or 0) * 1000
        if not raised or held_ns < MODERATION_NS or not taken:
            continue
        yield Finding(
            "irq-moderation",
            Severity.NOTE,
            setup.name,
            f"{setup.name} holds interrupts back for up to {duration(held_ns)}: {taken / raised:.1f} packets come by "
            "one; what they wait for it lies before the interrupt and is in no stage",
            (
                Figure("rx-usecs", held_ns, Unit.NS),
                Figure("interrupts", raised),
                Figure("packets by them", taken),
                Figure("adaptive", "on" if setup.adaptive else "off", Unit.TEXT),
            ),
            View.IRQ,
            max(rows, key=lambda row: row.packets).irq,
            (f"ethtool -c {quote(setup.name)}",),
        )
