"""Load the compiled kernel side and attach its hooks, each by trial."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from netlat_tui.bpf import calls
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.compiled import BuildError, Compiled, CompiledMap, compiled
from netlat_tui.bpf.hooks import PROBES, Probe, describe, offered
from netlat_tui.bpf.program import Sizes, source
from netlat_tui.model.ticks import Hook

HELPERS = ("on_sweep",)
"""Programs that are run by us rather than attached."""


@dataclass(frozen=True, slots=True)
class LoadedMap:
    """A map in the kernel and what it is made of."""

    fd: int
    made_of: CompiledMap


@dataclass
class Attached:
    """Maps and programs in the kernel. ``close`` takes them out again."""

    maps: dict[str, LoadedMap] = field(default_factory=dict)
    programs: dict[str, int] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def hooks(self) -> tuple[Hook, ...]:
        return describe(self.failures)

    def detach(self) -> None:
        """Take the hooks out; maps and programs stay."""
        while self.links:
            os.close(self.links.popitem()[1])

    def close(self) -> None:
        self.detach()
        while self.programs:
            os.close(self.programs.popitem()[1])
        while self.maps:
            os.close(self.maps.popitem()[1].fd)


def attach(btf: Btf, sizes: Sizes, prepare: Callable[[Attached], None]) -> Attached:
    """Compile, load and attach everything this kernel offers; ``BuildError`` where the essential hooks fail.

    ``prepare`` is called when the maps are there and nothing is attached yet.
    """
    made = compiled(source(btf, sizes, cmpxchg=calls.takes_cmpxchg()))
    attached = Attached()
    try:
        for entry in made.maps:
            attached.maps[entry.name] = LoadedMap(calls.create_map(entry.name, entry.spec), entry)
        prepare(attached)
        wanted = [probe for probe in PROBES if not _refused(attached, probe, offered(btf, probe))]
        refused = _load(attached, made, [probe.program for probe in wanted] + list(HELPERS))
        for probe in wanted:
            _refused(attached, probe, refused.get(probe.program) or _try(attached, probe))
    except PermissionError as error:
        attached.close()
        raise BuildError("The kernel refused a tracing call: run as root.", 3) from error
    except OSError as error:
        attached.close()
        raise BuildError(f"The kernel refused the tracer's maps: {error.strerror}.") from error
    except BuildError:
        attached.close()
        raise
    return attached


def _refused(attached: Attached, probe: Probe, reason: str) -> bool:
    """Note why a hook is missing; ``BuildError`` where nothing can be seen without it."""
    if reason:
        attached.failures[probe.event] = reason
        if probe.essential:
            raise BuildError(f"The kernel refused the hook that sees every packet, {probe.event}: {reason}.")
    return bool(reason)


def _load(attached: Attached, made: Compiled, names: list[str]) -> dict[str, str]:
    """Load programs side by side: the verifier takes its time. Why those that failed did so, by name."""
    descriptors = [attached.maps[entry.name].fd for entry in made.maps]

    def load(name: str) -> tuple[str, int, str]:
        try:
            return name, calls.load_program(name, made.program(name, descriptors)), ""
        except OSError as error:
            return name, -1, error.strerror or str(error)

    refused: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for name, fd, reason in pool.map(load, names):
            if reason:
                refused[name] = reason
            else:
                attached.programs[name] = fd
    return refused


def _try(attached: Attached, probe: Probe) -> str:
    try:
        attached.links[probe.event] = calls.attach_raw_tracepoint(probe.event, attached.programs[probe.program])
    except OSError as error:
        return error.strerror or str(error)
    return ""
