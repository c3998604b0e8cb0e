"""Compile the kernel side for a kernel that is not running, from its image: an emulated machine takes minutes for it.

    python scripts/precompile.py VMLINUZ CPUS [FUNCTION…]     into $XDG_CACHE_HOME/netlat-tui

FUNCTION: one that the kernel describes and refuses to hook

A guess that the guest checks: it uses what it finds in its cache only if that is, to the letter, what it would compile.
"""

from __future__ import annotations

import lzma
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import zstandard

from netlat_tui.bpf import calls, plan
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.compiled import compiled
from netlat_tui.bpf.hooks import PROBES, Way
from netlat_tui.bpf.program import Sizes, source

UNPACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\xfd7zXZ\0": lambda data: lzma.LZMADecompressor().decompress(data),
    b"\x28\xb5\x2f\xfd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    b"\x1f\x8b\x08": lambda data: zlib.decompressobj(31).decompress(data),
}
"""By the magic number of what they unpack."""


def kernel(image: bytes) -> bytes:
    """The ELF file inside a bzImage."""
    for magic, unpack in UNPACKERS.items():
        at = image.find(magic)
        while at >= 0:
            try:
                found = unpack(image[at:])
            except (lzma.LZMAError, zstandard.ZstdError, zlib.error):
                found = b""
            if found.startswith(b"\x7fELF"):
                return found
            at = image.find(magic, at + 1)
    raise SystemExit("there is no kernel in the image")


def section(elf: bytes, wanted: bytes) -> bytes:
    """elf(5): e_shoff; e_shentsize, e_shnum, e_shstrndx; sh_name, type, flags, addr, sh_offset, sh_size."""
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + size * i) for i in range(count)]
    for name, _, _, _, offset, length in headers:
        if elf.startswith(wanted + b"\0", headers[names][4] + name):
            return elf[offset : offset + length]
    raise SystemExit(f"the kernel has no section {wanted.decode()}")


def main() -> None:
    image, cpus, changed = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    btf = Btf(section(kernel(image.read_bytes()), b".BTF"))
    cmpxchg = tuple(int(part) for part in image.name.split("-")[1].split(".")[:2]) >= (5, 12)
    system_calls = {f"syscalls/{probe.event}": 1 for probe in PROBES if probe.way is Way.SYSCALL}
    with (
        mock.patch.object(calls, "tracepoint_ids", lambda _events: system_calls),
        mock.patch.object(calls, "refuses_fentry", lambda _function: ""),
        mock.patch.object(calls, "refuses_kprobe", lambda _function: ""),
    ):
        for tier in plan.TIERS[1:]:
            wanted = plan.make(btf, tier)
            compiled(source(btf, Sizes(cpus=cpus), wanted, cmpxchg=cmpxchg))
            refused = [probe for probe in PROBES if probe.event in changed and probe.event in wanted.kinds]
            for probe in refused:  # as a tracer does that finds it cannot be hooked: it begins again without it
                wanted.refuse(probe, "the compiler has changed it")
            if refused:
                compiled(source(btf, Sizes(cpus=cpus), wanted, cmpxchg=cmpxchg))


if __name__ == "__main__":
    main()
