"""PATH rows for the tests of filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import numpy as np

from netlat_tui.model.points import Direction, Outcome, point
from netlat_tui.model.ticks import PATH, Rows

IFACES = {(1, 2): "eth0", (1, 3): "veth-1", (9, 2): "lo"}


def path_rows(flights: Sequence[Mapping[str, Any]]) -> Rows:
    """A row for each: TCP from 10.0.0.1:1000 to 10.0.0.2:2000 over eth0, but for what is said.

    ``src`` and ``dst`` are addresses as text, ``points`` the times in ns by point, ``cpu`` that of the softirq.
    """
    rows = np.zeros(len(flights), dtype=PATH)
    for row, flight in zip(rows, flights, strict=True):
        values = {
            "proto": 6,
            "sport": 1000,
            "dport": 2000,
            "netns": 1,
            "ifindex": 2,
            "outcome": Outcome.COMPLETE,
            **flight,
        }
        src, dst = ip_address(values.pop("src", "10.0.0.1")), ip_address(values.pop("dst", "10.0.0.2"))
        row["family"] = src.version
        for column, address in (("saddr", src), ("daddr", dst)):
            row[column][: len(address.packed)] = np.frombuffer(address.packed, dtype=np.uint8)
        row["softirq_cpu"] = values.pop("cpu", 0)
        direction = Direction(values.get("direction", Direction.RX))
        for key, t_ns in values.pop("points", {}).items():
            index = point(key, direction).index
            row["mask"] |= 1 << index
            row["t_ns"][index] = t_ns
        for name, value in values.items():
            row[name] = value
    return rows
