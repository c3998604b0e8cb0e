"""Trends: what each tick says of every distribution, CPU, interrupt and kind of drop, for as many as a trend shows."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from netlat_tui.model import drops
from netlat_tui.model.codes import Index, Places
from netlat_tui.model.counted import Counted, everywhere
from netlat_tui.model.snapshot import Trend
from netlat_tui.model.ticks import Tick

_GAP = -1  # of a p99


class Series:
    """A value for every row, tick by tick: a column each.

    Columns are only added. Where there is no room the last ones move to another array: who looks at the old one goes
    on seeing what was there.
    """

    def __init__(self, length: int, absent: float, dtype: npt.DTypeLike) -> None:
        self._length, self._absent, self._dtype = length, absent, dtype
        self._values = self._made(0)
        self._end = 0

    def _made(self, rows: int) -> npt.NDArray[Any]:
        return np.full((rows, 2 * self._length + 1), self._absent, dtype=self._dtype)

    def add(self, rows: Places, values: npt.NDArray[Any], count: int) -> None:
        """The next tick's values of some of ``count`` rows; the others have none."""
        if count > len(self._values) or self._end == self._values.shape[1]:
            old = self.view().values
            self._values = self._made(len(old) if count <= len(old) else max(count, len(old) * 3 // 2))
            self._end = old.shape[1]
            self._values[: len(old), : self._end] = old
        self._values[rows, self._end] = values
        self._end += 1

    def view(self) -> View:
        return View(self._values[:, max(0, self._end - self._length) : self._end], self._absent)


@dataclass(frozen=True, slots=True)
class View:
    """The last columns of a series; immutable."""

    values: npt.NDArray[Any]
    absent: float

    def of(self, row: int | None) -> list[Any]:
        """A row's values, oldest first."""
        if row is None or row >= len(self.values):
            return [self.absent] * self.values.shape[1]
        found: list[Any] = self.values[row].tolist()
        return found


@dataclass(frozen=True, slots=True)
class Past:
    """The ticks of the trends, oldest first; immutable."""

    index: Index
    rates: View
    p99: View
    numbers: tuple[Index, Index]  # of CPUs, of interrupts
    numbered: tuple[View, View]
    drops: tuple[tuple[Mapping[drops.Kind, int], int], ...]  # counts by kind, the tick's length in ns

    def of(self, code: int) -> Trend:
        """Samples per second and p99 of a distribution."""
        row = self.index.get(code)
        return Trend(tuple(self.rates.of(row)), self._p99(row))

    def of_cpu(self, cpu: int, code: int) -> Trend:
        """A CPU's packets per second, and p99 of a distribution."""
        return self._numbered(0, cpu, code)

    def of_irq(self, irq: int, code: int) -> Trend:
        """An interrupt's runs per second, and p99 of a distribution."""
        return self._numbered(1, irq, code)

    def _numbered(self, which: int, number: int, code: int) -> Trend:
        rates = self.numbered[which].of(self.numbers[which].get(number))
        return Trend(tuple(rates), self._p99(self.index.get(code)))

    def _p99(self, row: int | None) -> tuple[int | None, ...]:
        return tuple([None if value == _GAP else value for value in self.p99.of(row)])


class Trends:
    """The last ``length`` ticks; ``index`` is that of the distributions' codes."""

    def __init__(self, index: Index, length: int) -> None:
        self._index = index
        self._rates, self._p99 = Series(length, 0.0, np.float64), Series(length, _GAP, np.int64)
        self._numbers = Index(), Index()
        self._numbered = Series(length, 0.0, np.float64), Series(length, 0.0, np.float64)
        self._drops: deque[tuple[Mapping[drops.Kind, int], int]] = deque(maxlen=length)

    def add(self, tick: Tick, counted: Counted) -> None:
        """``counted`` is what the tick counted."""
        duration = max(tick.duration_ns, 1)
        codes, all_samples, all_p99 = everywhere(tick.cells, tick.sums)
        rows, samples, p99 = counted.summaries()
        rows = np.concatenate([rows, self._index.rows(codes)])
        rates = np.concatenate([samples, all_samples]) * 1e9 / duration
        self._rates.add(rows, rates, len(self._index))
        self._p99.add(rows, np.concatenate([p99, all_p99]), len(self._index))
        self._add_numbered(0, tick.cpus["cpu"], tick.cpus["packets"] * 1e9 / duration)
        self._add_numbered(1, tick.irqs["irq"], tick.irqs["count"] * 1e9 / duration)
        self._drops.append((drops.counts(tick.drops), duration))

    def _add_numbered(self, which: int, numbers: npt.NDArray[Any], rates: npt.NDArray[Any]) -> None:
        index = self._numbers[which]
        rows = index.rows(numbers.astype(np.int64))
        self._numbered[which].add(rows, rates, len(index))

    def view(self) -> Past:
        cpus, irqs = self._numbered
        return Past(
            self._index,
            self._rates.view(),
            self._p99.view(),
            self._numbers,
            (cpus.view(), irqs.view()),
            tuple(self._drops),
        )
