"""A filter's program as the kernel side holds it: the model's instructions with their prefixes spelled out as masks."""

from __future__ import annotations

import numpy as np

from netlat_tui.model.filter_program import INSTRUCTION
from netlat_tui.model.ticks import Rows

KERNEL_INSTRUCTION = np.dtype([*INSTRUCTION.descr, ("mask", "u1", (16,))])


def expand(program: Rows) -> Rows:
    """The program with a mask of ``prefix`` leading one bits beside each value."""
    rows = np.zeros(len(program), dtype=KERNEL_INSTRUCTION)
    for name in INSTRUCTION.names or ():
        rows[name] = program[name]
    bits = np.arange(128) < program["prefix"].astype(np.int64)[:, None]
    rows["mask"] = np.packbits(bits, axis=1)
    return rows
