"""From where on a figure is a finding, and why from there."""

from __future__ import annotations

WAIT_NS = 1_000_000
"""A wait is worth a word from a millisecond on: twenty times what an idle machine takes for a whole packet, and more
than a link's round trip within a data centre. The highest of the three bands on every screen begins here."""

LONG_WAIT_NS = 10_000_000
"""From here on it hurts: a scheduler's tick and more, and what people who wait for an answer begin to feel."""

LEAST_SAMPLES = 20
"""A p99 of fewer is the largest of them: chance."""

LEAST_RECORDS = 5
"""Recorded packets that waited for the same task: fewer may be its turn by chance."""

AMONG_OTHERS = 4.0
"""A CPU's softirqs are late if its p99 is so many times the others' median: what all have alike is not the CPU's."""

SQUEEZED_SHARE, SQUEEZED_LEAST = 0.01, 10
"""Of the NET_RX runs: now and then a burst outlasts the budget (300 packets, 2 jiffies); one in a hundred is load."""

KSOFTIRQD_SHARE = 0.10
"""Of the NET_RX runs: below, ksoftirqd takes what came while softirqs ran; from here on it competes with processes."""

ONE_CPU_SHARE, ONE_CPU_BUSY, ONE_CPU_RATE = 0.90, 0.25, 1000.0
"""One CPU has nearly all packets, and is busy with them for a quarter of its time; of fewer it is no matter."""

DROPS_SHARE = 0.01
"""Of the packets seen in the window: what TCP begins to slow down for. Fewer are told, and do not hurt."""

RETRANSMIT_SHARE = 0.01
"""Of the packets sent: the usual bound above which throughput suffers."""

WAIT_SHARE = 0.02
"""Of all packets' time in a direction: a stage that has less of it is not why things are slow, unless it is hot."""

MODERATION_NS = 50_000
"""Interrupts held back for this long and longer are seen beside what else a packet takes."""

MOST_RECORDS = 50
"""Paths that are looked at for who had to wait: the longest waits of a stage, at every tick."""

NAMES = 3
"""Processes, interfaces or flows that a sentence names at most."""
