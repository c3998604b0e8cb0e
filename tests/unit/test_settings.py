"""The user's own files: keys and columns, whatever stands in them."""

from __future__ import annotations

import os
import resource
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlat_tui.model.text import printable
from netlat_tui.screens import keymap, orders
from netlat_tui.screens.catalogue import PLACES, TABLES
from netlat_tui.screens.settings import Keeper, load, of_config, write_columns
from netlat_tui.system import settings as files
from netlat_tui.system.settings import SettingsError

SLOWLY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
IDS = keymap.default_keys(PLACES)


def keys(**table: object) -> tuple[dict[str, str], list[str]]:
    return keymap.checked(table, PLACES)


def said(text: str) -> tuple[str, ...]:
    return of_config(tomllib.loads(text)).sentences


# --- Keys ---


@pytest.mark.parametrize(
    ("line", "keymap"),
    [
        ('filter.open = "x"', {"filter.open": "x"}),
        ('"filter.open" = "x"', {"filter.open": "x"}),
        ('filter.open = ["x", "ctrl+t"]', {"filter.open": "x,ctrl+t"}),
        ('row.up = "ctrl-T"', {"row.up": "ctrl+t"}),
        ('row.open = ["return", ";"]', {"row.open": "enter,semicolon"}),
        ('filter.open = ["_", "Shift-PgDn", "del"]', {"filter.open": "underscore,shift+pagedown,delete"}),
        ('view.freeze = "e"\nview.export = "space"', {"view.freeze": "e", "view.export": "space"}),
    ],
)
def test_an_action_has_the_keys_it_is_given(line: str, keymap: dict[str, str]) -> None:
    found = of_config(tomllib.loads(f"[keys]\n{line}"))
    assert found.keys == keymap
    assert found.sentences == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('filter.opn = "x"', "[keys] filter.opn: there is no such action; did you mean filter.open."),
        ('zzz = "x"', "[keys] zzz: there is no such action; docs/keys.md lists all of them."),
        ("filter.open = 3", '[keys] filter.open: say a key or a list of keys, as "x" or ["x", "ctrl+t"].'),
        ("filter.open = []", '[keys] filter.open: say a key or a list of keys, as "x" or ["x", "ctrl+t"].'),
        ('filter.open = "pageupp"', '[keys] filter.open: there is no key "pageupp"; did you mean "pageup".'),
        ('filter.open = "shift+x"', 'there is no key "shift+x"; a capital is written "X".'),
        ('filter.open = "j"', '[keys] filter.open: "j" is the key of row.down already (the panes)'),
        ('row.copy = "x"\nrow.open = "x"', '"x" is the key of row.'),
        ('filter.open = "p"', '[keys] filter.open: "p" is the key of path.peer'),
        ('app.interrupt = "x"', '[keys] app.interrupt: "x" could not be typed any more; choose one with ctrl.'),
        ('row.copy = "ctrl+q"', '[keys] row.copy: "ctrl+q" always does app.quit; choose another key.'),
        ('row.copy = "f5"', '[keys] row.copy: tmux, screen or the terminal may keep "f5" to itself; add another key.'),
        ('row.copy = ["ctrl+a", "ctrl+b"]', 'may keep "ctrl+a" and "ctrl+b" to itself; add another key.'),
    ],
)
def test_a_mistake_in_the_keys_is_a_sentence_that_says_what_to_do(line: str, words: str) -> None:
    sentences = said(f"[keys]\n{line}")
    assert any(words in sentence for sentence in sentences), sentences
    assert len(sentences) == 1


def test_a_key_that_tmux_eats_does_beside_another() -> None:
    assert said('[keys]\nrow.copy = ["f5", "y"]') == ()


def test_what_is_wrong_keeps_its_keys_and_what_is_right_gets_its_own() -> None:
    found = of_config(tomllib.loads('[keys]\nfilter.open = "j"\nview.export = "E"\nhelp.open = "nokey"'))
    assert found.keys == {"view.export": "E"}
    assert len(found.sentences) == 2


def test_nobody_is_left_with_a_key_of_somebody_else() -> None:
    """One that is refused gets its own keys back, which another one may have taken."""
    found = of_config(tomllib.loads('[keys]\nview.export = "j"\nview.freeze = "e"'))
    assert found.keys == {}
    assert len(found.sentences) == 2


WORDS = st.text(max_size=8)
TOML = st.recursive(
    st.booleans() | st.integers() | st.floats() | WORDS | st.sampled_from([*IDS, *TABLES, "j", "x"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.sampled_from([*IDS, *TABLES]), inner, max_size=4)
    ),
    max_leaves=8,
)


