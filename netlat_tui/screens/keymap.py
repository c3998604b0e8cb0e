"""Other keys than the ones we chose: what a config file's ``[keys]`` says, checked against every binding there is."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS, REPLACED_KEYS, Keys, _character_to_key, key_to_character

from netlat_tui.model.text import printable


@dataclass(frozen=True)
class Place:
    """Where bindings apply. ``layers`` are asked for a key in this order, the innermost first."""

    title: str
    layers: tuple[Sequence[BindingType], ...]


ALIASES = {
    "esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "pgdown": "pagedown", "del": "delete",
    "ins": "insert", "hyphen": "minus", "dash": "minus", "period": "full_stop", "dot": "full_stop",
    "ctrl+i": "tab", "ctrl+m": "enter", "backtab": "shift+tab", "ctrl+h": "backspace",
    "equal": "equals_sign", "equals": "equals_sign",
}  # fmt: skip
"""What keys are called elsewhere, and keys that are the same to a terminal."""

ALWAYS = {"ctrl+p": "palette.open", "ctrl+q": "app.quit"}
"""Keys that open the palette and quit whatever else was said: Textual's own."""

WHILE_TYPING = ("app.interrupt", "filter.cancel", "ask.cancel")
"""Actions whose keys count while a filter is typed: they cannot be characters."""

_EATEN = re.compile(r"ctrl\+[absjo]|(.+\+)?f\d+|.+\+enter")
_MODIFIED = re.compile(r"((?:ctrl|alt|shift|super|meta|hyper)\+)+(.+)")
_NAMED = {key.value for key in Keys if not key.value.startswith("<")}


def expanded(bindings: Sequence[BindingType]) -> Iterator[Binding]:
    """A binding for each of its keys, by Textual's name of the key."""
    yield from Binding.make_bindings(bindings)


def key_called(word: str) -> str | None:
    """Textual's name of a key that somebody wrote, ``None`` where there is none of that name."""
    if len(word) == 1:
        return _character_to_key(word) if word.isprintable() and word != " " else None
    name = re.sub(r"\b(ctrl|control|alt|shift)[-+](?=.)", r"\1+", word.lower()).replace("control+", "ctrl+")
    name = ALIASES.get(name, name)
    if name in _NAMED:
        return name
    modified = _MODIFIED.fullmatch(name)
    if modified is None:
        name = KEY_NAME_REPLACEMENTS.get(name, name)
        return name if _typed(name) and re.fullmatch("[a-z_]+", name) else None
    base = key_called(modified[2])
    if base is None or (len(base) == 1 and name.startswith("shift+")):  # a shifted letter is a capital
        return None
    return name[: -len(modified[2])] + base


def _typed(key: str) -> bool:
    """Whether a key is a character."""
    character = key_to_character(REPLACED_KEYS.get(key, key))
    return character is not None and character.isprintable()


def eaten(key: str) -> bool:
    """Whether tmux, screen or a terminal may keep the key for itself."""
    return _EATEN.fullmatch(key) is not None


def checked(table: Mapping[str, object], places: Sequence[Place]) -> tuple[dict[str, str], list[str]]:
    """The keymap that Textual takes, and a sentence for everything in the table that is wrong or of doubtful use.

    What is wrong keeps its keys as they are by default.
    """
    defaults = default_keys(places)
    chosen: dict[str, list[str]] = {}
    said: list[str] = []
    for name, value in _flat(table):
        shown = printable(name)
        if name not in defaults:
            said.append(f"[keys] {shown}: there is no such action; {_near(name, defaults)}.")
            continue
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
            said.append(f'[keys] {shown}: say a key or a list of keys, as "x" or ["x", "ctrl+t"].')
            continue
        keys: list[str] = []
        for word in words:
            key = key_called(word)
            if key is None:
                said.append(f'[keys] {shown}: there is no key "{printable(word[:40])}"; {_near_key(word)}.')
            elif ALWAYS.get(key, name) != name:
                said.append(f'[keys] {shown}: "{key}" always does {ALWAYS[key]}; choose another key.')
            elif name in WHILE_TYPING and (len(word) == 1 or _typed(key)):
                said.append(f'[keys] {shown}: "{key}" could not be typed any more; choose one with ctrl.')
            elif key not in keys:
                keys.append(key)
        if keys:
            chosen[name] = keys
    said += _clashes(chosen, places)
    for name, keys in chosen.items():
        if all(map(eaten, keys)):
            words_ = " and ".join(f'"{key}"' for key in keys)
            said.append(f"[keys] {name}: tmux, screen or the terminal may keep {words_} to itself; add another key.")
    return {name: ",".join(keys) for name, keys in chosen.items()}, said


def default_keys(places: Sequence[Place]) -> dict[str, tuple[str, ...]]:
    """Every id with its keys."""
    keys: dict[str, dict[str, None]] = defaultdict(dict)
    for place in places:
        for layer in place.layers:
            for binding in expanded(layer):
                if binding.id:
                    keys[binding.id][binding.key] = None
    return {name: tuple(found) for name, found in keys.items()}


def _clashes(chosen: dict[str, list[str]], places: Sequence[Place]) -> Iterator[str]:
    """Take out of ``chosen`` what would take another action's key where both apply, until nothing does any more."""
    said: set[str] = set()
    while True:
        found = next(_doubled(chosen, places), None)
        if found is None:
            return
        name, key, other, title = found
        del chosen[name]
        sentence = f'[keys] {name}: "{key}" is the key of {other} already ({title}); give one of them another.'
        if sentence not in said:
            said.add(sentence)
            yield sentence


def _doubled(chosen: Mapping[str, list[str]], places: Sequence[Place]) -> Iterator[tuple[str, str, str, str]]:
    """What was chosen and has a key that another action has in the same place, but for what shares one by default."""
    for place in places:
        names = {binding.id: binding for layer in place.layers for binding in expanded(layer) if binding.id}
        defaults = default_keys([place])
        holders: dict[str, list[str]] = defaultdict(list)
        for name in names:
            for key in chosen.get(name, defaults[name]):
                holders[key].append(name)
        for key, holding in holders.items():
            for name in reversed(holding):
                for other in holding:
                    both = key in defaults[name] and key in defaults[other]
                    if name in chosen and other != name and not both:
                        yield name, key, other, place.title


def _flat(table: Mapping[str, object], front: str = "") -> Iterator[tuple[str, object]]:
    """Ids and values: ``filter.open = "x"`` is a table in a table to TOML, ``"filter.open" = "x"`` is not."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{front}{name}.")
        else:
            yield f"{front}{name}", value


def _near(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name[:80], list(known), n=1)
    return f"did you mean {near[0]}" if near else "docs/keys.md lists all of them"


def _near_key(word: str) -> str:
    last = re.fullmatch(r"shift\+([a-z])", word.lower())
    if last:
        return f'a capital is written "{last[1].upper()}"'
    near = difflib.get_close_matches(word.lower()[:40], [*sorted(_NAMED), *ALIASES], n=1)
    return f'did you mean "{near[0]}"' if near else 'it is a character, or a name as "f2", "pageup" or "ctrl+t"'
