"""What the commands do, once it is clear what was asked."""

from __future__ import annotations

import difflib
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from netlat_tui.model.filter import Filter, FilterError, Names, cpus, from_options, interfaces, parse
from netlat_tui.model.points import Direction
from netlat_tui.model.text import printable
from netlat_tui.sources.base import Source, SourceError
from netlat_tui.system import memory, rights

if TYPE_CHECKING:
    from netlat_tui.model.offers import Check
    from netlat_tui.model.paths import Path as PacketPath
    from netlat_tui.model.ticks import Tick
    from netlat_tui.sources.sampling import Sampling

DEMO = Path(__file__).parent / "data" / "demo.netlat"
DEFAULT_REPORT_S = 10.0
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
def _stopping(source: Source) -> Iterator[Callable[[], None]]:
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
def _printing(kind: str) -> Iterator[None]:
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


def _live(ask: Ask, flt: Filter, interval_s: float, sampling: Sampling | None = None) -> Source:
    from netlat_tui.sources.live import LiveSource

    memory.return_large()
    try:
        return LiveSource(filter=flt, interval_s=interval_s, hooks=ask.hooks, sampling=sampling, budget=ask.budget)
    except SourceError as error:
        raise Ended(error.exit_code, str(error)) from None


def _replay(file: str, speed: float | None) -> Source:
    from netlat_tui.sources.replay import ReplaySource

    try:
        return ReplaySource(file, speed=speed)
    except SourceError as error:
        raise Ended(error.exit_code, str(error)) from None


def _until(source: Source, duration_s: float | None) -> Iterator[Tick]:
    """The source's ticks; it is stopped after so many seconds of its own time, and its last tick still comes."""
    passed = 0
    for tick in source.ticks():
        yield tick
        passed += tick.duration_ns
        if duration_s is not None and passed >= duration_s * 1e9 - 1e6:
            source.stop()


def _interval(ask: Ask, duration_s: float | None) -> float:
    return ask.interval_s if duration_s is None else min(ask.interval_s, duration_s)


def _damage(source: Source) -> None:
    """``Ended`` with 1 where a part of a recording could not be read; what could was shown."""
    found = list(getattr(source, "damage", ()))
    if found:
        places = "; ".join(f"at byte {damage.offset}, {damage.text}" for damage in found[:_MOST_PLACES])
        more = f"; and in {len(found) - _MOST_PLACES} more places" if len(found) > _MOST_PLACES else ""
        raise Ended(
            1, f"The recording is damaged, look for another copy of it; what is whole is shown: {places}{more}."
        )


def live_view(ask: Ask, ascii_only: bool) -> NoReturn:
    """The live screens; where the kernel cannot be traced, the bundled recording and a banner that says why."""
    flt = chosen_filter(ask, live=True)
    _require_terminal()
    from netlat_tui.sources.live import LiveSource
    from netlat_tui.sources.replay import ReplaySource

    banner = ""
    source: Source
    try:
        source = LiveSource(
            filter=flt,
            interval_s=ask.interval_s,
            hooks=ask.hooks,
            budget=ask.budget,
            meanwhile=lambda: importlib.import_module("netlat_tui.app"),
        )
    except SourceError as error:
        if ask.hooks != "auto" or not DEMO.exists():  # who forces a kind of hook wants to know of that one
            raise Ended(error.exit_code, str(error)) from None
        banner = f"Not live, this is a recording. {error}"
        source = ReplaySource(DEMO, loop=True)
    rights.drop()
    _show(source, ask, flt, banner, ascii_only)


def replay_view(file: str, ask: Ask, ascii_only: bool) -> NoReturn:
    flt = chosen_filter(ask, live=False)
    _require_terminal(stdin=file != "-")
    source = _replay(file, speed=1.0)
    rights.drop()  # what it takes to read the recording; all else is its user's own
    _show(source, ask, flt, "", ascii_only)