@SLOWLY
@given(st.dictionaries(st.sampled_from(["keys", "columns", "x"]), TOML))
def test_whatever_a_config_file_holds_there_are_sentences_and_no_error(content: dict[str, Any]) -> None:
    found = of_config(content)
    for sentence in found.sentences:
        assert printable(sentence) == sentence
        assert sentence.endswith(".")
    assert set(found.keys) <= set(IDS)
    assert set(found.columns) <= set(TABLES)


@SLOWLY
@given(st.dictionaries(st.sampled_from(sorted(IDS)), st.lists(st.sampled_from([*"abcxyzj12", "f5", "tab", "escape"]))))
def test_no_two_actions_of_a_place_have_one_key_unless_they_have_by_default(table: dict[str, object]) -> None:
    chosen, _ = keymap.checked(table, PLACES)
    for place in PLACES:
        defaults = keymap.default_keys([place])
        held: dict[str, str] = {}
        for name in defaults:
            for key in chosen[name].split(",") if name in chosen else defaults[name]:
                other = held.setdefault(key, name)
                shared = key in defaults[name] and key in defaults[other]
                assert other == name or shared, (place.title, key, other, name)


@given(st.text(max_size=12))
def test_any_word_is_a_key_or_none(word: str) -> None:
    key = keymap.key_called(word)
    assert key is None or "," not in key  # a comma is between keys, for Textual
    if key is not None and word.isascii():
        assert keymap.key_called(key) == key


# --- Columns ---


def test_columns_come_as_named() -> None:
    found = of_config(tomllib.loads('[columns]\nlayers = ["stage", "p99", "max"]\npaths = ["total", "flow"]'))
    assert found.sentences == ()
    assert orders.names_of(TABLES["layers"], found.columns["layers"]) == ["stage", "p99", "max"]
    assert orders.names_of(TABLES["paths"], found.columns["paths"]) == ["total", "flow"]


def test_the_name_and_p99_stay() -> None:
    found = of_config(tomllib.loads('[columns]\nlayers = ["max"]'))
    assert orders.names_of(TABLES["layers"], found.columns["layers"]) == ["stage", "max", "p99"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('layer = ["stage"]', "[columns] layer: there is no such table; there are layers, cpus, irqs, paths, drops"),
        ('layers = "stage"', '[columns] layers: say a list of columns, as ["stage", "rate"].'),
        ('layers = ["stage", "p98"]', '[columns] layers: there is no column "p98"; did you mean "p99".'),
        (
            'layers = ["stage", "["]',
            'there is no column "["; there are stage, rate, p50, p99, change, max, share, trend.',
        ),
    ],
)
def test_a_mistake_in_the_columns_is_a_sentence(line: str, words: str) -> None:
    (sentence,) = said(f"[columns]\n{line}")
    assert words in sentence


@given(st.sampled_from(sorted(TABLES)), st.lists(st.integers(0, 12)))
def test_an_order_holds_what_stays_and_nothing_twice(name: str, wanted: list[int]) -> None:
    columns = TABLES[name]
    order = orders.settled(columns, [index for index in wanted if index < len(columns)])
    assert len(set(order)) == len(order)
    assert {index for index in range(len(columns)) if orders.stays(columns, index)} <= set(order)
    assert orders.from_names(columns, orders.names_of(columns, order)) == (order, [])


# --- Files ---


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "SUDO_UID", "SUDO_GID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config/netlat-tui").mkdir(parents=True)
    return tmp_path


def config(home: Path) -> Path:
    return home / ".config/netlat-tui/config.toml"


def test_no_file_is_no_mistake(home: Path) -> None:
    found = load()
    assert (found.sentences, found.used, found.keys, found.kept) == ((), None, {}, {})


def test_where_the_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files.config_file({"HOME": "/h"}) == Path("/h/.config/netlat-tui/config.toml")
    assert files.columns_file({"HOME": "/h"}) == Path("/h/.local/state/netlat-tui/columns.toml")
    assert files.config_file({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}) == Path("/c/netlat-tui/config.toml")
    assert files.config_file({"HOME": "/h", "XDG_CONFIG_HOME": "c"}) == Path("/h/.config/netlat-tui/config.toml")
    assert files.config_file({}) is not None  # of the user database
    if os.geteuid() == 0:
        assert files.config_file({"HOME": "/root", "SUDO_UID": "4242424"}) is None  # a caller nobody knows
        nobody = files.config_file({"HOME": "/root", "SUDO_UID": "65534"})
        assert nobody is not None
        assert not nobody.is_relative_to("/root")
        assert files.config_file({"HOME": "/root", "SUDO_UID": "0"}) == Path("/root/.config/netlat-tui/config.toml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[keys\n", "is not TOML: expected ']' at the end of a table declaration (at line 1, column 6); correct it"),
        (b"\xff\xfe", "is not UTF-8 text: save it as UTF-8."),
        (b"#" * 70_000, "is larger than 64 KiB: leave the needless out."),
        (b"x = " + b"[" * 30_000, "cannot be read: it is nested too deeply, or holds too large a number."),
        (b"x = " + b"9" * 9_000, "cannot be read: it is nested too deeply, or holds too large a number."),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence(content: bytes, words: str, home: Path) -> None:
    config(home).write_bytes(content)
    (sentence,) = load().sentences
    assert sentence.startswith(f"{config(home)} ")
    assert words in sentence


