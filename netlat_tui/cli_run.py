"""What the commands do, once it is clear what was asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from netlat_tui.cli_base import (
    Ask,
    Ended,
    chosen_filter,
    end_if_damaged,
    interval_of,
    live_source,
    printing,
    recording,
    stopping,
    until,
)
from netlat_tui.model.filter import Filter, Names
from netlat_tui.model.points import Direction
from netlat_tui.sources.base import Source
from netlat_tui.system import rights

if TYPE_CHECKING:
    from netlat_tui.model.offers import Check
    from netlat_tui.model.paths import Path as PacketPath
    from netlat_tui.model.ticks import Tick

DEFAULT_REPORT_S = 10.0


def record_ticks(output: str, duration_s: float | None, ask: Ask) -> None:
    from netlat_tui.recording import RecordingError, Writer

    flt = chosen_filter(ask, live=True)
    source = live_source(ask, flt, interval_of(ask, duration_s))
    with stopping(source) as finish:
        try:
            with Writer(output, source.origin) as writer:
                rights.drop()
                for tick in until(source, duration_s):
                    writer.write(tick)
        except RecordingError as error:
            raise Ended(1, str(error)) from None
        finish()


def trace_paths(kind: str, count: int | None, duration_s: float | None, ask: Ask, ascii_only: bool) -> None:
    from netlat_tui.export import trace
    from netlat_tui.sources.sampling import Sampling

    flt = chosen_filter(ask, live=True)
    source = live_source(ask, flt, min(0.1, ask.interval_s), Sampling(everything=True))
    left = count
    lost, in_part = 0, False
    with stopping(source) as finish:
        rights.drop()
        if kind == "text":
            with printing(kind):
                print(trace.HEADER)
        for tick in until(source, duration_s):
            lost += tick.counters.get("ring_lost", 0) + tick.counters.get("paths_held_back", 0)
            in_part |= bool(tick.held_back) or tick.every > 1 or tick.rest
            with printing(kind):
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
        source = live_source(ask, flt, interval_of(ask, duration_s))
        if not told and sys.stderr.isatty():
            print(f"netlat-tui: watching for {duration_s:.0f} s (--duration)", file=sys.stderr)
    else:
        source = recording(file, speed=None)
    with stopping(source) as finish:
        if file is None:
            rights.drop()
        history = History(source.origin)
        for tick in until(source, duration_s):
            history.add(tick)
        snapshot = history.snapshot(None, flt, ask.way)
        marks = [mark for mark in getattr(source, "marks", ()) if mark.time_ns <= snapshot.time_ns]
        with printing(kind):
            if kind == "json":
                sys.stdout.write(report.to_json(snapshot, source.origin, source.live, marks))
            elif kind == "csv":
                sys.stdout.write(report.to_csv(snapshot, source.origin, source.live))
            else:
                sys.stdout.write(report.to_text(snapshot, source.origin, source.live, ascii_only, marks))
        finish()
        end_if_damaged(source)


def export_trace(file: str, output: str, ask: Ask) -> None:
    """A trace for Perfetto, of the paths the whole filter selects."""
    if output == "-" and sys.stdout.isatty():
        raise Ended(2, "A trace is nothing a terminal can show: name a file with -o, or send it into one.")
    from netlat_tui.export import perfetto
    from netlat_tui.export.files import ExportError, writing_bytes

    flt = chosen_filter(ask, live=False)
    source = recording(file, speed=None)

    def write(out: BinaryIO) -> int:
        trace = perfetto.Trace(out, source.origin)
        for tick in source.ticks():
            trace.add(tick, _selected(source, tick, flt, ask.way))
        trace.close()
        return trace.left_out

    with stopping(source) as finish:
        try:
            if output == "-":
                with printing("perfetto"):
                    left_out = write(sys.stdout.buffer)
            else:
                with writing_bytes(Path(output)) as out:
                    left_out = write(out)
        except ExportError as error:
            raise Ended(1, str(error)) from None
        if left_out:
            print(f"netlat-tui: {left_out} paths were left out: their times do not rise.", file=sys.stderr)
        finish()
        end_if_damaged(source)


def export_paths(file: str, kind: str, output: str, ask: Ask) -> None:
    if kind == "perfetto":
        export_trace(file, output, ask)
        return
    from netlat_tui.export import tables
    from netlat_tui.export.files import ExportError, writing

    flt = chosen_filter(ask, live=False)
    source = recording(file, speed=None)
    write = tables.write_jsonl if kind == "jsonl" else tables.write_csv
    with stopping(source) as finish:
        paths = (path for tick in source.ticks() for path in _selected(source, tick, flt, ask.way))
        try:
            if output == "-":
                with printing(kind):
                    write(paths, sys.stdout)
            else:
                with writing(Path(output)) as out:
                    write(paths, out)
        except ExportError as error:
            raise Ended(1, str(error)) from None
        finish()
        end_if_damaged(source)


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
    with printing(kind):
        sys.stdout.write(check.to_json(offers) if kind == "json" else check.to_text(offers))
    raise Ended(offers.exit_code)
