"""How often a packet finds no place in the table of packets under way."""

from __future__ import annotations

import numpy as np

from netlat_tui.bpf.program import WAYS

_BIRTHS = 400_000
_STEP = 256  # bytes between skbs in their cache


def evicted(flights: int, in_flight: int, rng: np.random.Generator) -> float:
    """The share of packets that cost another one its place while so many are under way at any time.

    The kernel side's hash (table.h) of addresses as an skb cache gives them out: any of its objects.
    """
    at = rng.choice(max(4 * in_flight, 1 << 20), size=_BIRTHS + in_flight, replace=True).astype(np.uint64)
    skbs = np.uint64(0xFFFF_8881_0000_0000) + at * np.uint64(_STEP)
    with np.errstate(over="ignore"):
        hashed = (skbs >> np.uint64(6)) * np.uint64(0x9E37_79B9_7F4A_7C15) >> np.uint64(40)
    buckets = (hashed & np.uint64(flights // WAYS - 1)).astype(np.int64)
    held = np.zeros(flights // WAYS, dtype=np.int64)
    lost, gone = 0, np.zeros(len(buckets), dtype=bool)
    listed: list[list[int]] = [[] for _ in range(flights // WAYS)]
    for number_, bucket in enumerate(buckets.tolist()):
        if number_ >= in_flight and not gone[number_ - in_flight]:
            ended = int(buckets[number_ - in_flight])
            listed[ended].remove(number_ - in_flight)
            held[ended] -= 1
        if held[bucket] == WAYS:  # the oldest gives way
            gone[listed[bucket].pop(0)] = True
            held[bucket] -= 1
            lost += number_ >= in_flight
        listed[bucket].append(number_)
        held[bucket] += 1
    return lost / _BIRTHS
