"""Help, the palette of all actions, and what keys are called in both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.app import SystemCommand
from textual.binding import Binding
from textual.command import CommandPalette
from textual.screen import Screen

from netlat_tui.screens.actions.base import ViewApp
from netlat_tui.screens.commands import commands_of, keys_of
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.keys import key_name


class HelpActions(ViewApp):
    """Actions of the keys ``help.*`` and ``palette.open``."""

    def action_help(self, always: bool = False) -> None:
        if self.view is not None:
            keys = keys_of(self.view, self.get_key_display)
            self.push_screen(HelpScreen(self.view.help(), keys, self.context.glyphs))

    def action_command_palette(self) -> None:
        if not any(isinstance(screen, CommandPalette) for screen in self.screen_stack):
            self.push_screen(CommandPalette(placeholder="an action's name", id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the view with its key."""
        if self.view is not None:
            yield from commands_of(self.view, self, self.get_key_display)
        yield SystemCommand("Other colours", "", self.action_change_theme)

    def get_key_display(self, binding: Binding) -> str:
        return key_name(binding, self.context.glyphs.ascii_only) or super().get_key_display(binding)
