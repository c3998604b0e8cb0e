"""Marks: a note at a moment, made, shown, and gone to."""

from __future__ import annotations

import threading
from contextlib import suppress

from netlat_tui.model.text import printable
from netlat_tui.recording import MOST_TEXT, Mark
from netlat_tui.screens.actions.base import ViewApp
from netlat_tui.screens.marks import MarksScreen
from netlat_tui.screens.panes.paths import clock
from netlat_tui.screens.view import ViewScreen
from netlat_tui.sources.base import SourceError
from netlat_tui.widgets.ask_bar import AskBar, Question

MARK = "mark"


class MarkActions(ViewApp):
    """Actions of the keys ``mark.*``."""

    _mark_ns = 0

    def action_mark(self) -> None:
        """Ask for a note to the moment that is shown; it may be empty."""
        if self.view is None or self.state.snapshot is None:
            self.say("there is nothing to mark yet")
            return
        self._mark_ns = self._moment()
        told = f"Enter: a mark at {clock(self._mark_ns, 0)[:8]}, {self._kept_where()}"
        self.view.ask(Question(MARK, "mark:", "a note, or none", lambda _: (True, told), MOST_TEXT))

    def _moment(self) -> int:
        """The present; where time is held, or a recording is played, what is shown."""
        snapshot, timeline = self.state.snapshot, self.state.timeline
        if snapshot is None or (self.state.live and not self.state.frozen):
            return self.context.now_ns()
        if timeline is not None and self.player is not None and snapshot.time_ns > timeline.end_ns:
            return timeline.times_ns[max(1, self.player.number) - 1]  # it is played again and again
        return snapshot.time_ns

    def _kept_where(self) -> str:
        if self.player is not None:
            return "kept beside the recording" if self.player.keeps else "for this session only"
        return "kept in the recording" if self.recorder.wanted is not None else "for this session: R records"

    def make_mark(self, text: str) -> None:
        mark = Mark(self._mark_ns, printable(text.strip())[:MOST_TEXT])
        self.state.marked(mark)
        at = clock(mark.time_ns, 0)[:8]
        if self.player is not None:
            threading.Thread(target=self._keep, args=(mark,), name="mark", daemon=True).start()
            self.say(f"marked {at}")
        elif self.recorder.wanted is not None:
            self.recorder.mark(mark)
            self.say(f"marked {at}, in the recording")
        else:
            self.say(f"marked {at} for this session only: a recording begun later has no marks of before it")
        self.refresh_view()

    def _keep(self, mark: Mark) -> None:
        """In a thread of its own: a disk can be slow."""
        if self.player is None:
            return
        try:
            self.player.keep(mark)
        except SourceError as error:
            with suppress(RuntimeError):  # the loop has just been closed: nobody is left to see it
                self.post_message(ViewScreen.Say(str(error), True))

    def action_marks(self) -> None:
        """All marks; in a recording, Enter goes to one."""
        if self.view is not None and not isinstance(self.screen, MarksScreen):
            marks = self.state.marks
            can_go = self.state.timeline is not None
            self.push_screen(MarksScreen(marks, self.context.glyphs, can_go=can_go), self._mark_chosen)

    def _mark_chosen(self, index: int | None) -> None:
        if index is not None and self.state.timeline is not None and index < len(self.state.marks):
            self.go_to(self.state.timeline.at_time(self.state.marks[index].time_ns))

    def action_mark_step(self, step: int) -> None:
        """To the next mark, or the one before, from where the recording is."""
        timeline = self.state.timeline
        if timeline is None or self.player is None:
            self.say("only a recording in a file can be gone through")
            return
        here = self.player.number
        numbers = sorted({timeline.at_time(mark.time_ns) for mark in self.state.marks})
        ahead = [number for number in numbers if (number > here if step > 0 else number < here)]
        if ahead:
            self.go_to(ahead[0] if step > 0 else ahead[-1])
        else:
            self.say("no mark after this" if step > 0 else "no mark before this")

    def on_ask_bar_cancelled(self, event: AskBar.Cancelled) -> None:
        event.stop()
        if self.view is not None:
            self.view.close_ask()
