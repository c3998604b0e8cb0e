"""What leaves the screen: a row, the view in files, a recording."""

from __future__ import annotations

import io
import threading
from contextlib import suppress

from rich.console import Console

from netlat_tui.screens.actions.base import ViewApp
from netlat_tui.screens.dump import contents
from netlat_tui.screens.dump import write as write_view
from netlat_tui.screens.files import folder, stem
from netlat_tui.screens.view import ViewScreen
from netlat_tui.widgets.svg import svg


class FileActions(ViewApp):
    """Actions of the keys ``row.copy``, ``view.export`` and ``record.toggle``."""

    def action_copy(self) -> None:
        text = self.view.row_text() if self.view is not None else ""
        if text:
            self.copy_to_clipboard(text)
            self.say("row copied")

    def action_export(self) -> None:
        """Write the view to text, JSON, CSV and SVG files; a thread does it, for a disk can be slow."""
        snapshot, view = self.state.snapshot, self.view
        if snapshot is None or view is None:
            self.say("there is nothing to write yet")
            return
        exported = view.exported(snapshot)
        picture = self.export_screenshot(title=f"netlat-tui {' > '.join(exported.crumbs)}", simplify=True)

        def write() -> None:
            texts = contents(exported, snapshot, self.source.origin, self.state.live, picture)
            sentence, bad = write_view(exported, texts, folder(), stem(exported.name, snapshot.time_ns))
            with suppress(RuntimeError):  # the loop has just been closed: nobody is left to see it
                self.post_message(ViewScreen.Say(sentence, bad))

        threading.Thread(target=write, name="export", daemon=True).start()

    def action_record(self) -> None:
        """Write what is collected to a file, or end it."""
        if not self.state.live:
            self.say("this is a recording already")
        elif self.recorder.wanted is not None:
            self.recorder.end()
        else:
            path = folder() / f"{stem('recording', self.context.now_ns())}.netlat"
            self.recorder.begin(path)
            self.say(f"recording to {path}")
        self.hear_recorder()
        self.refresh_view()

    def hear_recorder(self) -> None:
        """Show what the recorder has to say."""
        self.state.recording = str(self.recorder.wanted or "")
        for sentence, bad in self.recorder.news():
            self.say(sentence, warn=bad)

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as SVG, in colours and fonts of our own choosing: the terminal's are not ours to know."""
        width, height = self.size
        console = Console(
            width=width,
            height=height,
            file=io.StringIO(),
            force_terminal=True,
            color_system="truecolor",
            record=True,
            legacy_windows=False,
            safe_box=False,
        )
        console.print(
            self.screen._compositor.render_update(full=True, screen_stack=self._background_screens, simplify=simplify)
        )
        return svg(console, title or self.title, dark=self.current_theme.dark)
