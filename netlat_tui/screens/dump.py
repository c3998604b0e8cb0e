"""The view in files: text, JSON, CSV and SVG. Each says where its figures come from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any
from xml.sax.saxutils import escape

from netlat_tui.export import report, values
from netlat_tui.export.files import ExportError, write_together
from netlat_tui.model.gaps import gaps_of, words
from netlat_tui.model.paths import Path
from netlat_tui.model.snapshot import Snapshot, StageRow
from netlat_tui.model.ticks import Origin
from netlat_tui.screens.panes.base import Measured
from netlat_tui.widgets.cells import Column, Row, used
from netlat_tui.widgets.lines import Line, Role, fit, plain

SCHEMA = "netlat-tui/view/1"

Record = Mapping[str, Any]


@dataclass(frozen=True)
class View:
    """What is exported. ``whole`` views are written as a report of everything, with ``records`` as the CSV's rows."""

    name: str
    crumbs: Sequence[str]
    records: Sequence[Record]
    lines: Sequence[Line] = ()
    whole: bool = False


def contents(view: View, snapshot: Snapshot, origin: Origin, live: bool, picture: str) -> dict[str, str]:
    """The files' texts by suffix."""
    identity = values.identity(snapshot, origin, live)
    accounting = values.accounting(snapshot)
    if view.whole:
        text, data = report.to_text(snapshot, origin, live), report.to_json(snapshot, origin, live)
    else:
        head = [" > ".join(view.crumbs), *(f"{name}: {value}" for name, value in identity.items())]
        losses = ", ".join(f"{name} {value}" for name, value in accounting.items())
        text = "\n".join([*head, losses, "", *(plain(line).rstrip() for line in view.lines), ""])
        whole = {
            "schema": SCHEMA,
            **identity,
            "accounting": accounting,
            "self": values.own_cost(snapshot),
            "view": list(view.crumbs),
            "rows": list(view.records),
        }
        data = json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    table = _csv(view.records, {"view": " > ".join(view.crumbs), **identity, **accounting})
    return {".txt": text, ".json": data, ".csv": table, ".svg": _described(picture, {**identity, **accounting})}


def write(view: View, texts: Mapping[str, str], folder: File, stem: str) -> tuple[str, bool]:
    """Write the files; returns the sentence about it, and whether it is bad news."""
    try:
        written = write_together(folder, stem, texts)
    except ExportError as error:
        return str(error), True
    names = ", ".join(file.suffix for file in written[1:])
    return f"{' > '.join(view.crumbs)} written to {written[0]} and {names}", False


def _described(picture: str, what: Record) -> str:
    """The picture with what it shows said inside, where a viewer shows it and a program finds it."""
    words = escape("; ".join(f"{name}: {value}" for name, value in what.items()))
    opening, bracket, rest = picture.partition(">")
    return f"{opening}{bracket}<desc>{words}</desc>{rest}"


def _csv(records: Sequence[Record], head: Record) -> str:
    out = io.StringIO()
    for name, value in head.items():
        out.write(f"# {name}: {value}\n")
    flat = [{name: _flat(value) for name, value in record.items()} for record in records]
    columns = list(dict.fromkeys(name for record in flat for name in record))
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _flat(value: object) -> object:
    """Lists within a row, as JSON: a path's points, a CPU's stages."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return values.cell(value)


def interval_record(item: StageRow | Measured) -> Record:
    """A stage, or another interval that is measured."""
    if isinstance(item, StageRow):
        return values.stage(item)
    return {"stage": item.title, **values.distribution(item.values)}


def point_records(path: Path) -> list[Record]:
    """A path's points, a row each."""
    before = 0
    records: list[Record] = []
    known = {gap.stage.stage.end.index: words(gap) for gap in gaps_of(path)}
    for passage in path.points:
        took = passage.t_ns - before
        record = {"point": passage.point.name, "t_ns": passage.t_ns, "took_ns": took, "cpu": passage.cpu}
        meanwhile = known.get(passage.point.index)
        records.append({**record, "meanwhile": meanwhile} if meanwhile else record)
        before = passage.t_ns
    return records


def table_lines(columns: Sequence[Column], rows: Sequence[Row]) -> list[Line]:
    """All rows of a table with all its columns of text, as wide as they need be."""
    shown = [
        index
        for index, column in enumerate(columns)
        if not (column.optional and not used(rows, index))
        and not any(row.cells[index].trend is not None or row.cells[index].bar for row in rows if not row.heading)
    ]
    texts = [[row.cells[i].text if i < len(row.cells) else "" for i in shown] for row in rows]
    heads = [columns[i].title for i in shown]
    alone = [False, *(row.heading and not any(text[1:]) for row, text in zip(rows, texts, strict=True))]
    fields_of = [text for text, sole in zip((heads, *texts), alone, strict=True) if not sole]
    lengths = [max(len(text[n]) for text in fields_of) for n in range(len(shown))]
    lines: list[Line] = []
    for text, note, sole in zip((heads, *texts), ("", *(row.note for row in rows)), alone, strict=True):
        if sole:  # a heading runs on over the fields it has not
            lines.append(((text[0], Role.PLAIN),))
            continue
        fields = [(fit(text[n], lengths[n], "", columns[i].right) + "  ", Role.PLAIN) for n, i in enumerate(shown)]
        lines.append((fields[0], (note, Role.PLAIN)) if note else tuple(fields))
    return lines
