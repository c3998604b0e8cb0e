"""The live source over a tracer that is none: what is handed down, what is put into a tick, what refusals become."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netlat_tui import cli_base, cli_view
from netlat_tui.bpf.compiled import BuildError
from netlat_tui.model.filter import parse
from netlat_tui.model.filter_program import Field
from netlat_tui.model.ticks import COUNTER_NAMES, CPU_ROW, Rows
from netlat_tui.sources import live, offers, surroundings
from netlat_tui.sources.base import SourceError
from netlat_tui.sources.live import LiveSource
from netlat_tui.sources.sampling import Sampling
from netlat_tui.system import symbols
from tests.synth import LOCATION, make_tick

TIERS = ("auto", "tracepoint", "kprobe", "fentry")
KALLSYMS = f"{LOCATION - 0x1A:016x} T tcp_v4_rcv\n{LOCATION + 0x1000:016x} T \x1b]0;evil\n"
SENTENCE = "This kernel has no fentry hooks: leave --hooks out."


class FakeTracer:
    """Counts one synthetic tick; refuses the tiers in ``refused``."""

    made: list[FakeTracer] = []  # noqa: RUF012
    refused: tuple[str, ...] = ()
    hooks: tuple[Any, ...] = ()
    reasons: dict[int, str] = {}  # noqa: RUF012
    room = 12_000

    def __init__(
        self, *, program: Rows | None = None, tier: str = "auto", meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        meanwhile()
        if tier in self.refused:
            raise BuildError(SENTENCE, 4)
        self.tier, self.program = tier, program
        self.sampled: list[tuple[tuple[int, int], int, int]] = []
        self._paths = make_tick(0, paths=3, drops=2).paths
        self.drained = 0
        self.made.append(self)

    def set_sampling(self, slow_ns: tuple[int, int], every: int, per_second: int) -> None:
        self.sampled.append((slow_ns, every, per_second))

    def watch_cost(self, on: bool) -> bool:
        return on

    def drain(self) -> Rows:
        self.drained += 1
        paths, self._paths = self._paths, self._paths[:0]
        return paths

    def collect(self) -> SimpleNamespace:
        tick = make_tick(0, paths=3, drops=2)
        return SimpleNamespace(
            counters=dict.fromkeys(COUNTER_NAMES, 0),
            in_flight=0,
            cells=tick.cells,
            sums=tick.sums,
            cpus=tick.cpus.astype(CPU_ROW),
            irqs=tick.irqs,
            drops=tick.drops.copy(),
            kernel_ns=None,
            kernel_runs=None,
        )

    def set_program(self, program: Rows) -> None:
        self.program = program

    def detach(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def tracer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[FakeTracer]]:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/kallsyms").write_text(KALLSYMS)
    real = symbols.Symbols
    monkeypatch.setattr(symbols, "Symbols", lambda: real(tmp_path))
    for module in (live, offers):
        monkeypatch.setattr(module, "Tracer", FakeTracer)
        monkeypatch.setattr(module, "refusal", lambda: None)
    monkeypatch.setattr(FakeTracer, "made", [])
    return FakeTracer


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_goes_down_to_the_tracer(tier: str, tracer: type[FakeTracer]) -> None:
    with closing(LiveSource(hooks=tier)):
        assert [made.tier for made in tracer.made] == [tier]
    offers.survey(tier)
    assert [made.tier for made in tracer.made] == [tier, tier]


def test_a_tier_the_kernel_refuses_is_a_sentence_and_four(
    tracer: type[FakeTracer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracer, "refused", ("fentry",))
    with pytest.raises(SourceError, match="no fentry hooks") as caught:
        LiveSource(hooks="fentry")
    assert caught.value.exit_code == 4
    found = offers.survey("fentry")
    assert (found.exit_code, found.traceable) == (4, False)
    assert SENTENCE in [check.text for check in found.checks]


def test_who_forces_a_tier_gets_no_recording_instead(tracer: type[FakeTracer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracer, "refused", TIERS)
    monkeypatch.setattr(cli_view, "_require_terminal", lambda: None)
    monkeypatch.setattr(cli_view, "_show", lambda source, *rest: pytest.fail("a recording was shown"))
    for tier in TIERS[1:]:
        with pytest.raises(cli_base.Ended) as caught:
            cli_view.live_view(cli_base.Ask("", hooks=tier), ascii_only=False)
        assert (caught.value.exit_code, caught.value.sentence) == (4, SENTENCE)


def test_drops_and_the_names_of_who_dropped_are_in_the_tick() -> None:
    with closing(LiveSource(interval_s=0.01)) as source:
        tick = next(ticks := source.ticks())
        ticks.close()  # type: ignore[attr-defined]
    assert tick.drops["count"].tolist() == [2]
    assert tick.symbols == ((LOCATION, "tcp_v4_rcv+0x1a"),)
    assert not tick.drops.flags.writeable


def test_a_name_that_had_to_wait_comes_later_and_is_made_printable(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(LiveSource(interval_s=0.01)) as source:
        around = source._surroundings
        clock = [0]
        monkeypatch.setattr(around._symbols, "_now_ns", lambda: clock[0])
        tick = make_tick(0, drops=1)
        nobody = tick.drops[:0]
        assert around.look(tick.paths, tick.cpus, tick.irqs, tick.drops).symbols == ((LOCATION, "tcp_v4_rcv+0x1a"),)
        other = tick.drops.copy()
        other["location"] = LOCATION + 0x1003
        quiet = tick.paths[:0]
        assert around.look(quiet, tick.cpus, tick.irqs, other).symbols == ()
        clock[0] = 2_000_000_000
        assert around.look(quiet, tick.cpus, tick.irqs, nobody).symbols == ((LOCATION + 0x1003, "?]0;evil+0x3"),)
        assert around.look(quiet, tick.cpus, tick.irqs, nobody).symbols == ()


@pytest.mark.parametrize(
    ("per_second", "cpus", "look_s"),
    [(20, 2, 1.0), (1000, 2, 1.0), (5000, 2, 0.3), (1000, 16, 0.1875), (200_000, 2, 0.05)],
)
def test_the_ring_is_emptied_before_it_may_be_full_and_no_more_often(
    per_second: int, cpus: int, look_s: float, tracer: type[FakeTracer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings.cpus, "online", lambda *_: tuple(range(cpus)))
    monkeypatch.setattr(Sampling, "thresholds", lambda *_: (0, 0, 1, per_second))
    with closing(LiveSource(interval_s=0.5)) as source:
        waits: list[float | None] = []
        wait = source._alarm.wait
        monkeypatch.setattr(source._alarm, "wait", lambda seconds: (waits.append(seconds), wait(seconds)))
        began = time.monotonic()
        ticks = source.ticks()
        next(ticks), next(ticks)
        assert time.monotonic() - began >= live._FIRST_S + 0.5
        ticks.close()  # type: ignore[attr-defined]
    # What is left of a tick after looking around is waited for: on a busy machine that takes its time.
    longest, promised = max(seconds for seconds in waits if seconds is not None), min(look_s, 0.5)
    assert 0.7 * promised < longest <= promised + 0.001
    assert tracer.made[0].drained == len(waits) + 2  # and once more for each tick


@pytest.mark.parametrize("call", ["stop", "filter", "interval", "close"])
def test_who_waits_for_a_tick_is_woken_at_once(call: str, tracer: type[FakeTracer]) -> None:
    source = LiveSource(interval_s=60)
    ticks = source.ticks()
    next(ticks)
    calls: dict[str, Callable[[], None]] = {
        "stop": source.stop,
        "filter": lambda: source.set_filter(parse("port 1")),
        "interval": lambda: source.set_interval(0.01),
        "close": source.close,
    }
    threading.Timer(0.1, calls[call]).start()
    began = time.monotonic()
    next(ticks)
    assert 0.05 < time.monotonic() - began < 0.6  # less than it looks by itself
    source.close()


def test_thresholds_of_both_directions_go_down(tracer: type[FakeTracer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sampling, "thresholds", lambda *_: (7, 8, 9, 10))
    with closing(LiveSource()):
        assert tracer.made[0].sampled == [((7, 8), 9, 10)]


@pytest.mark.parametrize(("way", "wanted"), [("rx", 0), ("tx", 1)])
def test_the_direction_asked_for_is_decided_in_the_kernel(way: str, wanted: int) -> None:
    flt = cli_base.chosen_filter(cli_base.Ask("", direction=way), live=False)
    assert (flt.kernel_text, flt.user_text) == (way, "")
    tests = flt.program[flt.program["field"] == Field.DIRECTION]
    assert [(int(row["lo"]), int(row["hi"])) for row in tests] == [(wanted, wanted)]
