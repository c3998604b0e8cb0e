"""The command line: which parts, how long, and where the figures go."""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from benchmarks import document, machine
from benchmarks.figures import Result, figure_rows
from benchmarks.load import Unavailable
from benchmarks.options import Options

PARTS = {
    "overhead": "packets kept and round trips, with netlat-tui and with others",
    "hooks": "ns per hook and per packet",
    "blocks": "ns of what hooks are made of",
    "python": "paths per second through the Python side",
    "process": "CPU and memory at 0, 1,000 and 200,000 packets/s",
    "start": "start to first figures, exit",
    "terminal": "bytes/s and CPU of the screen",
    "scale": "memory, ticks and evictions on large machines",
}
_MODULES = {"python": "python_side"}
RESULTS = Path(__file__).parent / "results" / "latest.json"


def _print(result: Result) -> None:
    click.echo(f"\n{result.title}\n  {result.conditions}")
    for name, value, bound, met, note in figure_rows(result.figures):
        promised = "" if bound == "–" else f"  (promised {bound}: {met.strip('*')})"
        click.echo(f"  {name}: {value}{promised}{f'  [{note}]' if note else ''}")
    for made in result.tables:
        widths = [max(map(len, column)) for column in zip(made.head, *made.rows, strict=True)]
        click.echo(f"  {made.title}")
        for row in (made.head, *made.rows):
            click.echo("    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _kept(path: Path) -> dict[str, Any]:
    """Results of earlier runs on the same kind of machine: a part that is measured again takes its old one's place."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if data.get("machine") == machine.describe() else {}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("parts", nargs=-1, type=click.Choice([*PARTS, "guest"]), metavar="[PART]...")
@click.option("--rounds", type=click.IntRange(1, 100), default=5, help="Alternations.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=2.0, help="Of each measurement.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, help="JSON file.")
@click.option("--docs", is_flag=True, help="Write the figures into docs/performance.md.")
@click.option("--wait", type=float, default=0.0, metavar="MIN", help="Wait this long for a quiet machine.")
@click.option("--kernel", default="6.12", help="The guest's kernel, as of `make test-kernels`.")
def main(
    parts: tuple[str, ...], rounds: int, seconds: float, output: Path, docs: bool, wait: float, kernel: str
) -> None:
    """Measure what netlat-tui costs: overhead, hooks, blocks, python, process, start, terminal, scale; all of these, if
    none is named.

    guest measures all kinds of hooks in an emulated machine. Results of single parts join those of earlier ones.
    """
    if os.geteuid():
        raise click.ClickException("this makes network namespaces and traces them: run it as root.")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # namespaces and processes are taken away
    options = Options(rounds, seconds)
    data = _kept(output)
    data["machine"] = machine.describe()
    results = data.setdefault("parts", {})
    failed = False
    for part in parts or PARTS:
        if wait and not machine.wait_until_quiet(wait):
            click.echo(f"the machine did not come to rest within {wait:g} minutes", err=True)
        load = machine.load()
        click.echo(f"measuring {part} …", err=True)
        try:
            if part == "guest":
                result = import_module("benchmarks.guest").run(options, kernel)
            else:
                result = import_module(f"benchmarks.{_MODULES.get(part, part)}").run(options)
        except Unavailable as error:
            click.echo(f"{part}: {error}.", err=True)
            failed = True
            continue
        _print(result)
        results[part] = {**result.as_json(), "load": load}
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(f"\nwritten to {output}", err=True)
    if docs:
        document.write(data)
    sys.exit(1 if failed else 0)
