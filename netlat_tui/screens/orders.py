"""Which columns a table shows, and in which order: by names in files, by places among its columns on the screen.

A column that gives way nowhere stays: it is what the rows are called, or what they are looked at for. If it is also the
first, it stays there.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence

from netlat_tui.model.text import printable
from netlat_tui.widgets.cells import KEEP, Column

Order = tuple[int, ...]
Tables = Mapping[str, tuple[Column, ...]]


def stays(columns: Sequence[Column], index: int) -> bool:
    return columns[index].drop == KEEP


def settled(columns: Sequence[Column], wanted: Sequence[int]) -> Order:
    """The order as it may be: the columns that stay are in it, and a first one that stays is the first."""
    missing = [index for index in range(len(columns)) if stays(columns, index) and index not in wanted]
    order = [*dict.fromkeys(wanted), *missing]
    if columns and stays(columns, 0):
        order.remove(0)
        order.insert(0, 0)
    return tuple(order)


def from_names(columns: Sequence[Column], names: Sequence[object]) -> tuple[Order, list[str]]:
    """The order that names in a file say, and those among them that are no columns."""
    known = {column.key: index for index, column in enumerate(columns)}
    unknown = [str(name) for name in names if not isinstance(name, str) or name not in known]
    return settled(columns, [known[name] for name in names if isinstance(name, str) and name in known]), unknown


def checked(table: Mapping[str, object], tables: Tables) -> tuple[dict[str, Order], list[str]]:
    """What a config file's ``[columns]`` says, and a sentence for everything in it that is wrong."""
    orders: dict[str, Order] = {}
    said: list[str] = []
    for name, names in table.items():
        shown = printable(name)
        if name not in tables:
            said.append(f"[columns] {shown}: there is no such table; there are {', '.join(tables)}.")
        elif not isinstance(names, list) or not names:
            columns = ", ".join(f'"{column.key}"' for column in tables[name][:2])
            said.append(f"[columns] {shown}: say a list of columns, as [{columns}].")
        else:
            orders[name], unknown = from_names(tables[name], names)
            keys = [column.key for column in tables[name]]
            for word in unknown:
                near = difflib.get_close_matches(word[:40], keys, n=1)
                hint = f'did you mean "{near[0]}"' if near else f"there are {', '.join(keys)}"
                said.append(f'[columns] {shown}: there is no column "{printable(word[:40])}"; {hint}.')
    return orders, said


def recalled(kept: Mapping[str, object], tables: Tables) -> dict[str, Order]:
    """What was kept by an earlier run, be it of another version: what it does not know is left out."""
    return {
        name: from_names(tables[name], names)[0]
        for name, names in kept.items()
        if name in tables and isinstance(names, list) and names
    }


def names_of(columns: Sequence[Column], order: Sequence[int]) -> list[str]:
    return [columns[index].key for index in order]


def as_toml(kept: Mapping[str, object]) -> str:
    """The file that keeps them: names of tables, each with a list of columns' names."""
    lines = ["# Columns as they were chosen in netlat-tui, which writes this file again when they change.", "[columns]"]
    for name, names in kept.items():
        if isinstance(names, list):
            lines.append(f"{json.dumps(name)} = {json.dumps([str(one) for one in names])}")
    return "\n".join(lines) + "\n"
