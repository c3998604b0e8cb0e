"""A line to type an answer in, with a line below it that says what is wrong with it, or what Enter will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from netlat_tui.widgets.glyphs import Glyphs
from netlat_tui.widgets.line_view import Lines
from netlat_tui.widgets.lines import Role


@dataclass(frozen=True)
class Question:
    """``judge`` says whether an answer will do, and what that one means or what is expected."""

    key: str
    prompt: str
    examples: str
    judge: Callable[[str], tuple[bool, str]]
    longest: int = 200


class AskBar(Vertical):
    """Hidden until a question is asked. Enter answers it with what will do; Escape leaves everything as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="ask.cancel")]

    @dataclass
    class Answered(Message):
        """Enter on an answer that will do."""

        question: Question
        text: str

    class Cancelled(Message):
        """Escape."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="ask-bar")
        self.glyphs = glyphs
        self.display = False
        self._question: Question | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="ask-line"):
            yield Static("", markup=False, id="ask-prompt")
            yield Input(compact=True, id="ask-input")
        yield Lines(self.glyphs, id="ask-words")

    @property
    def _input(self) -> Input:
        return self.query_one("#ask-input", Input)

    def ask(self, question: Question) -> None:
        self._question = question
        self.query_one("#ask-prompt", Static).update(question.prompt)
        self.query_one("#ask-prompt").styles.width = len(question.prompt) + 1
        self._input.placeholder = self.glyphs.text(question.examples)
        self._input.max_length = question.longest
        self.display = True
        self._input.value = ""
        self._input.focus()
        self._judge("", typed=False)

    def close(self) -> None:
        self.display = False

    def _judge(self, text: str, *, typed: bool = True) -> bool:
        """Say what Enter will do. An answer nobody has begun to type is not yet wrong."""
        if self._question is None:
            return False
        good, words = self._question.judge(text)
        role = Role.DIM if good or not typed else Role.WARM
        self.query_one("#ask-words", Lines).show([((f" {self.glyphs.text(words)}", role),)])
        return good

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self._judge(event.value, typed=bool(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._judge(event.value) and self._question is not None:
            self.post_message(self.Answered(self._question, event.value))

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled())
