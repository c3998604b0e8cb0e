"""What is left of a flood's packets and of a request's round trip while somebody watches, untraced in between."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.figures import Figure, Result, Table, median, number, ratios, spread
from benchmarks.load import Unavailable, flood_rate, round_trips
from benchmarks.net import RECEIVING_CPU, SENDING_CPU, Net, net
from benchmarks.options import Options
from benchmarks.watchers import WATCHERS, Watcher, nobody

KEPT = 0.95
"""DESIGN's bound: the share of a flood's packets per second that is left."""


def _both(made: Net, watcher: Watcher, seconds: float) -> tuple[float, float]:
    """(datagrams per second, µs of the 99th percentile of round trips)"""
    with watcher():
        return flood_rate(made, seconds), round_trips(made, seconds)["p99"]


def measure(
    options: Options, watchers: Mapping[str, tuple[str, Watcher]]
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, str]]:
    """(datagrams per second, µs, why some could not be measured), each by watcher; "" for each untraced measurement.

    Watchers take turns, and between any two of them nobody watches.
    """
    rates: dict[str, list[float]] = {}
    trips: dict[str, list[float]] = {}
    refused: dict[str, str] = {}
    rate_shares: dict[str, list[float]] = {}
    trip_shares: dict[str, list[float]] = {}
    with net() as made:
        before = _both(made, nobody, options.seconds)
        for _ in range(options.rounds):
            for name, (_, watcher) in watchers.items():
                if name in refused:
                    continue
                try:
                    watched = _both(made, watcher, options.seconds)
                except Unavailable as error:
                    refused[name] = str(error)
                    continue
                after = _both(made, nobody, options.seconds)
                rates.setdefault("", []).append(after[0])
                trips.setdefault("", []).append(after[1])
                rate_shares.setdefault(name, []).extend(ratios([before[0], after[0]], [watched[0]]))
                trip_shares.setdefault(name, []).extend(ratios([before[1], after[1]], [watched[1]]))
                rates.setdefault(name, []).append(watched[0])
                trips.setdefault(name, []).append(watched[1])
                before = after
    return (
        {**rates, **{f"{name} share": shares for name, shares in rate_shares.items()}},
        {**trips, **{f"{name} share": shares for name, shares in trip_shares.items()}},
        refused,
    )


def run(options: Options) -> Result:
    return compare(options, WATCHERS, "Packets kept, round trips lengthened")


def compare(options: Options, watchers: Mapping[str, tuple[str, Watcher]], title: str) -> Result:
    rates, trips, refused = measure(options, watchers)
    figures, rows = [], [_row("nobody", rates.get("", []), trips.get("", []), [], [])]
    for name, (label, _) in watchers.items():
        ours = label.startswith("netlat-tui")
        shares = rates.get(f"{name} share", [])
        trip_shares = trips.get(f"{name} share", [])
        note = refused.get(name, _range(shares))
        figures.append(Figure(f"UDP flood kept: {label}", median(shares), "", KEPT if ours else None, False, note))
        note = refused.get(name, _range(trip_shares))
        figures.append(Figure(f"TCP round trip, p99: {label}", median(trip_shares), "×", note=note))
        rows.append(_row(name, rates.get(name, []), trips.get(name, []), shares, trip_shares))
    head = ("watcher", "datagrams/s", "share", "round trip p99, µs", "share")
    conditions = (
        f"Medians of {options.words} each, watchers in turn with an untraced measurement between any two; a share is "
        "of the mean of the two untraced neighbours. Datagrams of 14 bytes over veth, as many as go; sockperf's "
        "generator "
        f"on CPU {SENDING_CPU}, its receiver on CPU {RECEIVING_CPU}; counted is what the receiver has read."
    )
    return Result(title, conditions, tuple(figures), (Table("In figures:", head, tuple(rows)),))


def _range(values: list[float]) -> str:
    found = spread(values)
    return "" if found is None else f"{found[0]:.2f}…{found[1]:.2f}"


def _row(
    name: str, rates: list[float], trips: list[float], shares: list[float], trip_shares: list[float]
) -> tuple[str, ...]:
    return (name, *(number(median(values)) for values in (rates, shares, trips, trip_shares)))
