"""The tracer: programs in the kernel, and what they have counted since one looked last."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netlat_tui.bpf import calls
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.build import Attached, attach, attach_again, leave_out, take_in
from netlat_tui.bpf.constants import FlightState, drop_reasons
from netlat_tui.bpf.distributions import Distributions
from netlat_tui.bpf.filter_map import KERNEL_INSTRUCTION, expand
from netlat_tui.bpf.mapped import MappedArray
from netlat_tui.bpf.pages import page_map
from netlat_tui.bpf.program import Sizes
from netlat_tui.bpf.ring import Ring
from netlat_tui.model.filter_program import MAX_INSTRUCTIONS, empty_program
from netlat_tui.model.ticks import COUNTER_NAMES, CPU_ROW, DROP_ROW, IRQ_ROW, PATH, Hook, Rows

_CONTROL_NS = 1_000_000_000
EXPIRE_NS = 30_000_000_000
"""A packet nothing was heard of for so long is given up, unless ``Tracer.expire_ns`` says otherwise."""
_SWEEP_AT_ONCE = 256
_NO_LIMIT = (1 << 32) - 1


def possible_cpus() -> int:
    """One more than the highest CPU number this machine may ever have."""
    with open("/sys/devices/system/cpu/possible", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().strip().replace(",", "-").split("-")[-1]) + 1


@dataclass(frozen=True, slots=True)
class Sample:
    """What was counted between two calls of ``collect``; the types are those of a tick."""

    counters: dict[str, int]
    in_flight: int
    cells: Rows
    sums: Rows
    cpus: Rows
    irqs: Rows
    drops: Rows
    kernel_ns: int | None
    kernel_runs: int | None


class Tracer:
    """Attached hooks and mapped maps. Not thread-safe, but for ``set_program`` and ``set_sampling``.

    Raises ``BuildError`` or ``BtfError`` where the kernel does not allow it.
    """

    def __init__(
        self,
        sizes: Sizes | None = None,
        program: Rows | None = None,
        tier: str = "auto",
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """``meanwhile``: done in a thread, which has ended afterwards, while the kernel checks the programs."""
        btf = Btf.of_kernel()
        self.sizes = sizes or Sizes(cpus=possible_cpus())
        self.reasons = drop_reasons(btf)
        first = empty_program() if program is None else program
        with ThreadPoolExecutor(2) as pool:  # beside the loading of the programs: it takes a tenth of a second
            self._page_map = pool.submit(page_map)
            pool.submit(meanwhile)
            self._attached = attach(btf, self.sizes, lambda attached: self._prepare(attached, first), tier)
        maps = self._attached.maps
        self._sweep = self._attached.programs.get("on_sweep")
        self._distributions = Distributions(maps["dists"], self.sizes)
        self._counters = MappedArray(maps["counters"], (np.uint64, (32,)))
        self._cpus = MappedArray(maps["cpus"])
        self._irqs = MappedArray(maps["irqs"])
        self._flights = MappedArray(maps["flights"])
        self._drops = MappedArray(maps["drops"])
        self._tags = MappedArray(maps["tags"])
        self._before_drops = np.zeros_like(self._drops.rows["count"])
        self._ring: Ring | None = Ring(maps["ring"].fd, self.sizes.ring_pages)
        # Maps are born empty: what was counted while the last hooks were attached belongs to the first tick.
        self._before_counters = np.zeros_like(self._counters.rows)
        self._before_cpus = {name: np.zeros_like(self._cpus.rows[name]) for name in _CPU_FIELDS}
        self._before_irqs = {name: np.zeros_like(self._irqs.rows[name]) for name in _IRQ_FIELDS}
        self._before_runs = calls.Runs(0, 0, 0)
        self._stats_fd: int | None = None
        self._resting: tuple[str, ...] = ()
        self.expire_ns = EXPIRE_NS

    def _prepare(self, attached: Attached, program: Rows) -> None:
        """Before the first hook is attached: the filter, and a configuration that sends little."""
        self._config = MappedArray(attached.maps["config"])
        self._filters = MappedArray(attached.maps["filters"], KERNEL_INSTRUCTION)
        self._config.rows[0]["vmemmap_base"], self._config.rows[0]["page_offset_base"] = self._page_map.result()
        self.set_program(program)
        self.set_sampling(slow_ns=(0, 0), every=1, per_second=1000)

    @property
    def hooks(self) -> tuple[Hook, ...]:
        return self._attached.hooks

    @property
    def failures(self) -> dict[str, str]:
        """Why hooks are missing, by kernel event."""
        return self._attached.plan.failures

    def set_program(self, program: Rows) -> None:
        """Put another filter in force, at once and whole: it is written beside the old one, then switched to."""
        config = self._config.rows[0]
        base = MAX_INSTRUCTIONS if int(config["filter"]) >> 32 == 0 else 0
        self._filters.rows[base : base + len(program)] = expand(program)
        config["filter"] = base << 32 | len(program)

    def set_sampling(self, slow_ns: tuple[int, int], every: int, per_second: int) -> None:
        """Which paths are sent: those this slow (received, sent), one in ``every`` (0: none), at most ``per_second``
        per CPU."""
        config = self._config.rows[0]
        config["slow_ns"] = slow_ns
        config["sample_every"] = every
        config["records_per_second"] = min(per_second, _NO_LIMIT)

    def set_thin(self, thin: int) -> None:
        """Count packets in one time slice of ``2 ** thin`` only."""
        self._config.rows[0]["thin"] = thin

    def set_optional(self, on: bool) -> None:
        """Attach or take out the hooks that only refine what others see."""
        leave_out(self._attached) if not on else take_in(self._attached)

    def rest(self, on: bool) -> None:
        """Take all hooks out, or put those that were in back. Detaching takes the kernel a tenth of a second."""
        if on:
            self._resting = tuple(self._attached.links)
            self._attached.detach()
            # Their ends will not be seen. Nothing else writes to the maps now.
            cut = self._under_way()
            self._flights.rows["state"][self._taken()] = FlightState.NONE
            self._tags.rows["key"] = 0
            self._counters.rows[0][COUNTER_NAMES.index("expired")] += cut
        else:
            self._config.rows[0]["epoch"] += 1
            attach_again(self._attached, self._resting)

    def watch_cost(self, on: bool) -> bool:
        """Turn the kernel's run-time statistics on or off; they cost a little themselves. False where refused."""
        if on and self._stats_fd is None:
            try:
                self._stats_fd = calls.enable_stats()
            except OSError:
                return False
            self._before_runs = self._runs()
        elif not on and self._stats_fd is not None:
            os.close(self._stats_fd)
            self._stats_fd = None
        return True

    @property
    def room(self) -> int:
        """Path records that can wait to be drained."""
        return self._ring.room if self._ring is not None else 0

    def drain(self) -> Rows:
        """Path records since the last call."""
        return self._ring.read() if self._ring is not None else np.zeros(0, dtype=PATH)

    def collect(self) -> Sample:
        """What changed since the last call."""
        self._give_up()
        now_counters = self._counters.rows.copy()
        deltas = now_counters - self._before_counters
        self._before_counters = now_counters
        totals = deltas.sum(axis=0)
        counters = {name: int(totals[i]) for i, name in enumerate(COUNTER_NAMES)}
        runs = self._runs()
        counters["probe_misses"] = runs.misses - self._before_runs.misses
        watching = self._stats_fd is not None
        kernel = (runs.ns - self._before_runs.ns, runs.count - self._before_runs.count) if watching else (None, None)
        self._before_runs = runs
        irqs = self._irq_rows()
        cells, sums = self._distributions.collect(self._irqs.rows["irq"])
        cpus = self._cpu_rows(deltas)
        counters["softirqs"] = int(cpus["softirqs"].sum())
        return Sample(counters, self._under_way(), cells, sums, cpus, irqs, self._drop_rows(), *kernel)

    def _runs(self) -> calls.Runs:
        total = [0, 0, 0]
        for program in self._attached.programs.values():
            try:
                run = calls.runs(program)
            except OSError:
                continue
            total = [total[0] + run.ns, total[1] + run.count, total[2] + run.misses]
        return calls.Runs(*total)

    def _cpu_rows(self, counted: Rows) -> Rows:
        rows = np.zeros(self.sizes.cpus, dtype=CPU_ROW)
        rows["cpu"] = np.arange(self.sizes.cpus)
        rows["packets"] = counted[:, COUNTER_NAMES.index("seen")]
        rows["sent"] = counted[:, COUNTER_NAMES.index("sent")]
        for name in _CPU_FIELDS:
            now = self._cpus.rows[name].copy()
            rows[name] = now - self._before_cpus[name]
            self._before_cpus[name] = now
        return rows

    def _irq_rows(self) -> Rows:
        used = np.flatnonzero(self._irqs.rows["used"] != 0)  # it changes meanwhile: a copy
        rows = np.zeros(len(used), dtype=IRQ_ROW)
        rows["irq"] = self._irqs.rows["irq"][used]
        for name in _IRQ_FIELDS:
            now = self._irqs.rows[name].copy()
            rows[name] = (now - self._before_irqs[name])[used]
            self._before_irqs[name] = now
        return rows

    def _drop_rows(self) -> Rows:
        table = self._drops.rows
        now = table["count"].copy()
        grown = np.flatnonzero(now != self._before_drops)
        rows = np.zeros(len(grown), dtype=DROP_ROW)
        for name in ("location", "reason", "direction", "point"):
            rows[name] = table[name][grown]
        rows["count"] = now[grown] - self._before_drops[grown]
        self._before_drops = now
        return rows

    def _under_way(self) -> int:
        """Packets that passed the filter and have not ended."""
        return int((self._flights.rows["state"][self._taken()] >= FlightState.LINKED).sum())

    def _taken(self) -> npt.NDArray[np.intp]:
        """Places in the table that are taken. The tags are a hundredth of it: no page is read where nothing is."""
        return np.flatnonzero(self._tags.rows["key"] != 0)  # it changes while it is read: what is searched is a copy

    def _give_up(self) -> None:
        """End the flights nothing was heard of for too long."""
        taken = self._taken()
        states, protocols = self._flights.rows["state"][taken], self._flights.rows["rec"]["proto"][taken]
        # A packet may stay on a socket's queue for as long as its reader likes. Of TCP's, the socket is asked.
        queued = (states == FlightState.SOCKET) & (protocols != socket.IPPROTO_TCP)
        waiting = taken[(states != FlightState.NONE) & ~queued]
        if waiting.size and self._sweep is not None:
            chosen = self._flights.rows[waiting]
            # TCP's own segments end where no tracepoint tells: that takes no half minute.
            own = (chosen["rec"]["proto"] == socket.IPPROTO_TCP) & (chosen["payload"] == 0)
            limit = np.where(own | (chosen["state"] == FlightState.SOCKET), _CONTROL_NS, self.expire_ns)
            old = time.monotonic_ns() - chosen["last_ns"].astype(np.int64) > limit
            # A slow reader's many segments must not keep others from their turn.
            turns = np.argsort(chosen["state"][old] == FlightState.SOCKET, kind="stable")[:_SWEEP_AT_ONCE]
            for slot, row in zip(waiting[old][turns], chosen[old][turns], strict=True):
                calls.run_once(self._sweep, (int(slot), int(row["key"]), int(row["last_ns"])))

    def detach(self) -> None:
        """Take the hooks out; what they counted can still be collected."""
        self._attached.detach()

    def close(self) -> None:
        """Take everything out of the kernel. Idempotent."""
        self.watch_cost(False)
        if self._ring is None:
            return
        self._ring.close()
        mapped = (
            self._counters,
            self._cpus,
            self._irqs,
            self._flights,
            self._tags,
            self._drops,
            self._config,
            self._filters,
        )
        for array in mapped:
            array.close()
        self._distributions.close()
        self._attached.close()
        self._ring = None


_CPU_FIELDS = ("softirqs", "softirq_ns", "ksoftirqd", "irqs")
_IRQ_FIELDS = ("count", "ambiguous", "packets")
