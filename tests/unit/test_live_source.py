"""The live source over a tracer that is none: what is handed down, what is put into a tick, what refusals become."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netlat_tui import cli_run
from netlat_tui.bpf.compiled import BuildError
from netlat_tui.model.filter_program import Field
from netlat_tui.model.ticks import COUNTER_NAMES, CPU_ROW, Rows
from netlat_tui.sources import live, offers
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

    def __init__(self, *, program: Rows | None = None, tier: str = "auto") -> None:
        if tier in self.refused:
            raise BuildError(SENTENCE, 4)
        self.tier, self.program = tier, program
        self.sampled: list[tuple[tuple[int, int], int, int]] = []
        self._paths = make_tick(0, paths=3, drops=2).paths
        self.made.append(self)

    def set_sampling(self, slow_ns: tuple[int, int], every: int, per_second: int) -> None:
        self.sampled.append((slow_ns, every, per_second))

    def watch_cost(self, on: bool) -> bool:
        return on

    def drain(self) -> Rows:
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
    monkeypatch.setattr(cli_run, "_require_terminal", lambda: None)
    monkeypatch.setattr(cli_run, "_show", lambda source, *rest: pytest.fail("a recording was shown"))
    for tier in TIERS[1:]:
        with pytest.raises(cli_run.Ended) as caught:
            cli_run.live_view(cli_run.Ask("", hooks=tier), ascii_only=False)
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


def test_thresholds_of_both_directions_go_down(tracer: type[FakeTracer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sampling, "thresholds", lambda *_: (7, 8, 9, 10))
    with closing(LiveSource()):
        assert tracer.made[0].sampled == [((7, 8), 9, 10)]


@pytest.mark.parametrize(("way", "wanted"), [("rx", 0), ("tx", 1)])
def test_the_direction_asked_for_is_decided_in_the_kernel(way: str, wanted: int) -> None:
    flt = cli_run.chosen_filter(cli_run.Ask("", direction=way), live=False)
    assert (flt.kernel_text, flt.user_text) == (way, "")
    tests = flt.program[flt.program["field"] == Field.DIRECTION]
    assert [(int(row["lo"]), int(row["hi"])) for row in tests] == [(wanted, wanted)]
