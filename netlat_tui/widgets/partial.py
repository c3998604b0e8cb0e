"""Only the cells that are to be drawn again are sent to the terminal.

Textual (8.2) knows which these are, and sends a widget's line from its first cell on all the same: all of a row that
ends with a figure.
"""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor


class Cells(ChopsUpdate):
    """An update that begins where the change begins."""

    def render_segments(self, console: Console) -> str:
        sequences: list[str] = []
        last_y = self.spans[-1][0]
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                begin, stop = max(x, x1), min(end, x2)
                if strip is None or begin >= stop:
                    continue
                sequences.append(Control.move_to(begin, y).segment.text)
                sequences.append(strip.crop(begin - x, stop - x).render(console))
            if y != last_y:
                sequences.append("\n")
        return "".join(sequences)


class CellCompositor(Compositor):
    """A screen's compositor that makes such updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return None if update is None else Cells(update.chops, update.spans, update.chop_ends)
