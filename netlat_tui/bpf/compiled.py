"""What BCC made of the kernel side: compiled in a process of its own, kept for the next start."""

from __future__ import annotations

import binascii
import json
import struct
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from netlat_tui.bpf import cache
from netlat_tui.bpf.calls import MapSpec

_CHILD = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from netlat_tui.bpf.compiler import main
main()
"""
_TIMEOUT_S = 300  # emulated machines take minutes
_LD_IMM64, _MAP_FD = 0x18, 1


class BuildError(Exception):
    """The tracer cannot be had on this machine. One sentence; ``exit_code`` 3 (rights) or 4 (kernel)."""

    def __init__(self, message: str, exit_code: int = 4) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class CompiledMap:
    """A map to make; ``leaf`` is the type of its values where it is to be mapped."""

    name: str
    spec: MapSpec
    leaf: np.dtype[Any] | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """Maps, and programs by name; their references to maps are positions in ``maps``."""

    maps: tuple[CompiledMap, ...]
    programs: dict[str, bytes]

    def program(self, name: str, descriptors: list[int]) -> bytes:
        """A program's instructions with the descriptors of the maps filled in."""
        code = bytearray(self.programs[name])
        for at in range(0, len(code), 8):
            opcode, registers, _offset, value = struct.unpack_from("<BBhi", code, at)
            if opcode == _LD_IMM64 and registers >> 4 == _MAP_FD:
                struct.pack_into("<i", code, at + 4, descriptors[value])
        return bytes(code)


def compiled(source: str) -> Compiled:
    """The source compiled, now or at an earlier start; ``BuildError`` where BCC is missing or refuses it."""
    kept = cache.get(source)
    if kept is not None:
        try:
            return _parse(kept)
        except ValueError:
            pass  # written by a machine that crashed: compile again
    text, said = _compile(source)
    try:
        result = _parse(text)
    except ValueError as error:
        raise BuildError(f"BCC could not build the tracer for this kernel ({said}).") from error
    cache.put(source, text)
    return result


def _compile(source: str) -> tuple[str, str]:
    """What the compiler's process gave, and the last thing it said beside that."""
    command = [sys.executable, "-I", "-c", _CHILD, json.dumps(sys.path)]
    try:
        done = subprocess.run(
            command, input=source, capture_output=True, encoding="utf-8", check=False, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"BCC did not build the tracer within {_TIMEOUT_S} s: try again.") from error
    except OSError as error:
        raise BuildError(f"The compiler's process could not be started: {error.strerror}.") from error
    lines = done.stderr.strip().splitlines()
    return done.stdout, lines[-1] if lines else f"its process ended with {done.returncode}"


def _parse(text: str) -> Compiled:
    """``ValueError`` for what is not the compiler's output, ``BuildError`` for the failure it tells of."""
    try:
        data = json.loads(text)
        if "error" in data:
            raise BuildError(data["error"])
        maps = tuple(
            CompiledMap(entry["name"], MapSpec(*entry["spec"]), _dtype(entry["leaf"])) for entry in data["maps"]
        )
        return Compiled(maps, {name: binascii.unhexlify(code) for name, code in data["programs"].items()})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _dtype(layout: Any) -> np.dtype[Any] | None:
    return None if layout is None else np.dtype(_plain(layout))


def _plain(layout: Any) -> Any:
    if isinstance(layout, dict):
        return {**layout, "formats": [_plain(entry) for entry in layout["formats"]]}
    if isinstance(layout, list):
        return (_plain(layout[0]), (layout[1],))
    return layout
