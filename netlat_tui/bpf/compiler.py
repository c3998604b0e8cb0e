"""BCC, in a process of its own: C on stdin, maps and instructions on stdout.

The compiler takes some 100 MB and does not give them back; this process ends when it has compiled. References to maps
leave it as numbers in the order of ``maps``, because descriptors mean nothing to another process.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netlat_tui.bpf.calls import map_spec
from netlat_tui.bpf.headers import write_tree

MISSING = (
    "BCC's Python binding is missing: install python3-bpfcc (Debian, Ubuntu), python3-bcc (Fedora) "
    "or python-bcc (Arch), then run `make run` again."
)
NAMESAKE = (
    "The Python module `bcc` found here is another project: uninstall it with pip "
    "and install the distribution's python3-bpfcc."
)

_LD_IMM64, _MAP_FD = 0x18, 1  # BPF_LD | BPF_IMM | BPF_DW with BPF_PSEUDO_MAP_FD
_MMAPABLE = 1 << 10  # BPF_F_MMAPABLE


class CompileError(Exception):
    """One sentence."""


def import_bcc() -> Any:
    """BCC's binding; ``CompileError`` where this interpreter has none, or another project of that name."""
    try:
        import bcc
    except ImportError as error:
        raise CompileError(MISSING) from error
    if not hasattr(bcc, "BPF"):
        raise CompileError(NAMESAKE)
    return bcc


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[list[str]]:
    """Collect what C code writes to descriptor 2 (clang's messages) instead of showing it."""
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


def layout(leaf: Any) -> Any:
    """A ctypes type as what ``numpy.dtype`` takes, in JSON's types."""
    if issubclass(leaf, ctypes.Structure):
        fields = [(name, kind) for name, kind, *_ in leaf._fields_]
        return {
            "names": [name for name, _ in fields],
            "formats": [layout(kind) for _, kind in fields],
            "offsets": [getattr(leaf, name).offset for name, _ in fields],
            "itemsize": ctypes.sizeof(leaf),
        }
    if issubclass(leaf, ctypes.Array):
        return [layout(leaf._type_), leaf._length_]
    return f"<u{ctypes.sizeof(leaf)}"


def compile_text(text: str) -> dict[str, Any]:
    """Maps and programs of the C text, as JSON's types; ``CompileError`` where BCC refuses it."""
    bcc = import_bcc()
    with tempfile.TemporaryDirectory(prefix="netlat-tui-") as folder:
        os.environ["BCC_KERNEL_SOURCE"] = str(write_tree(Path(folder)))
        with _quiet_stderr() as log:
            try:
                bpf = bcc.BPF(text=text.encode(), cflags=["-Wno-everything"])
            except Exception as error:
                failure = str(error)
                bpf = None
    if bpf is None:
        lines = "".join(log).splitlines()
        first = next((line for line in lines if "error" in line or "ailed" in line), failure)
        raise CompileError(f"BCC could not build the tracer for this kernel ({first.strip()[:200]}).")

    library, module = bcc.libbcc.lib, bpf.module
    library.bpf_table_name.restype = ctypes.c_char_p  # the binding leaves this one out
    library.bpf_table_name.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    maps: list[dict[str, Any]] = []
    numbers: dict[int, int] = {}
    for i in range(library.bpf_num_tables(module)):
        name = library.bpf_table_name(module, i)
        table = bpf[name]
        spec = map_spec(table.get_fd())
        numbers[table.get_fd()] = len(maps)
        maps.append(
            {
                "name": name.decode(),
                "spec": [spec.kind, spec.key_size, spec.value_size, spec.entries, spec.flags],
                "leaf": layout(table.Leaf) if spec.flags & _MMAPABLE else None,
            }
        )
    programs = {}
    for i in range(library.bpf_num_functions(module)):
        name = library.bpf_function_name(module, i)
        programs[name.decode()] = _number_maps(bpf.dump_func(name), numbers).hex()
    return {"maps": maps, "programs": programs}


def _number_maps(code: bytes, numbers: dict[int, int]) -> bytes:
    """The code with descriptors of maps replaced by their numbers."""
    result = bytearray(code)
    for at in range(0, len(code), 8):
        opcode, registers, _offset, value = struct.unpack_from("<BBhi", code, at)
        if opcode == _LD_IMM64 and registers >> 4 == _MAP_FD:
            struct.pack_into("<i", result, at + 4, numbers[value])
    return bytes(result)


def main() -> None:
    """C on stdin; ``{"maps", "programs"}`` or ``{"error"}`` on stdout."""
    try:
        result = compile_text(sys.stdin.read())
    except (CompileError, OSError) as error:
        result = {"error": str(error)}
    json.dump(result, sys.stdout)