def test_what_is_no_file_or_not_its_users_is_not_read(home: Path) -> None:
    os.mkfifo(config(home))
    assert "is no file: put one in its place." in load().sentences[0]
    config(home).unlink()
    config(home).mkdir()
    assert "is no file" in load().sentences[0]
    config(home).rmdir()
    config(home).write_text('[keys]\nrow.copy = "y"\n')
    config(home).chmod(0o666)
    assert "can be written by anybody: chmod o-w it." in load().sentences[0]
    config(home).chmod(0o644)
    assert load().keys == {"row.copy": "y"}
    if os.geteuid() == 0:
        os.chown(config(home), 65534, 65534)
        assert "belongs to somebody else: chown it to whom it is for." in load().sentences[0]


def test_a_link_leads_to_a_file_like_any_other(home: Path) -> None:
    (home / "dotfiles.toml").write_text('[keys]\nrow.copy = "y"\n')
    config(home).symlink_to(home / "dotfiles.toml")
    assert load().keys == {"row.copy": "y"}


def test_choices_are_kept_and_others_are_left_alone(home: Path) -> None:
    path = files.columns_file()
    assert path is not None
    write_columns(path, {"layers": ["stage", "p99"]})
    write_columns(path, {"paths": ["flow", "total"]})
    kept = load().kept
    assert set(kept) == {"layers", "paths"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["columns.toml"]
    write_columns(path, {"layers": None})
    assert set(load().kept) == {"paths"}


def test_what_another_version_kept_stays_in_the_file(home: Path) -> None:
    path = files.columns_file()
    assert path is not None
    path.parent.mkdir(parents=True)
    path.write_text('[columns]\nstreams = ["new"]\nlayers = ["stage", "colour", "p99"]\n')
    assert load().kept == {"layers": (0, 3)}
    assert load().sentences == ()
    write_columns(path, {"paths": ["flow", "total"]})
    assert tomllib.loads(path.read_text())["columns"]["streams"] == ["new"]


def test_a_broken_file_is_put_aside_not_lost(home: Path) -> None:
    path = files.columns_file()
    assert path is not None
    path.parent.mkdir(parents=True)
    path.write_text("[columns")
    assert "is not TOML" in load().sentences[0]
    write_columns(path, {"layers": ["stage", "p99"]})
    assert load().sentences == ()
    assert path.with_name("columns.toml.broken").read_text() == "[columns"


def test_the_last_choice_is_the_one_kept(home: Path) -> None:
    told: list[str] = []
    keeper = Keeper(files.columns_file(), told.append)
    for names in (["stage", "p99"], ["stage", "p99", "max"], ["stage", "rate", "p99"]):
        keeper.keep("layers", names)
    assert keeper.close(10.0)
    assert orders.names_of(TABLES["layers"], load().kept["layers"]) == ["stage", "rate", "p99"]
    assert told == []


def test_where_it_cannot_be_kept_it_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    blocked = home / ".local"
    blocked.write_text("in the way")
    keeper = Keeper(files.columns_file(), told.append)
    keeper.keep("layers", ["stage", "p99"])
    assert keeper.close(10.0)
    assert told[0].startswith("The columns are as chosen, but not for the next time: ")
    assert "cannot be written (Not a directory): make room" in told[0]
    with pytest.raises(SettingsError, match="there is no home folder"):
        write_columns(None, {"layers": ["stage", "p99"]})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write for somebody else")
def test_root_does_not_write_for_somebody_else(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "65534")
    monkeypatch.setenv("SUDO_GID", "65534")
    with pytest.raises(SettingsError, match="not written as root for somebody else"):
        files.write(home / "x.toml", "")
    assert not (home / "x.toml").exists()


def test_a_full_disk_loses_nothing(home: Path) -> None:
    path = home / "columns.toml"
    files.write(path, "[columns]\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # as if no byte more would fit
    try:
        with pytest.raises(SettingsError, match=r"cannot be written .*: make room"):
            files.write(path, "[columns]\nlayers = []\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "[columns]\n"
    assert not list(home.glob(".columns.toml.*"))
