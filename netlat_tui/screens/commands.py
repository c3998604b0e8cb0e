"""Every action of a view by its description and keys: for the help screen and the palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.screen import Screen

PALETTE_CELLS = 44

KeyName = Callable[[Binding], str]


def keys_of(view: Screen[Any], key_name: KeyName) -> list[tuple[str, str]]:
    """Keys and description of everything that can be done in a view, once each."""
    keys: dict[str, list[str]] = {}
    for active in view.active_bindings.values():
        if active.binding.id:
            keys.setdefault(active.binding.description, []).append(key_name(active.binding))
    return [(" ".join(names), words) for words, names in keys.items()]


def commands_of(view: Screen[Any], app: App[Any], key_name: KeyName) -> Iterator[SystemCommand]:
    """The palette's entries."""
    seen: set[str] = set()
    for active in view.active_bindings.values():
        binding, node = active.binding, active.node
        if not binding.id or binding.action == "command_palette":
            continue
        if binding.description in seen:
            continue
        seen.add(binding.description)

        async def run(action: str = binding.action, at: Any = node) -> None:
            await app.run_action(action, default_namespace=at)

        yield SystemCommand(f"{binding.description:<{PALETTE_CELLS}}{key_name(binding)}", "", run)
