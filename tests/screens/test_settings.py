"""Keys and columns of one's own, as their user sees them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

import netlat_tui.app  # noqa: F401 - every screen and widget there is
from netlat_tui.app import NetlatApp
from netlat_tui.screens import keymap
from netlat_tui.screens.catalogue import PLACES
from netlat_tui.screens.columns import ColumnsScreen
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.main import MainScreen
from netlat_tui.screens.panes import layers
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.settings import Settings, load, of_config
from netlat_tui.widgets.table import Table
from tests.screens.conftest import make_app, running, screen_text, table_lines, until


def app_with(config: str) -> NetlatApp:
    return make_app(settings=of_config(tomllib.loads(config)))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "SUDO_UID", "SUDO_GID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


# --- Keys ---


async def test_another_key_does_it_and_the_one_before_does_nothing() -> None:
    app = app_with('[keys]\nview.freeze = ["x", "ctrl+t"]\nhelp.open = "i"\nrow.down = "n"\n')
    async with running(app) as pilot:
        await pilot.press("space")
        assert not app.state.frozen
        await pilot.press("x")
        assert app.state.frozen
        await pilot.press("ctrl+t")
        assert not app.state.frozen
        table = app.screen.query_one("#table-layers", Table)
        at = table.position
        await pilot.press("j")
        assert table.position == at
        await pilot.press("n")
        assert table.position != at
        await pilot.press("question_mark")
        assert not isinstance(app.screen, HelpScreen)
        await pilot.press("i")
        assert isinstance(app.screen, HelpScreen)


async def test_keys_of_a_pane_and_of_a_packets_way_can_be_others() -> None:
    app = app_with('[keys]\npane.paths = "P"\nrow.open = "o"\npaths.order = "O"\nview.back = "backspace"\n')
    assert app.settings.sentences == ()
    async with running(app) as pilot:
        await pilot.press("4")
        assert "slowest first" not in screen_text(app)
        await pilot.press("P", "o")
        await pilot.pause()
        assert isinstance(app.screen, PathScreen)
        await pilot.press("escape")
        assert isinstance(app.screen, PathScreen)
        await pilot.press("backspace")
        assert isinstance(app.screen, MainScreen)


async def test_help_footer_and_palette_show_the_keys_in_force() -> None:
    app = app_with('[keys]\nfilter.open = "F"\nview.freeze = "X"\n')
    async with running(app, (100, 40)) as pilot:
        footer = screen_text(app).splitlines()[-1]
        assert "F Filter" in footer
        assert "/ Filter" not in footer
        await pilot.press("colon", *"freeze")
        await until(pilot, lambda: "or pause the replay" in screen_text(app), "the command")
        line = next(line for line in screen_text(app).splitlines() if "or pause the replay" in line)
        assert line.split()[-1] == "X"
        await pilot.press("escape")
        await pilot.press("question_mark")
        await pilot.pause()
        pages = ""
        for _ in range(10):
            pages += screen_text(app)
            await pilot.press("pagedown")
        assert re.search("  X +Freeze the display", pages)
        assert not re.search("Space +Freeze the display", pages)


async def test_a_key_that_is_not_ascii_has_a_name_where_only_ascii_can_be_shown() -> None:
    settings = of_config(
        tomllib.loads('[keys]\nfilter.open = "home"\nrow.first = "g"\ncell.oldest = "g"\nhelp.open = "backspace"\n')
    )
    app = make_app(settings=settings, ascii_only=True)
    async with running(app, (100, 24)):
        footer = screen_text(app).splitlines()[-1]
        assert "Home Filter" in footer
        assert footer.isascii()


async def test_a_mistake_is_shown_and_everything_else_works() -> None:
    app = app_with('[keys]\nfilter.opn = "x"\nhelp.open = "nokey"\nview.freeze = "X"\n')
    async with running(app, (160, 40)) as pilot:
        assert (
            "[keys] filter.opn: there is no such action; did you mean filter.open. (1 more when it ends)"
            in screen_text(app)
        )
        await pilot.press("X")
        assert app.state.frozen
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)


async def test_every_action_of_every_place_is_in_the_palette() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        for keys in ([], ["4", "enter"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert app.view is not None
            named = {command.title.split("  ")[0] for command in app.get_system_commands(app.screen)}
            active = [entry.binding for entry in app.view.active_bindings.values() if entry.binding.id]
            assert {binding.description for binding in active if binding.id != "palette.open"} <= named


def kinds_of(kind: type) -> set[type]:
    return {kind, *(one for child in kind.__subclasses__() for one in kinds_of(child))}


def test_every_binding_has_an_id_and_is_in_the_catalogue() -> None:
    known = keymap.default_keys(PLACES)
    ours = [kind for kind in kinds_of(Screen) | kinds_of(Widget) if kind.__module__.startswith("netlat_tui.")]
    assert MainScreen in ours
    for kind in (*ours, NetlatApp):
        for binding in kind.__dict__.get("BINDINGS", ()):
            assert isinstance(binding, Binding)
            assert binding.id, f"{kind.__name__}: {binding.key} cannot be given another key"
            assert binding.id in known, f"{binding.id}: add {kind.__name__} to PLACES in screens/catalogue.py"
            assert binding.description


def test_no_action_depends_on_a_key_that_is_eaten() -> None:
    for name, keys in keymap.default_keys(PLACES).items():
        assert name == "help.always" or not all(map(keymap.eaten, keys)), name


def test_by_default_there_is_nothing_to_say() -> None:
    defaults = {name: list(keys) for name, keys in keymap.default_keys(PLACES).items()}
    _, said = keymap.checked(defaults, PLACES)
    assert [sentence for sentence in said if "help.always" not in sentence] == []


# --- Columns ---


async def test_columns_are_hidden_shown_and_moved_with_keys_only() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("z")
        assert table_lines(app, "layers")[0].split()[:4] == ["STAGE", "/s", "p50", "p99"]
        await pilot.press("C")
        assert isinstance(app.screen, ColumnsScreen)
        await pilot.press("down", "space", "enter")
        assert table_lines(app, "layers")[0].split()[:3] == ["STAGE", "p50", "p99"]
        await pilot.press("C", "down", "J", "J", "J", "escape")  # p50 behind max, over the change that is not there
        assert table_lines(app, "layers")[0].split()[:4] == ["STAGE", "p99", "max", "p50"]
        await pilot.press("C", "down", "K", "shift+down", "shift+down", "escape")  # p99: the name stays first
        assert table_lines(app, "layers")[0].split()[:4] == ["STAGE", "max", "p99", "p50"]
        await pilot.press("C", "r", "escape")
        assert table_lines(app, "layers")[0].split()[:4] == ["STAGE", "/s", "p50", "p99"]


async def test_the_name_and_p99_cannot_be_hidden() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("C", "space", *["down", "space"] * (len(layers.COLUMNS) - 1), "escape")
        assert table_lines(app, "layers")[0].split() == ["STAGE", "p99"]


async def test_what_was_chosen_holds_for_all_tables_of_the_kind() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("C", "down", "space", "escape", "2", "enter")
        await pilot.pause()
        header = next(line for line in screen_text(app).splitlines() if "STAGE" in line)
        assert header.split()[:3] == ["STAGE", "p50", "p99"]
        await pilot.press("C", "r", "escape", "escape", "1")
        await pilot.pause()
        assert table_lines(app, "layers")[0].split()[:3] == ["STAGE", "/s", "p50"]


async def test_columns_still_give_way_where_it_is_narrow() -> None:
    app = app_with('[columns]\nlayers = ["stage", "trend", "p99", "max", "rate", "p50"]\n')
    async with running(app, (120, 40)) as pilot:
        await pilot.press("z")
        await pilot.pause()
        wide = table_lines(app, "layers")[0].split()
        assert [word for word in wide if word in ("p99", "max", "/s", "p50")] == ["p99", "max", "/s", "p50"]
        await pilot.resize_terminal(44, 20)
        await pilot.pause()
        assert table_lines(app, "layers")[0].split() == ["STAGE", "p99", "p50"]  # trend, max, rate went first


async def test_a_table_is_not_sorted_by_a_column_that_is_gone() -> None:
    app = make_app()
    async with running(app, (120, 40)) as pilot:
        table = app.screen.query_one("#table-layers", Table)
        natural = [row.key for row in table.rows]
        await pilot.press("full_stop", "full_stop", "s")  # /s
        assert [row.key for row in table.rows] != natural
        await pilot.press("C", "down", "space", "escape")
        assert [row.key for row in table.rows] == natural


async def test_columns_are_kept_over_a_restart(home: Path) -> None:
    app = make_app(settings=load())
    async with running(app, (120, 40)) as pilot:
        await pilot.press("C", "down", "space", "escape")
        assert app.keeper.close(10.0)
    again = make_app(settings=load())
    async with running(again, (120, 40)) as pilot:
        assert table_lines(again, "layers")[0].split()[:3] == ["STAGE", "p50", "p99"]
        await pilot.press("C", "r", "escape")
        assert again.keeper.close(10.0)
    assert load().kept == {}


async def test_the_config_file_says_what_is_there_at_first(home: Path) -> None:
    file = home / ".config/netlat-tui/config.toml"
    file.parent.mkdir(parents=True)
    words = '[columns]\nlayers = ["stage", "p99", "max"]\n'
    file.write_text(words)
    app = make_app(settings=load())
    async with running(app, (120, 40)) as pilot:
        await pilot.press("z")
        assert table_lines(app, "layers")[0].split() == ["STAGE", "p99", "max"]
        await pilot.press("C", "G", "space", "escape")
        assert len(table_lines(app, "layers")[0].split()) > 3
        await pilot.press("C", "r", "escape")
        assert table_lines(app, "layers")[0].split() == ["STAGE", "p99", "max"]
        assert app.keeper.close(10.0)
    assert file.read_text() == words


async def test_where_columns_cannot_be_kept_a_sentence_says_so(home: Path) -> None:
    (home / ".local").write_text("in the way")
    app = make_app(settings=load())
    async with running(app, (160, 40)) as pilot:
        await pilot.press("C", "down", "space", "escape")
        await until(pilot, lambda: "but not for the next time" in screen_text(app), "the sentence")
        assert table_lines(app, "layers")[0].split()[:3] == ["STAGE", "p50", "p99"]


async def test_without_a_home_it_runs() -> None:
    app = make_app(settings=Settings())
    async with running(app, (160, 40)) as pilot:
        await pilot.press("C", "down", "space", "escape")
        await until(pilot, lambda: "there is no home folder" in screen_text(app), "the sentence")
