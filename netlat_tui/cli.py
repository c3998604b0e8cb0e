"""The command line: what is asked for, and how it ends."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from netlat_tui import __version__
from netlat_tui.cli_base import Ask, Ended, discard_output
from netlat_tui.cli_compare import compare_files
from netlat_tui.cli_run import check_offers, export_paths, record_ticks, report_window, trace_paths
from netlat_tui.cli_view import live_view, replay_view
from netlat_tui.model.text import printable

_F = TypeVar("_F", bound=Callable[..., Any])


class _NobodyReads(Exception):  # noqa: N818 - not an error
    """Standard output is a pipe whose reader is gone."""


@contextlib.contextmanager
def _no_failure() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _NobodyReads from error  # click would make a failure of it


class _Commands(click.Group):
    """Without a command's name, the words are a filter for the live view."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = ("-h", "--help", "--version")
        if not args or (args[0] not in self.commands and args[0] not in own):
            args = ["live", *args]
        with _no_failure():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _no_failure():
            return super().invoke(ctx)

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


_hooks = click.option(
    "--hooks",
    type=click.Choice(["auto", "tracepoint", "kprobe", "fentry"]),
    default="auto",
    help="Force a kind of hook.",
)


class _Share(click.ParamType[float | None]):
    """A percentage, or ``none``."""

    name = "pct"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value is None or str(value).lower() == "none":
            return None
        try:
            share = float(str(value).removesuffix("%")) / 100
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            self.fail("say a percentage of all CPUs above 0, as 0.5 or 2, or none.", param, ctx)
        return share


def _live_options(function: _F) -> _F:
    for option in reversed(
        (
            _hooks,
            click.option(
                "--budget",
                type=_Share(),
                default="1",
                show_default=True,
                metavar="PCT|none",
                help="Percent of all CPUs tracing may cost; beyond it packets are counted in part. none: count all.",
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
        budget=options.pop("budget", None),
        interval_s=options.pop("interval", 1.0),
    )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="netlat-tui")
def cli() -> None:
    """Where packets spend their time in the Linux network stack, live.

    Without a command: the live view of the packets FILTER selects (tcpdump's words: port 443, host A, tcp, iface NAME,
    cpu N, total > 1ms, ...). Without the rights or the kernel for it: a bundled recording.

    \b
    Keys and columns of one's own are read from
    $XDG_CONFIG_HOME/netlat-tui/config.toml (~/.config, of whoever called sudo):
    docs/keys.md has an example, `netlat-tui check` says whether it is in order.
    """


@cli.command()
@_filter_options
@_live_options
@_ascii
def live(ascii_only: bool, **options: Any) -> None:
    """The live view of the packets FILTER selects: what runs without a command."""
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
    if words and _names_a_file(words[0]):
        file, options["words"] = words[0], words[1:]
    report_window(file, duration, kind, _ask(options), ascii_only)


def _names_a_file(word: str) -> bool:
    """No filter begins with such a word."""
    return word == "-" or word.endswith(".netlat") or "/" in word or os.path.isfile(word)  # noqa: PTH113


@cli.command()
@click.argument("a")
@click.argument("b")
@_format("text", "json")
@click.option(
    "--fail-above",
    "limits",
    multiple=True,
    metavar="STAGE=PCT",
    help="Exit with 1 if the stage's p99 (p50:STAGE=PCT: its p50) grew by more than so many percent and by more than"
    " the noise; may be given often. STAGE: socket->copy, rx total, application->read, ...",
)
@_filter_options
@_ascii
def compare(a: str, b: str, kind: str, limits: tuple[str, ...], ascii_only: bool, **options: Any) -> None:
    """Two recordings, stage by stage: what changed from A to B, and whether by more than the noise.

    A p50 or p99 has changed if it moved by more than a bucket of the histogram is wide there (up to 12.5 %), and if
    the Mann-Whitney test tells the two recordings' blocks apart, with a chance of 1 in 1000. Blocks are ticks, put
    together until they have 40 packets for the p50, 400 for the p99; 12 of them at the most. With fewer than 7 on a
    side there are too few to tell, and nothing is marked. More in docs/compare.md.

    FILTER can only be one that both were recorded with: what they have counted is of that.
    """
    compare_files((a, b), kind, limits, _ask(options), ascii_only)


@cli.command()
@click.argument("file")
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv", "perfetto"]), required=True, help="What to write.")
@click.option("-o", "--output", required=True, metavar="OUT", help="Where to; -: standard output.")
@_filter_options
def export(file: str, kind: str, output: str, **options: Any) -> None:
    """The paths of a recording in a format of others."""
    export_paths(file, kind, output, _ask(options))


@cli.command()
@_format("text", "json")
@_hooks
def check(kind: str, hooks: str) -> None:
    """What this machine offers: rights, BTF, lockdown, clocksource, the hook chosen for every point and why."""
    check_offers(kind, hooks)


@contextlib.contextmanager
def _one_sentence() -> Iterator[None]:
    """Endings as exit codes, errors as one sentence; never a traceback."""
    try:
        yield
    except Ended as end:
        if end.sentence:
            # It may name a file, and anyone may have chosen that name.
            click.echo("netlat-tui: " + "\n".join(map(printable, end.sentence.split("\n"))), err=True)
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (BrokenPipeError, _NobodyReads):
        discard_output()
        sys.exit(0)
    except OSError as error:
        discard_output()
        click.echo(f"netlat-tui: A call it needs was refused ({error.strerror}): ask `netlat-tui check`.", err=True)
        sys.exit(1)


def _streams() -> None:
    """Where the shell closed one (``>&-``), stdin is empty, stdout refuses to be written, stderr is discarded.

    Left closed, their numbers would go to the next files that are opened.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if descriptor == 2 else os.O_RDONLY)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale without the arrow in it, a name with anything in it


def main() -> None:
    """The entry point."""
    _streams()
    with _one_sentence():
        cli.main(standalone_mode=False)
        sys.stdout.flush()
