"""Compile the kernel side and attach its hooks, each by trial."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.headers import write_tree
from netlat_tui.bpf.hooks import PROBES, Probe, describe, offered
from netlat_tui.bpf.program import Sizes, source
from netlat_tui.model.ticks import Hook


class BuildError(Exception):
    """The tracer cannot be had on this machine. One sentence; ``exit_code`` 3 (rights) or 4 (kernel)."""

    def __init__(self, message: str, exit_code: int = 4) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextlib.contextmanager
def quiet_stderr() -> Iterator[list[str]]:
    """Collect what C code writes to descriptor 2 (BCC prints the verifier's log there) instead of showing it."""
    collected: list[str] = []
    with tempfile.TemporaryFile() as sink:
        saved = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            yield collected
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            sink.seek(0)
            collected.append(sink.read().decode("utf-8", "replace"))


def import_bcc() -> Any:
    """BCC's binding; ``BuildError`` where this interpreter has none, or another project of that name."""
    try:
        import bcc
    except ImportError as error:
        raise BuildError(
            "BCC's Python binding is missing: install python3-bpfcc (Debian, Ubuntu), python3-bcc (Fedora) "
            "or python-bcc (Arch), then run `make run` again."
        ) from error
    if not hasattr(bcc, "BPF"):
        raise BuildError(
            "The Python module `bcc` found here is another project: uninstall it with pip "
            "and install the distribution's python3-bpfcc."
        )
    return bcc


@dataclass
class Attached:
    """Programs in the kernel. ``close`` takes them out again."""

    bpf: Any
    functions: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def hooks(self) -> tuple[Hook, ...]:
        return describe(self.failures)

    def fd(self, event: str) -> int:
        return int(self.functions[event].fd)

    def close(self) -> None:
        self.bpf.cleanup()


def attach(btf: Btf, sizes: Sizes, prepare: Callable[[Any], None]) -> Attached:
    """Compile, load and attach everything this kernel offers; ``BuildError`` where the essential hooks fail.

    ``prepare`` gets the BCC object when the maps are there and nothing is attached yet.
    """
    bcc = import_bcc()
    with tempfile.TemporaryDirectory(prefix="netlat-tui-") as folder:
        os.environ["BCC_KERNEL_SOURCE"] = str(write_tree(Path(folder)))
        with quiet_stderr() as log:
            try:
                bpf = bcc.BPF(text=source(btf, sizes).encode(), cflags=["-Wno-everything"])
            except Exception as error:
                failure = error
                bpf = None
    os.environ.pop("BCC_KERNEL_SOURCE", None)
    if bpf is None:
        first = next(
            (line for line in "".join(log).splitlines() if "error" in line or "ailed" in line), str(failure)[:200]
        )
        raise BuildError(f"BCC could not build the tracer for this kernel ({first.strip()}).")
    attached = Attached(bpf)
    prepare(bpf)
    for probe in PROBES:
        reason = offered(btf, probe) or _try(attached, bcc, probe)
        if reason:
            attached.failures[probe.event] = reason
            if probe.essential:
                attached.close()
                raise BuildError(f"The kernel refused the hook that sees every packet, {probe.event}: {reason}.")
    return attached


def load_helper(attached: Attached, bcc: Any, name: str) -> int | None:
    """Load a program that is run by us rather than attached; ``None`` where the kernel refuses it."""
    with quiet_stderr():
        try:
            return int(attached.bpf.load_func(name.encode(), bcc.BPF.RAW_TRACEPOINT).fd)
        except Exception:
            return None


def _try(attached: Attached, bcc: Any, probe: Probe) -> str:
    with quiet_stderr() as log:
        try:
            function = attached.bpf.load_func(probe.program.encode(), bcc.BPF.RAW_TRACEPOINT)
            attached.bpf.attach_raw_tracepoint(tp=probe.event.encode(), fn_name=probe.program.encode())
        except Exception as error:
            failure = str(error)
        else:
            attached.functions[probe.event] = function
            return ""
    last = [line for line in "".join(log).splitlines() if line.startswith("bpf:")]
    return (last[-1] if last else failure).removeprefix("bpf: ").strip()