def _require_terminal(stdin: bool = True) -> None:
    if not sys.stdout.isatty() or (stdin and not sys.stdin.isatty()):
        raise Ended(2, "The view needs a terminal: use `netlat-tui report` or `netlat-tui trace` in a pipe.")
    if os.environ.get("TERM") == "dumb":
        raise Ended(
            2, "This terminal cannot move its cursor (TERM=dumb): use `netlat-tui report`, or name another in TERM."
        )


def _trust_terminal() -> None:
    """The window's size is what the terminal says, now and after every change. An exported COLUMNS is of another time,
    and would win for ever (shutil.get_terminal_size asks it first).
    """
    with suppress(OSError):
        if all(os.get_terminal_size(sys.stdout.fileno())):
            os.environ.pop("COLUMNS", None)
            os.environ.pop("LINES", None)


def _show(source: Source, ask: Ask, flt: Filter, banner: str, ascii_only: bool) -> NoReturn:
    from netlat_tui.app import run

    memory.return_large()
    _trust_terminal()
    try:
        code = run(
            source,
            filter_text=flt.text,
            direction=ask.way,
            banner=banner,
            ascii_only=ascii_only,
            interval=ask.interval_s,
        )
    finally:
        source.close()
    _damage(source)
    raise Ended(code)


def record_ticks(output: str, duration_s: float | None, ask: Ask) -> None:
    from netlat_tui.recording import RecordingError, Writer

    flt = chosen_filter(ask, live=True)
    source = _live(ask, flt, _interval(ask, duration_s))
    with _stopping(source) as finish:
        try:
            with Writer(output, source.origin) as writer:
                rights.drop()
                for tick in _until(source, duration_s):
                    writer.write(tick)
        except RecordingError as error:
            raise Ended(1, str(error)) from None
        finish()


def trace_paths(kind: str, count: int | None, duration_s: float | None, ask: Ask, ascii_only: bool) -> None:
    from netlat_tui.export import trace
    from netlat_tui.sources.sampling import Sampling

    flt = chosen_filter(ask, live=True)
    source = _live(ask, flt, min(0.1, ask.interval_s), Sampling(everything=True))
    left = count
    lost, in_part = 0, False
    with _stopping(source) as finish:
        rights.drop()
        if kind == "text":
            with _printing(kind):
                print(trace.HEADER)
        for tick in _until(source, duration_s):
            lost += tick.counters.get("ring_lost", 0) + tick.counters.get("paths_held_back", 0)
            in_part |= bool(tick.held_back) or tick.every > 1 or tick.rest
            with _printing(kind):
                for path in _selected(source, tick, flt, ask.way):
                    if left == 0:
                        break
                    text = trace.json_line(path) if kind == "jsonl" else trace.line(path)
                    print(text.replace("→", "->") if ascii_only else text)
                    left = None if left is None else left - 1
            if left == 0:
                source.stop()
        if in_part:
            print("netlat-tui: paths were left out to stay within --budget; none shows all of them.", file=sys.stderr)
        if lost:
            print(f"netlat-tui: {lost} paths were not shown: more came than could be sent up.", file=sys.stderr)
        finish()


_names: dict[tuple[int, int], str] = {}
_symbols: dict[int, str] = {}


def _selected(source: Source, tick: Tick, flt: Filter, way: Direction | None) -> Iterator[PacketPath]:
    """The tick's paths that the whole filter selects."""
    from netlat_tui.model.paths import decode

    _names.update(((info.netns, info.ifindex), info.name) for info in tick.iface_info)
    _symbols.update(tick.symbols)
    reasons = source.origin.reasons
    rows = tick.paths
    if len(rows):
        rows = rows[flt.matches(rows, Names(_names, reasons))]
    for row in rows:
        if way is None or row["direction"] == way:
            yield decode(row, tick.time_ns - tick.mono_ns, _names, reasons, _symbols)


