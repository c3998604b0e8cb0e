"""How much is measured: all of it, until that costs more than it may."""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST_THIN = 3
"""Packets are counted in one time slice of 8 at the least: below that the hooks themselves are what costs."""

MOST_REST = 5
"""Hooks are attached in one tick of 32 at the least."""

_CALM = 3  # ticks well under the budget before more is measured again
_WELL_UNDER = 0.4
_AIM = 0.8
_A_LITTLE = 1.3


@dataclass(frozen=True, slots=True)
class Effort:
    """What is measured.

    ``records``: as many paths as the screen asks for, else few. ``optional``: also the hooks that only refine what
    others see. ``thin``: packets are counted in one time slice of ``2 ** thin``. ``rest``: hooks are attached in one
    tick of ``2 ** rest``.
    """

    records: bool = True
    optional: bool = True
    thin: int = 0
    rest: int = 0

    @property
    def every(self) -> int:
        """One packet in so many is counted."""
        return 1 << self.thin

    @property
    def held_back(self) -> str:
        """What is not measured, as a tick says it."""
        return " ".join(word for word, on in (("paths", self.records), ("hooks", self.optional)) if not on)


_STEPS = (
    Effort(),
    Effort(records=False),
    Effort(records=False, optional=False),
    *(Effort(records=False, optional=False, thin=thin) for thin in range(1, MOST_THIN + 1)),
    *(Effort(records=False, optional=False, thin=MOST_THIN, rest=rest) for rest in range(1, MOST_REST + 1)),
)


_THINNEST = len(_STEPS) - 1 - MOST_REST


class Budget:
    """Keeps the cost of tracing under a share of all CPUs, step by step.

    ``share``: 0…1 of all CPUs; ``None``: measure everything whatever it costs. Cost is what tracing adds: the run time
    of the programs in the kernel, and this process's time to fetch and file what they counted, not the drawing.
    """

    def __init__(self, share: float | None, cpus: int) -> None:
        self._share = share
        self._cpus = max(cpus, 1)
        self._step = 0
        self._calm = 0
        self._rate = 0.0  # packets per second when it was measured last
        self._measured_step: int | None = None
        self._doubt = False

    @property
    def effort(self) -> Effort:
        return _STEPS[self._step]

    @property
    def wants_measure(self) -> bool:
        """Whether the next tick's kernel time has to be measured: it is not known at this step, or looks different."""
        return self._share is not None and (self._doubt or self._measured_step != self._step)

    def judge(self, kernel_ns: int | None, reader_ns: int, packets: int, duration_ns: int) -> Effort:
        """After a tick with hooks attached: what it cost, and so what the next one measures.

        ``kernel_ns``: run time of the programs, ``None`` where it was not measured. ``packets``: estimated number that
        passed, counted or turned away.
        """
        if self._share is None:
            return self.effort
        seconds = max(duration_ns, 1) / 1e9
        rate = packets / seconds
        if kernel_ns is None:
            # What a packet costs depends on how many there are: no step is taken on a guess.
            self._doubt = not self._rate / 2 <= rate <= self._rate * 2
            return self.effort
        self._measured_step, self._rate, self._doubt = self._step, rate, False
        all_cpus = seconds * 1e9 * self._cpus
        reader = reader_ns / all_cpus
        kernel = kernel_ns / all_cpus / (1 << self.effort.rest)
        # What reading costs anyway is not saved by counting less: at least half is the kernel's. And where nothing
        # passed there is nothing to send fewer of.
        over = packets > 0 and kernel + reader > self._share
        self._move(kernel / max(self._share - reader, self._share / 2), over)
        return self.effort

    def _move(self, ratio: float, over: bool) -> None:
        """``ratio``: the kernel's cost over what is left for it; ``over``: with the reader's, it is too much."""
        if ratio > 1:
            self._step, self._calm = self._further(ratio), 0
        elif over and not self._step:
            self._step, self._calm = 1, 0
        elif ratio < _WELL_UNDER and self._step and not (over and self._step == 1):
            self._calm += 1
            if self._step > _THINNEST:  # a tick with hooks is rare here: it is believed at once
                back = int(math.log2(_AIM / max(ratio, 1e-6)))
                self._step, self._calm = max(self._step - back, _THINNEST), 0
            elif self._calm >= _CALM:
                self._step, self._calm = self._step - 1, 0
        else:
            self._calm = 0

    def _further(self, ratio: float) -> int:
        """The step at which a cost so many times the budget is within it, as far as that can be told beforehand."""
        if self._step < _THINNEST:
            if ratio < _A_LITTLE:
                return self._step + 1
            # Fewer hooks and the thinnest slices about halve the cost; what is left is saved by resting.
            ratio = max(ratio / 2, 1.0)
        return min(max(self._step, _THINNEST) + math.ceil(math.log2(ratio)), len(_STEPS) - 1)
