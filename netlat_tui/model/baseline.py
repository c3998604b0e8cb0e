"""A window that was pinned, and the present beside it: what changed by more than the noise.

Asked for where the rows are made, in one thread. What a baseline's ticks counted is put into blocks once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from netlat_tui.model.codes import Region
from netlat_tui.model.compare import QUANTILES, TAIL, Compared, compared
from netlat_tui.model.noise import NOTHING, Blocks, Change, quantile_change, rate_change
from netlat_tui.model.snapshot import DropRow, Snapshot
from netlat_tui.model.text import printable

Key = tuple[Region | None, int]
"""A region (``None``: all CPUs together) and a distribution."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was on screen when it was pinned."""

    snapshot: Snapshot
    _blocks: dict[Key, Blocks] = field(default_factory=dict, repr=False, compare=False)

    def blocks(self, keys: Sequence[Key]) -> list[Blocks]:
        fresh = [key for key in keys if key not in self._blocks]
        self._blocks.update(zip(fresh, self.snapshot.spread.of(fresh), strict=True))
        return [self._blocks[key] for key in keys]


class Against:
    """A snapshot beside a baseline."""

    def __init__(self, baseline: Baseline, now: Snapshot) -> None:
        self.baseline = baseline
        self._now = now
        self.unlike = _unlike(baseline.snapshot, now)
        self._known: dict[Key, Change] = {}

    def p99s(self, keys: Sequence[Key]) -> list[Change]:
        """How the p99 of each of these changed; nothing can be told where the two are not of the same packets."""
        if self.unlike:
            return [NOTHING] * len(keys)
        fresh = list(dict.fromkeys(key for key in keys if key not in self._known))
        blocks = zip(self.baseline.blocks(fresh), self._now.spread.of(fresh), strict=True)
        self._known.update((key, quantile_change(*pair, TAIL)) for key, pair in zip(fresh, blocks, strict=True))
        return [self._known[key] for key in keys]

    def before(self, key: Key) -> tuple[tuple[str, float], ...]:
        """The baseline's own p50 and p99 of one of these; nothing where it has none, or is not of the same packets."""
        if self.unlike:
            return ()
        (blocks,) = self.baseline.blocks([key])
        found = ((name, blocks.quantile(fraction)) for name, fraction in QUANTILES.items())
        return tuple((f"base {name}", ns) for name, ns in found if ns is not None)

    def drops(self, row: DropRow) -> Change:
        """How often packets were dropped in this way, per second."""
        if self.unlike:
            return NOTHING
        return rate_change(*(_dropped(snapshot, row) for snapshot in (self.baseline.snapshot, self._now)))

    def compared(self) -> tuple[Compared, ...]:
        """Every interval in both; none where they are not of the same packets."""
        if self.unlike:
            return ()
        then = self.baseline.snapshot
        return compared(then, then.spread, self._now, self._now.spread)


def beside(baseline: Baseline | None, snapshot: Snapshot) -> Snapshot:
    """The snapshot with what it changed against this baseline."""
    return replace(snapshot, against=Against(baseline, snapshot) if baseline is not None else None)


def _unlike(then: Snapshot, now: Snapshot) -> str:
    """Why the two cannot be compared, as a clause; "" where they can."""
    if then.kernel_filter != now.kernel_filter:
        old, new = (printable(one.kernel_filter) or "no filter" for one in (then, now))
        return f"it counted packets of {old}, the view those of {new}"
    if then.direction is not now.direction:
        old, new = (f"{one.direction.label} only" if one.direction is not None else "both ways" for one in (then, now))
        return f"it shows {old}, the view {new}"
    return ""


def _dropped(snapshot: Snapshot, like: DropRow) -> tuple[float, ...]:
    """Drops per second of each tick of the window, as far back as trends go."""
    found = next((row for row in snapshot.drops if row.key == like.key), None)
    if found is None:
        return (0.0,) * snapshot.ticks
    return found.trend.rate[-snapshot.ticks :]
