"""docs/keys.md says what there is."""

from __future__ import annotations

import re
import tomllib

from netlat_tui.screens.catalogue import PLACES, TABLES
from netlat_tui.screens.keymap import default_keys
from netlat_tui.screens.settings import of_config
from scripts.keys_page import PAGE, page


def test_the_page_is_as_the_script_makes_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python scripts/keys_page.py"


def test_it_names_every_action_once_and_every_column() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, keys in default_keys(PLACES).items():
        (line,) = re.findall(rf"^\| `{re.escape(name)}` \|.*$", text, re.MULTILINE)
        assert all(f"`{key}`" in line for key in keys)
    for columns in TABLES.values():
        assert all(f"| `{column.key}` |" in text for column in columns)


def test_its_example_is_in_order() -> None:
    example = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    found = of_config(tomllib.loads(example))
    assert found.sentences == ()
    assert len(found.keys) == 3
    assert set(found.columns) == {"layers", "paths"}
