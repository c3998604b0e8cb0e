"""Three bands of severity, the same on every screen; each has a colour and a glyph."""

from __future__ import annotations

from enum import IntEnum

WARM_NS = 100_000
HOT_NS = 1_000_000
WARM_SHARE = 0.25
HOT_SHARE = 0.6


class Band(IntEnum):
    CALM = 0
    WARM = 1
    HOT = 2


def latency_band(ns: float | None) -> Band:
    """Below 100 µs, below 1 ms, and from there on."""
    if ns is None or ns < WARM_NS:
        return Band.CALM
    return Band.WARM if ns < HOT_NS else Band.HOT


def load_band(share: float | None) -> Band:
    """Of a CPU's time: below a quarter, below 60 %, and from there on."""
    if share is None or share < WARM_SHARE:
        return Band.CALM
    return Band.WARM if share < HOT_SHARE else Band.HOT