def report_window(file: str | None, duration_s: float | None, kind: str, ask: Ask, ascii_only: bool) -> None:
    from netlat_tui.export import report
    from netlat_tui.model.derive import History

    flt = chosen_filter(ask, live=file is None)
    if file is None:
        told = duration_s is not None
        duration_s = duration_s or DEFAULT_REPORT_S
        source = _live(ask, flt, _interval(ask, duration_s))
        if not told and sys.stderr.isatty():
            print(f"netlat-tui: watching for {duration_s:.0f} s (--duration)", file=sys.stderr)
    else:
        source = _replay(file, speed=None)
    with _stopping(source) as finish:
        if file is None:
            rights.drop()
        history = History(source.origin)
        for tick in _until(source, duration_s):
            history.add(tick)
        snapshot = history.snapshot(None, flt, ask.way)
        marks = [mark for mark in getattr(source, "marks", ()) if mark.time_ns <= snapshot.time_ns]
        with _printing(kind):
            if kind == "json":
                sys.stdout.write(report.to_json(snapshot, source.origin, source.live, marks))
            elif kind == "csv":
                sys.stdout.write(report.to_csv(snapshot, source.origin, source.live))
            else:
                sys.stdout.write(report.to_text(snapshot, source.origin, source.live, ascii_only, marks))
        finish()
        _damage(source)


def export_trace(file: str, output: str, ask: Ask) -> None:
    """A trace for Perfetto, of the paths the whole filter selects."""
    if output == "-" and sys.stdout.isatty():
        raise Ended(2, "A trace is nothing a terminal can show: name a file with -o, or send it into one.")
    from netlat_tui.export import perfetto
    from netlat_tui.export.files import ExportError, writing_bytes

    flt = chosen_filter(ask, live=False)
    source = _replay(file, speed=None)

    def write(out: BinaryIO) -> int:
        trace = perfetto.Trace(out, source.origin)
        for tick in source.ticks():
            trace.add(tick, _selected(source, tick, flt, ask.way))
        trace.close()
        return trace.left_out

    with _stopping(source) as finish:
        try:
            if output == "-":
                with _printing("perfetto"):
                    left_out = write(sys.stdout.buffer)
            else:
                with writing_bytes(Path(output)) as out:
                    left_out = write(out)
        except ExportError as error:
            raise Ended(1, str(error)) from None
        if left_out:
            print(f"netlat-tui: {left_out} paths were left out: their times do not rise.", file=sys.stderr)
        finish()
        _damage(source)


def export_paths(file: str, kind: str, output: str, ask: Ask) -> None:
    if kind == "perfetto":
        export_trace(file, output, ask)
        return
    from netlat_tui.export import tables
    from netlat_tui.export.files import ExportError, writing

    flt = chosen_filter(ask, live=False)
    source = _replay(file, speed=None)
    write = tables.write_jsonl if kind == "jsonl" else tables.write_csv
    with _stopping(source) as finish:
        paths = (path for tick in source.ticks() for path in _selected(source, tick, flt, ask.way))
        try:
            if output == "-":
                with _printing(kind):
                    write(paths, sys.stdout)
            else:
                with writing(Path(output)) as out:
                    write(paths, out)
        except ExportError as error:
            raise Ended(1, str(error)) from None
        finish()
        _damage(source)


def _settings() -> list[Check]:
    """The config file used, and what is wrong with it; who may trace is asked before, with all the rights there are."""
    from netlat_tui.model.offers import Check
    from netlat_tui.screens.settings import load
    from netlat_tui.system.settings import config_file

    rights.drop()
    settings, path = load(), config_file()
    wrong = [Check("config", False, sentence, "") for sentence in settings.sentences]
    if settings.used is not None:
        return [Check("config", True, str(settings.used), ""), *wrong]
    return wrong or [
        Check("config", True, f"none; it would be {path}" if path else "none; there is no home folder", "")
    ]


def check_offers(kind: str, hooks: str) -> NoReturn:
    from netlat_tui.export import check
    from netlat_tui.sources.offers import survey

    offers = survey(hooks)
    offers = replace(offers, checks=(*offers.checks, *_settings()))
    with _printing(kind):
        sys.stdout.write(check.to_json(offers) if kind == "json" else check.to_text(offers))
    raise Ended(offers.exit_code)
