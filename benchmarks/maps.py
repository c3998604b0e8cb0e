"""Memory of every map, from what the kernel side is compiled to for so many CPUs."""

from __future__ import annotations

import os

from netlat_tui.bpf import calls
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.compiled import Compiled, compiled
from netlat_tui.bpf.plan import make
from netlat_tui.bpf.program import Sizes, source

_ARRAY, _LRU_HASH, _RINGBUF = 2, 9, 27  # BPF_MAP_TYPE_*
_PAGE = os.sysconf("SC_PAGESIZE")
_MMAPABLE = 1 << 10
_HASH_ELEMENT = 48  # struct htab_elem without key and value
_BUCKET = 16


def compiled_for(btf: Btf, sizes: Sizes, tier: str = "auto") -> Compiled:
    return compiled(source(btf, sizes, make(btf, tier), cmpxchg=calls.takes_cmpxchg()))


def bytes_of(spec: calls.MapSpec) -> int:
    """What the kernel allocates for a map when it is made, to a page or so."""
    value = (spec.value_size + 7) // 8 * 8
    if spec.kind == _RINGBUF:
        return spec.entries + 3 * _PAGE
    if spec.kind == _LRU_HASH:
        buckets = 1 << (spec.entries - 1).bit_length()
        return spec.entries * (_HASH_ELEMENT + (spec.key_size + 7) // 8 * 8 + value) + buckets * _BUCKET
    if spec.kind == _ARRAY and spec.flags & _MMAPABLE:
        return (value * spec.entries + _PAGE - 1) // _PAGE * _PAGE
    return value * spec.entries


def kernels_word(name: str, spec: calls.MapSpec) -> int | None:
    """What the kernel itself says a map of this kind takes; it is made for that and goes away again."""
    try:
        fd = calls.create_map(name, spec)
    except OSError:
        return None
    try:
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("memlock:"):
                    return int(line.split()[1])
        return None
    finally:
        os.close(fd)
