"""What of a filter the kernel can decide, as a small stack program: the contract between the language and the hooks.

``netlat_tui.bpf`` writes the instructions into a map; ``filter.h`` runs them on each packet at the link layer.
``TEST`` pushes one bit, ``AND`` and ``OR`` take two and push one, ``NOT`` turns the top over; what is left on top is
the verdict. An empty program passes everything.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from netlat_tui.model.ticks import Rows

MAX_INSTRUCTIONS = 64
MAX_DEPTH = 32


class Op(IntEnum):
    END = 0
    TEST = 1
    AND = 2
    OR = 3
    NOT = 4


class Field(IntEnum):
    """What a ``TEST`` looks at. Ranges include both ``lo`` and ``hi``."""

    SPORT = 1  # lo…hi; no match for packets without ports
    DPORT = 2
    CPU = 3  # lo…hi: CPU whose softirq took the packet
    PROTO = 4  # lo…hi: IPPROTO_*
    FAMILY = 5  # lo…hi: 4 or 6
    SADDR = 6  # value/prefix of this family
    DADDR = 7
    NETNS = 8  # lo…hi: inode number
    IFNAME = 9  # value: name, padded with zeros
    IRQ = 10  # lo…hi
    DIRECTION = 11  # lo…hi: Direction
    CONSTANT = 12  # lo: 0 or 1


INSTRUCTION = np.dtype(
    [
        ("op", "u1"), ("field", "u1"), ("prefix", "u1"), ("family", "u1"),
        ("lo", "<u4"), ("hi", "<u4"), ("pad", "<u4"), ("value", "u1", (16,)),
    ]
)  # fmt: skip


def empty_program() -> Rows:
    """The program that passes everything."""
    return np.zeros(0, dtype=INSTRUCTION)
