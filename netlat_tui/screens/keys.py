"""The keys that do the same on every screen; those of a screen's own are with it. What a key is called."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS: list[BindingType] = [
    Binding("slash,f", "filter", "Filter", id="filter.open", key_display="/"),
    Binding("question_mark", "help", "Help", id="help.open", key_display="?"),
    Binding("f1", "help(True)", "Help", show=False, id="help.always"),
    Binding("colon", "command_palette", "Actions", id="palette.open"),
    Binding("q", "quit", "Quit", id="app.quit"),
    Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True, id="app.interrupt"),
    Binding("equals_sign", "filter_row", "Filter by the selected row", show=False, id="filter.row"),
    Binding("ctrl+l", "clear_filter", "Clear the filter", show=False, id="filter.clear"),
    Binding("h", "heat", "Heatmap of the selected stage or delay", show=False, id="heat.open"),
    Binding("space", "freeze", "Freeze the display, or pause the replay", show=False, id="view.freeze"),
    Binding("right_square_bracket", "step", "Next tick of the recording", show=False, id="replay.step"),
    Binding("left_square_bracket", "step(-1)", "Previous tick of the recording", show=False, id="replay.back"),
    Binding("S", "seek", "Go to a place in the recording", show=False, id="replay.seek"),
    Binding("m", "mark", "Mark this moment with a note", show=False, id="mark.make"),
    Binding("M", "marks", "List of marks", show=False, id="mark.list"),
    Binding("left_curly_bracket", "mark_step(-1)", "Previous mark", show=False, id="mark.previous"),
    Binding("right_curly_bracket", "mark_step(1)", "Next mark", show=False, id="mark.next"),
    Binding("less_than_sign", "window(-1)", "Shorter time window", show=False, id="view.window_shorter"),
    Binding("greater_than_sign", "window(1)", "Longer time window", show=False, id="view.window_longer"),
    Binding("plus", "interval(1)", "Longer interval, or faster replay", show=False, id="view.interval_longer"),
    Binding("minus", "interval(-1)", "Shorter interval, or slower replay", show=False, id="view.interval_shorter"),
    Binding("d", "direction", "Direction: both, rx, tx", show=False, id="view.direction"),
    Binding("b", "baseline", "Pin the present as baseline, or drop it", show=False, id="view.baseline"),
    Binding("ctrl+r", "reset", "Reset statistics", show=False, id="view.reset"),
    Binding("e", "export", "Write the view to files", show=False, id="view.export"),
    Binding("R", "record", "Record on or off", show=False, id="record.toggle"),
    Binding("c", "copy", "Copy the row", show=False, id="row.copy"),
    Binding("C", "columns", "Choose the table's columns", show=False, id="columns.choose"),
]

_NAMES = {
    "escape": "Esc", "up": "Up", "down": "Down", "left": "Left", "right": "Right",
    "space": "Space", "tab": "Tab", "shift+tab": "S-Tab",
    "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "f1": "F1",
    "backspace": "Backspace", "delete": "Del",
    "shift+up": "S-Up", "shift+down": "S-Down",
}  # fmt: skip


def key_name(binding: Binding, ascii_only: bool) -> str:
    """What a binding's key is called on screen, "" where Textual's name for it does."""
    if binding.key == "enter":
        return "Enter" if ascii_only else "⏎"
    if binding.key_display and binding.key != binding.key_display and len(binding.key) == 1:
        return binding.key  # an alias of a key that is displayed otherwise
    return _NAMES.get(binding.key, "")
