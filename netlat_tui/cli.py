"""The command line: what is asked for, and how it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from netlat_tui import __version__
from netlat_tui.cli_run import (
    Ask,
    Ended,
    check_offers,
    export_paths,
    live_view,
    record_ticks,
    replay_view,
    report_window,
    trace_paths,
)

_F = TypeVar("_F", bound=Callable[..., Any])


class _NobodyReads(Exception):  # noqa: N818 - not an error
    """Standard output is a pipe whose reader is gone."""


class _Commands(click.Group):
    """Without a command's name, the words are a filter for the live view."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = ("-h", "--help", "--version")
        if not args or (args[0] not in self.commands and args[0] not in own):
            args = ["live", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _NobodyReads from error  # click would make a failure of it

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage("netlat-tui", "[OPTIONS] [FILTER]... | COMMAND ...")


def _filter_options(function: _F) -> _F:
    for option in reversed(
        (
            click.option("-i", "--iface", "ifaces", multiple=True, metavar="NAME", help="Only this interface."),
            click.option(
                "-p", "--port", "ports", multiple=True, metavar="N", help="Only this port (80, 80,443, 1-99)."
            ),
            click.option(
                "-c", "--cpu", "cpus", multiple=True, metavar="N", help="Only packets this CPU's softirq took."
            ),
            click.option(
                "--direction", type=click.Choice(["rx", "tx", "both"]), default="both", help="Which way packets go."
            ),
        )
    ):
        function = option(function)
    return click.argument("words", nargs=-1, metavar="[FILTER]...", type=click.UNPROCESSED)(function)


def _live_options(function: _F) -> _F:
    for option in reversed(
        (
            click.option(
                "--hooks",
                type=click.Choice(["auto", "tracepoint", "kprobe", "fentry"]),
                default="auto",
                help="Force a kind of hook.",
            ),
            click.option(
                "--interval", type=click.FloatRange(0.05, 60), default=1.0, metavar="S", help="Seconds between looks."
            ),
        )
    ):
        function = option(function)
    return function


def _format(*kinds: str) -> Callable[[_F], _F]:
    return click.option("--format", "kind", type=click.Choice(kinds), default=kinds[0], help="What to print.")


_duration = click.option(
    "--duration", type=click.FloatRange(0.1, 86_400 * 30), default=None, metavar="S", help="Stop after so many seconds."
)
_ascii = click.option("--ascii", "ascii_only", is_flag=True, help="Use ASCII only.")


def _ask(options: dict[str, Any]) -> Ask:
    return Ask(
        words=" ".join(options.pop("words", ())),
        ifaces=options.pop("ifaces", ()),
        ports=options.pop("ports", ()),
        cpus=options.pop("cpus", ()),
        direction=options.pop("direction", "both"),
        hooks=options.pop("hooks", "auto"),
        interval_s=options.pop("interval", 1.0),
    )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="netlat-tui")
def cli() -> None:
    """Where packets spend their time in the Linux network stack, live.

    Without a command: the live view of the packets FILTER selects (tcpdump's words: port 443, host A, tcp, iface NAME,
    cpu N, total > 1ms, ...). Without the rights or the kernel for it: a bundled recording.
    """


@cli.command(hidden=True)
@_filter_options
@_live_options
@_ascii
def live(ascii_only: bool, **options: Any) -> None:
    """The live view of the packets FILTER selects."""
    live_view(_ask(options), ascii_only)


@cli.command()
@click.argument("file")
@_filter_options
@_ascii
def replay(file: str, ascii_only: bool, **options: Any) -> None:
    """The same view over a recording (-: standard input); needs no rights."""
    replay_view(file, _ask(options), ascii_only)


@cli.command()
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to; -: standard output.")
@_duration
@_filter_options
@_live_options
def record(output: str, duration: float | None, **options: Any) -> None:
    """Write what the live view would show to a file."""
    record_ticks(output, duration, _ask(options))


@cli.command()
@_format("text", "jsonl")
@click.option("--count", type=click.IntRange(1), default=None, metavar="N", help="Stop after so many paths.")
@_duration
@_filter_options
@_live_options
@_ascii
def trace(kind: str, count: int | None, duration: float | None, ascii_only: bool, **options: Any) -> None:
    """A line per path, as it ends: packet id, flow, CPU, IRQ, process, and each stage's delay in µs."""
    trace_paths(kind, count, duration, _ask(options), ascii_only)


@cli.command()
@_duration
@_format("text", "json", "csv")
@_filter_options
@_live_options
@_ascii
def report(duration: float | None, kind: str, ascii_only: bool, **options: Any) -> None:
    """A summary: live (ten seconds unless --duration says otherwise), or of a recording named as the first word."""
    words = options["words"]
    file = None
    if words and (words[0] == "-" or words[0].endswith(".netlat") or os.path.isfile(words[0])):  # noqa: PTH113
        file, options["words"] = words[0], words[1:]
    report_window(file, duration, kind, _ask(options), ascii_only)


@cli.command()
@click.argument("file")
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv"]), required=True, help="What to write.")
@click.option("-o", "--output", required=True, metavar="OUT", help="Where to; -: standard output.")
@_filter_options
def export(file: str, kind: str, output: str, **options: Any) -> None:
    """The paths of a recording in a format of others."""
    export_paths(file, kind, output, _ask(options))


@cli.command()
@_format("text", "json")
def check(kind: str) -> None:
    """What this machine offers: rights, BTF, lockdown, clocksource, the hook chosen for every point and why."""
    check_offers(kind)


@contextlib.contextmanager
def _one_sentence() -> Iterator[None]:
    """Endings as exit codes, errors as one sentence; never a traceback."""
    try:
        yield
    except Ended as end:
        if end.sentence:
            click.echo(f"netlat-tui: {end.sentence}", err=True)
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (BrokenPipeError, _NobodyReads):
        # Whoever read is gone; nothing may be written any more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)


def main() -> None:
    """The entry point."""
    with _one_sentence():
        cli.main(standalone_mode=False)
        sys.stdout.flush()
