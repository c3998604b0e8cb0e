"""Two windows beside each other, interval by interval: delays of the way up, whole paths, stages."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from netlat_tui.model.noise import NOTHING, Blocks, Change, Verdict, quantile_change, rate_change
from netlat_tui.model.points import DELAYS, STAGES, TOTAL, Direction, Stage
from netlat_tui.model.snapshot import DelayRow, Distribution, Snapshot, StageRow, TotalRow

MEDIAN, TAIL = 0.5, 0.99

QUANTILES = {"p50": MEDIAN, "p99": TAIL}


class Tally(Protocol):
    """What says how much a window differs within itself."""

    def blocks(self, dists: Sequence[int]) -> list[Blocks]: ...


@dataclass(frozen=True, slots=True)
class Name:
    """An interval and what it is called. ``kind``: delay, total or stage; ``layer`` is "" of whole paths."""

    dist: int
    kind: str
    direction: Direction
    layer: str
    name: str

    @property
    def full(self) -> str:
        """With its direction, where the name alone does not say it."""
        return self.name if self.kind == "total" else f"{self.direction.label} {self.name}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """How it may be asked for, all in small letters."""
        words = {self.name.lower(), self.full.lower()}
        return tuple(sorted(words | {word.replace("→", "->") for word in words}))


def _stage_name(stage: Stage) -> Name:
    return Name(stage.id, "stage", stage.direction, stage.layer, stage.name)


NAMES: tuple[Name, ...] = (
    *(Name(delay.gauge, "delay", Direction.RX, delay.name, delay.name) for delay in DELAYS),
    *(Name(gauge, "total", way, "", f"{way.label.upper()} total") for way, gauge in TOTAL.items()),
    *map(_stage_name, sorted(STAGES, key=lambda s: (s.direction, s.layer_key, s.start.index, s.end.index))),
)
"""Everything that can be compared, in the order it is shown."""


@dataclass(frozen=True, slots=True)
class Compared:
    """An interval in two windows; ``None`` where nothing of it was counted in one."""

    name: Name
    before: Distribution | None
    after: Distribution | None
    before_rate: float
    after_rate: float
    p50: Change = NOTHING
    p99: Change = NOTHING
    rate: Change = NOTHING

    @property
    def both(self) -> bool:
        return self.before is not None and self.after is not None

    def quantile(self, name: str) -> Change:
        return self.p50 if name == "p50" else self.p99


def compared(before: Snapshot, old: Tally, after: Snapshot, new: Tally) -> tuple[Compared, ...]:
    """Whatever was counted in either, in the order of ``NAMES``."""
    ones, others = counted(before), counted(after)
    shared = [name.dist for name in NAMES if name.dist in ones and name.dist in others]
    blocks = dict(zip(shared, zip(old.blocks(shared), new.blocks(shared), strict=True), strict=True))
    rows = []
    for name in NAMES:
        one, other = ones.get(name.dist), others.get(name.dist)
        if one is None and other is None:
            continue
        values = [row.values if row is not None else None for row in (one, other)]
        rates = [row.rate if row is not None else 0.0 for row in (one, other)]
        changes: tuple[Change, ...] = ()
        if name.dist in blocks:
            a, b = blocks[name.dist]
            changes = quantile_change(a, b, MEDIAN), quantile_change(a, b, TAIL), rate_change(a.rates, b.rates)
        rows.append(Compared(name, values[0], values[1], rates[0], rates[1], *changes))
    return tuple(rows)


def counted(snapshot: Snapshot) -> Mapping[int, StageRow | DelayRow | TotalRow]:
    """The intervals of which something was counted, by the ids of their distributions."""
    found: dict[int, StageRow | DelayRow | TotalRow] = {row.stage.id: row for row in snapshot.stages}
    found |= {row.delay.gauge: row for row in snapshot.delays}
    found |= {TOTAL[row.direction]: row for row in snapshot.totals}
    return {dist: row for dist, row in found.items() if row.values.count}


@dataclass(frozen=True, slots=True)
class Limit:
    """By how much a quantile may grow; ``text`` is as it was asked for."""

    text: str
    names: tuple[Name, ...]
    quantile: str
    share: float


class LimitError(Exception):
    """A limit that cannot be understood: one sentence that says what to write."""


def limit(text: str) -> Limit:
    """Parse ``[p50:|p99:]NAME=PCT``; ``LimitError`` where it has a mistake."""
    words, equals, number = text.rpartition("=")
    try:
        share = float(number.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not equals or not 0 <= share < float("inf"):
        raise LimitError(f"{text} is no limit: write a stage and a percentage, as socket→copy=20.")
    quantile, colon, rest = words.partition(":")
    if colon and quantile not in QUANTILES:
        raise LimitError(f"{text} is no limit: before the colon goes p50 or p99.")
    wanted = " ".join((rest if colon else words).lower().split())
    found = tuple(name for name in NAMES if wanted in name.spellings)
    if not found:
        raise LimitError(f"There is no stage {wanted or text}: {_near(wanted)}")
    return Limit(text, found, quantile if colon else "p99", share)


def _near(wanted: str) -> str:
    """Names like this one, as the end of a sentence: of a point's the shortest stages that end there."""
    spelled = {spelling: name for name in NAMES for spelling in name.spellings}
    ending = [name for name in NAMES if wanted and name.name.lower().endswith(f"→{wanted}")]
    ending.sort(key=lambda name: -STAGES[name.dist].start.index if name.kind == "stage" else 0)
    close = [spelled[word] for word in difflib.get_close_matches(wanted, spelled, n=6, cutoff=0.5)]
    near = list(dict.fromkeys(map(_plain, [*ending, *close])))[:3]
    if not near:
        return "name one as the report does, as socket->copy, rx total or application->read."
    return f"did you mean {', '.join(near[:-1])} or {near[-1]}?" if len(near) > 1 else f"did you mean {near[0]}?"


def _plain(name: Name) -> str:
    return name.name.lower().replace("→", "->")


@dataclass(frozen=True, slots=True)
class Judged:
    """A limit and an interval it was asked of: whether it holds, ``None`` where that cannot be told, and why."""

    limit: Limit
    name: Name
    change: Change
    holds: bool | None
    why: str = ""


def judge(limits: Sequence[Limit], rows: Sequence[Compared]) -> tuple[Judged, ...]:
    """Whether the limits hold. What grew by more than a limit, but by less than the noise, is within it."""
    by_dist = {row.name.dist: row for row in rows}
    judged = []
    for one in limits:
        found = [row for name in one.names if (row := by_dist.get(name.dist)) is not None]
        if not found:
            judged.append(Judged(one, one.names[0], NOTHING, None, "neither has counted any"))
        for row in found:
            change = row.quantile(one.quantile)
            if not row.both:
                judged.append(Judged(one, row.name, change, None, f"only {'A' if row.before else 'B'} has counted any"))
            elif change.verdict is Verdict.UNTOLD:
                judged.append(Judged(one, row.name, change, None, Verdict.UNTOLD.value))
            else:
                grown = change.verdict is Verdict.UP and (change.share or 0.0) > one.share
                judged.append(Judged(one, row.name, change, not grown))
    return tuple(judged)
