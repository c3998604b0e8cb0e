"""What the commands have in common: what was asked for, where ticks come from, and how a command ends."""

from __future__ import annotations

import difflib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from netlat_tui.model.filter import Filter, FilterError, cpus, from_options, interfaces, parse
from netlat_tui.model.points import Direction
from netlat_tui.model.text import printable
from netlat_tui.sources.base import Source, SourceError
from netlat_tui.system import memory

if TYPE_CHECKING:
    from netlat_tui.model.ticks import Tick
    from netlat_tui.sources.sampling import Sampling

_MOST_PLACES = 3


class Ended(Exception):  # noqa: N818 - an ending, not always an error
    """The command ends with this exit code, and this sentence on stderr if there is one."""

    def __init__(self, exit_code: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Ask:
    """What the options and words of a command say."""

    words: str
    ifaces: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    cpus: tuple[str, ...] = ()
    direction: str = "both"
    hooks: str = "auto"
    budget: float | None = None  # share of all CPUs; None: whatever it costs
    interval_s: float = 1.0

    @property
    def way(self) -> Direction | None:
        return {"rx": Direction.RX, "tx": Direction.TX}.get(self.direction)


def chosen_filter(ask: Ask, live: bool) -> Filter:
    """The filter of the words and options; ``Ended`` with 2 where it has a mistake."""
    try:
        text = from_options(ask.ifaces, ask.ports, ask.cpus, ask.direction, ask.words)
        flt = parse(text)
    except FilterError as error:
        pointed = error.pointed(ask.words) if ask.words else ""
        raise Ended(2, f"{error}" + (f"\n{pointed}" if pointed else "")) from None
    if live:
        _require_interfaces(flt)
        _require_cpus(flt)
    return flt


def _require_interfaces(flt: Filter) -> None:
    wanted = interfaces(flt)
    if not wanted:
        return
    from netlat_tui.system import ifaces

    there = ifaces.names()
    for name in wanted:
        if name not in there:
            near = difflib.get_close_matches(name, sorted(there), n=1)
            hint = (
                f"did you mean {printable(near[0])}?" if near else f"there are {printable(', '.join(sorted(there)))}."
            )
            raise Ended(2, f"There is no interface {printable(name)}: {hint}")


def _require_cpus(flt: Filter) -> None:
    """A CPU that is offline may come back; one that this machine cannot have is a mistake."""
    wanted = cpus(flt)
    if not wanted:
        return
    from netlat_tui.bpf.tracer import possible_cpus

    last = possible_cpus() - 1
    for first, _ in wanted:
        if first > last:
            raise Ended(2, f"There is no CPU {first}: this machine's are 0 to {last}.")


@contextmanager
def stopping(source: Source) -> Iterator[Callable[[], None]]:
    """SIGINT and SIGTERM stop the source; the given function, called at the end, turns that into the exit code."""
    caught: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        caught.append(number)
        source.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def finish() -> None:
        if caught:
            raise Ended(128 + caught[0])

    try:
        yield finish
    finally:
        source.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def discard_output() -> None:
    """Nothing may be written to standard output any more, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@contextmanager
def printing(kind: str) -> Iterator[None]:
    """Standard output written to, and flushed: JSON and CSV are UTF-8 whatever the locale is."""
    if kind != "text" and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise Ended(1, f"The output cannot be written ({error.strerror}): send it elsewhere.") from None


def live_source(ask: Ask, flt: Filter, interval_s: float, sampling: Sampling | None = None) -> Source:
    from netlat_tui.sources.live import LiveSource

    memory.return_large()
    try:
        return LiveSource(filter=flt, interval_s=interval_s, hooks=ask.hooks, sampling=sampling, budget=ask.budget)
    except SourceError as error:
        raise Ended(error.exit_code, str(error)) from None


def recording(file: str, speed: float | None) -> Source:
    from netlat_tui.sources.replay import ReplaySource

    try:
        return ReplaySource(file, speed=speed)
    except SourceError as error:
        raise Ended(error.exit_code, str(error)) from None


def until(source: Source, duration_s: float | None) -> Iterator[Tick]:
    """The source's ticks; it is stopped after so many seconds of its own time, and its last tick still comes."""
    passed = 0
    for tick in source.ticks():
        yield tick
        passed += tick.duration_ns
        if duration_s is not None and passed >= duration_s * 1e9 - 1e6:
            source.stop()


def interval_of(ask: Ask, duration_s: float | None) -> float:
    return ask.interval_s if duration_s is None else min(ask.interval_s, duration_s)


def end_if_damaged(source: Source) -> None:
    """``Ended`` with 1 where a part of a recording could not be read; what could was shown."""
    found = list(getattr(source, "damage", ()))
    if found:
        places = "; ".join(f"at byte {damage.offset}, {damage.text}" for damage in found[:_MOST_PLACES])
        more = f"; and in {len(found) - _MOST_PLACES} more places" if len(found) > _MOST_PLACES else ""
        raise Ended(
            1, f"The recording is damaged, look for another copy of it; what is whole is shown: {places}{more}."
        )
