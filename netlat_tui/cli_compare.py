"""``netlat-tui compare``: two recordings, stage by stage."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from netlat_tui.cli_base import Ask, Ended, chosen_filter, printing, recording, stopping
from netlat_tui.model.filter import EVERYTHING, Filter, FilterError, parse
from netlat_tui.model.text import printable

if TYPE_CHECKING:
    from netlat_tui.export.compare import Side
    from netlat_tui.model.compare import Judged
    from netlat_tui.model.spread import Run


def compare_files(files: tuple[str, str], kind: str, limits: Sequence[str], ask: Ask, ascii_only: bool) -> None:
    """Print the two beside each other; ``Ended`` with 1 where a limit does not hold or a file is damaged."""
    from netlat_tui.export import compare as out
    from netlat_tui.model.compare import LimitError, compared, judge, limit

    try:
        wanted = [limit(text) for text in limits]
    except LimitError as error:
        raise Ended(2, printable(str(error))) from None
    if files == ("-", "-"):
        raise Ended(2, "Only one of the two can be standard input: name a file for the other.")
    flt = chosen_filter(ask, live=False)
    (a, old, bad_a), (b, new, bad_b) = (_read(file) for file in files)
    _require_counted(flt, a, b)
    rows = compared(a.snapshot, old, b.snapshot, new)
    judged = judge(wanted, rows)
    with printing(kind):
        if kind == "json":
            sys.stdout.write(out.to_json(a, b, rows, judged))
        else:
            cells = shutil.get_terminal_size().columns if sys.stdout.isatty() else out.CELLS
            sys.stdout.write(out.to_text(a, b, rows, judged, cells, ascii_only))
    _end(judged, [("A", a, bad_a), ("B", b, bad_b)])


def _read(file: str) -> tuple[Side, Run, str]:
    """A recording as a whole, how it differs within itself, and the first damage in it."""
    from netlat_tui.export.compare import Side
    from netlat_tui.model.derive import History
    from netlat_tui.model.spread import Run
    from netlat_tui.model.ticks import PATH

    source = recording(file, speed=None)
    with stopping(source) as finish:
        # Sums and blocks are all that is looked at: neither ticks nor paths are kept.
        history, run, filters = History(source.origin, trend_length=1, keep_ns=1, max_paths=1), Run(), list[str]()
        for tick in source.ticks():
            run.add(tick)
            history.add(replace(tick, paths=np.zeros(0, dtype=PATH)))
            if tick.filter not in filters:
                filters.append(tick.filter)
        finish()
    damage = list(getattr(source, "damage", ()))
    first = f"at byte {damage[0].offset}, {damage[0].text}" if damage else ""
    side = Side(file, source.origin, history.snapshot(None, EVERYTHING, None), tuple(filters), len(damage))
    return side, run, first


def _require_counted(flt: Filter, a: Side, b: Side) -> None:
    """A recording's histograms are of the filter it was made with: no other can be asked of them."""
    if not flt.text:
        return
    for name, side in (("A", a), ("B", b)):
        if flt.user_text or not all(_same(text, flt) for text in side.filters):
            made = " and ".join(text or "none" for text in side.filters) or "none"
            raise Ended(
                2,
                f"A recording has counted the packets of the filter it was made with, which of {name} is {made}, and"
                f" cannot be asked for those of {flt.text}: leave the filter out, or record with it.",
            )


def _same(text: str, flt: Filter) -> bool:
    try:
        return parse(text).kernel_text == flt.kernel_text
    except FilterError:  # of another version
        return text == flt.text


def _end(judged: Sequence[Judged], sides: Sequence[tuple[str, Side, str]]) -> None:
    """What there is to say on stderr, and the exit code."""
    for one in judged:
        if one.holds is None:
            words = f"{one.limit.text} cannot be judged: {one.why}."
            print(f"netlat-tui: {printable(words)}", file=sys.stderr)
    sentences = [
        f"{name} ({side.file}) is damaged, look for another copy of it; what is whole is compared: {first}."
        for name, side, first in sides
        if side.damaged
    ]
    failed = [one for one in judged if one.holds is False]
    if failed:
        names = ", ".join(dict.fromkeys(f"{one.name.full} ({one.limit.quantile})" for one in failed))
        sentences.append(f"Grown by more than --fail-above allows: {names}.")
    if sentences:
        raise Ended(1, "\n".join(sentences))
