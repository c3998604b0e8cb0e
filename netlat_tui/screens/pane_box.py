"""A pane's place on the screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.containers import Vertical
from textual.message import Message

from netlat_tui.screens.panes.base import Pane


class PaneBox(Vertical):
    """Says when it comes into sight: out of it a pane is not made."""

    @dataclass
    class Seen(Message):
        pane: Pane

    def __init__(self, pane: Pane) -> None:
        super().__init__(id=f"pane-{pane.key}", classes="pane alone" if pane.alone else "pane")
        self.pane = pane

    def on_show(self) -> None:
        self.post_message(self.Seen(self.pane))
