"""Writes docs/keys.md from the bindings and tables there are: ``python scripts/keys_page.py``.

``--check`` writes nothing; it ends with 1 where the page is not as it should be.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from netlat_tui.screens import orders
from netlat_tui.screens.catalogue import PLACES, TABLES
from netlat_tui.screens.keymap import expanded
from netlat_tui.screens.keys import KEYS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "keys.md"

HEAD = """\
# Keys and columns of one's own

<!-- Made by scripts/keys_page.py of the bindings there are: change those, or the script, and run it again. -->

Keys and columns can be set in a file that is only ever read:

```
$XDG_CONFIG_HOME/netlat-tui/config.toml        (~/.config/netlat-tui/config.toml where the variable is not set)
```

```toml
[keys]                                  # an action = its key, or several; these are then all it has
filter.open = "ctrl+f"
row.down = ["down", "n"]
pane.paths = ["4", "P"]

[columns]                               # a table = its columns in their order
layers = ["stage", "p99", "p50", "rate", "trend"]
paths = ["time", "flow", "total", "worst"]
```

- **Under sudo** it is the file in the home folder of whoever called it, read as that user once rights are dropped.
  A file that is somebody else's and not root's, that anybody may write, or that is larger than 64 KiB is not read.
  All it can hold are names of keys and columns.
- **Mistakes** are sentences: the first is shown when the view opens, all of them on stderr when it ends, and by
  `netlat-tui check`. What is wrong stays as it is by default; everything else holds.
- **A key** is a character (`"x"`, `"X"`, `"?"`), or a name: `space`, `enter`, `escape`, `tab`, `backspace`,
  `delete`, `up`, `down`, `left`, `right`, `home`, `end`, `pageup`, `pagedown`, `f1` …, with `ctrl+`, `alt+` or
  `shift+` in front (`"ctrl+t"`, `"shift+up"`). `ctrl+p` (all actions) and `ctrl+q` (quit) are always there.
- **tmux, screen and terminals** keep some keys to themselves: Ctrl with A, B, S, J or O, function keys, Enter with
  another key. An action that has only such keys is warned of.
- **Columns** can be chosen in the view as well: `C` lists those of the table one is in. Space shows or hides one,
  `J` `K` move it, `r` goes back to what the config file says, or to how it was made; `Enter` or `Esc` keeps. The
  choice is kept in `$XDG_STATE_HOME/netlat-tui/columns.toml` (`~/.local/state`) and goes before the config file's.
  Where the screen is narrow columns give way as they always do.
"""


def page() -> str:
    return "\n".join([HEAD, *_keys(), *_columns()]) + "\n"


def _keys() -> Iterator[str]:
    yield "## Actions"
    everywhere = {binding.id for binding in expanded(KEYS)}
    seen: set[str] = set()
    sections: list[tuple[str, list[tuple[str, str, str]]]] = [("On every screen", [])]
    for place in PLACES:
        sections.append((place.title[0].upper() + place.title[1:], []))
        keys: dict[str, list[str]] = {}
        words: dict[str, str] = {}
        for layer in place.layers:
            for binding in expanded(layer):
                if binding.id and binding.id not in seen:
                    keys.setdefault(binding.id, []).append(binding.key)
                    words[binding.id] = binding.description
        for name, found in keys.items():
            seen.add(name)
            shared = name in everywhere or name.startswith(("row.", "sort.", "view."))
            entry = (name, " ".join(f"`{key}`" for key in found), words[name])
            sections[0 if shared else -1][1].append(entry)
    for title, entries in sections:
        if entries:
            yield f"\n### {title}\n"
            yield "| action | keys | does |"
            yield "|---|---|---|"
            for name, found_keys, described in entries:
                yield f"| `{name}` | {found_keys} | {described} |"
    yield ""


def _columns() -> Iterator[str]:
    yield "## Columns"
    yield ""
    yield "Those marked `=` stay; a first one stays first. A table of a CPU or an interrupt is one of *layers*,"
    yield "that of a kind of drop one of *paths*. In their default order; the number says what goes first."
    for name, columns in TABLES.items():
        yield f"\n### {name}\n"
        yield "| column | title | gives way | says |"
        yield "|---|---|---|---|"
        for index, column in enumerate(columns):
            way = "=" if orders.stays(columns, index) else str(column.drop)
            yield f"| `{column.key}` | {column.title} | {way} | {column.help} |"


def main() -> int:
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    return int(PAGE.read_text(encoding="utf-8") != page())


if __name__ == "__main__":
    sys.exit(main())
