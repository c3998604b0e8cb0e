"""What a machine offers a tracer, as ``check`` shows it."""

from __future__ import annotations

from dataclasses import dataclass

from netlat_tui.model.ticks import Hook


@dataclass(frozen=True, slots=True)
class Check:
    """One thing asked of the machine. ``ok`` is ``None`` where the machine does not say."""

    name: str
    ok: bool | None
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Offers:
    """All that was asked. ``exit_code`` is DESIGN.md's: 0, 3 (rights) or 4 (kernel)."""

    host: str
    kernel: str
    machine: str
    version: str
    checks: tuple[Check, ...]
    hooks: tuple[Hook, ...]
    traceable: bool
    exit_code: int
