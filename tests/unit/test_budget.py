"""The budget's steps, against a machine whose cost per packet is known."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.sources.budget import MOST_THIN, Budget, Effort

SECOND = 1_000_000_000


@dataclass
class Machine:
    """Costs in ns: of a packet that is counted, of one that is not, of what the optional hooks add, of a record."""

    cpus: int = 2
    counted: float = 600.0
    passed: float = 60.0
    optional: float = 150.0
    measured_every: int = 5
    tick: int = 0
    rate: int = 0

    def cost(self, effort: Effort) -> float:
        """Kernel ns per second."""
        each = self.counted + (self.optional if effort.optional else 0.0)
        return self.rate * (each / effort.every + self.passed * (1 - 1 / effort.every))

    def share(self, effort: Effort) -> float:
        """Of all CPUs, over ticks with hooks and without."""
        return self.cost(effort) / (SECOND * self.cpus) / (1 << effort.rest)

    def run(self, budget: Budget, rate: int, ticks: int) -> list[float]:
        """Share of all CPUs in each tick, measured as the source does."""
        self.rate, shares = rate, []
        for _ in range(ticks):
            cost = self.cost(budget.effort)
            measured = self.tick % self.measured_every == 0 or budget.wants_measure
            self.tick += 1
            shares.append(self.share(budget.effort))
            budget.judge(round(cost) if measured else None, 0, rate, SECOND)
        return shares


def test_without_a_budget_everything_is_measured() -> None:
    budget = Budget(None, 2)
    Machine().run(budget, 10_000_000, 20)
    assert budget.effort == Effort()


def test_under_the_budget_everything_is_measured() -> None:
    budget = Budget(0.01, 2)
    Machine().run(budget, 1000, 20)
    assert budget.effort == Effort()


@pytest.mark.parametrize("rate", [30_000, 60_000, 120_000, 300_000, 2_000_000])
def test_a_flood_is_under_the_budget_from_the_third_tick_on(rate: int) -> None:
    budget, machine = Budget(0.01, 2), Machine(passed=10.0)
    machine.run(budget, 100, 7)
    shares = machine.run(budget, rate, 12)
    assert shares[0] > 0.01
    assert all(share <= 0.01 for share in shares[3:]), shares


def test_what_costs_too_much_goes_in_the_order_that_loses_least() -> None:
    budget, machine, seen = Budget(0.01, 2), Machine(), []
    for step in range(600):
        machine.run(budget, step * 300, 1)
        if budget.effort not in seen:
            seen.append(budget.effort)
    assert seen[:4] == [
        Effort(),
        Effort(records=False),
        Effort(records=False, optional=False),
        Effort(records=False, optional=False, thin=1),
    ]


def test_everything_is_measured_again_when_the_load_is_gone() -> None:
    budget, machine = Budget(0.01, 2), Machine()
    machine.run(budget, 300_000, 5)
    assert budget.effort.every > 1
    machine.run(budget, 100, 60)
    assert budget.effort == Effort()


def test_it_does_not_swing() -> None:
    budget, machine = Budget(0.01, 2), Machine(passed=10.0)
    machine.run(budget, 120_000, 30)
    efforts = set()
    for _ in range(40):
        machine.run(budget, 120_000, 1)
        efforts.add(budget.effort)
    assert len(efforts) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 10**11), st.integers(0, 10**10), st.integers(0, 10**8), st.integers(0, 10**10)
        ),
        max_size=40,
    ),
    st.floats(1e-6, 1.0),
)
def test_whatever_comes_there_is_an_effort(ticks: list[tuple[int | None, int, int, int]], share: float) -> None:
    budget = Budget(share, 4)
    for kernel, reader, packets, duration in ticks:
        effort = budget.judge(kernel, reader, packets, duration)
        assert 0 <= effort.thin <= MOST_THIN


def test_a_reader_that_is_dear_by_itself_costs_no_paths_where_nothing_passes() -> None:
    """As at the start, when everything is looked at for the first time."""
    budget = Budget(0.01, 2)
    assert budget.judge(1000, SECOND // 20, 0, SECOND).records
    assert not budget.judge(1000, SECOND // 20, 1000, SECOND).records
