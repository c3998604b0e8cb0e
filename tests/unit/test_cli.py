"""The commands as a shell sees them: what they print, where, and how they end. No rights are needed here."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netlat_tui.bpf.tracer import possible_cpus
from netlat_tui.cli_view import DEMO
from netlat_tui.recording import Writer
from tests.synth import ORIGIN, hostile, make_ticks


def run(*words: str, cwd: Path | None = None, text: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "netlat_tui", *words],
        cwd=cwd,
        env={**os.environ, **env},
        input=text,
        stdin=None if text is not None else subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def one_sentence(done: subprocess.CompletedProcess[str], code: int) -> str:
    """What a failed command said: a sentence on stderr, nothing on stdout, the exit code."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("netlat-tui: ")
    assert lines[0].endswith((".", "?"))
    return lines[0].removeprefix("netlat-tui: ")


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A recording whose end is missing."""
    file = tmp_path / "cut.netlat"
    file.write_bytes(DEMO.read_bytes()[:100_000])
    return file


# --- Usage ---


@pytest.mark.parametrize(
    "command", [[], ["live"], ["replay"], ["record"], ["trace"], ["report"], ["compare"], ["export"], ["check"]]
)
def test_help_explains_every_option(command: list[str]) -> None:
    done = run(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    options = done.stdout.partition("Options:")[2].split("\n  -")[1:]
    assert options
    for option in options:
        words = option.split("  ", 1)
        assert len(words) == 2, f"-{option} is not explained"
        assert words[1].strip()


def test_the_version() -> None:
    assert run("--version").stdout.startswith("netlat-tui, version ")


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--bogus"],
        ["report", "--duration", "soon"],
        ["check", "--format", "xml"],
        ["record"],
        ["export", str(DEMO), "--format", "csv"],
        ["trace", "--count", "0"],
        ["report", "--interval", "0"],
        ["report", "--direction", "up"],
    ],
)
def test_wrong_usage(words: list[str]) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr


def test_the_view_needs_a_terminal() -> None:
    assert "netlat-tui report" in one_sentence(run(), 2)
    assert "netlat-tui report" in one_sentence(run("replay", str(DEMO)), 2)


# --- Filters ---


@pytest.mark.parametrize("command", [["report", str(DEMO)], ["report"], ["trace"], ["record", "-o", "-"], []])
def test_a_mistake_in_a_filter_is_pointed_at(command: list[str]) -> None:
    done = run(*command, "port", "9000", "and", "totl", ">", "1ms")
    assert (done.returncode, done.stdout) == (2, "")
    said, words, caret = done.stderr.splitlines()
    assert "column 15" in said
    assert "total" in said
    assert words == "port 9000 and totl > 1ms"
    assert caret == " " * 14 + "^"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "99999"], '--port: expected a port number from 0 to 65535, found "99999"'),
        (["-c", "x"], '--cpu: expected a CPU number, found "x"'),
        (["-p", "80,"], "--port: expected a port number"),
        (["port", "9-1"], "expected a range that rises"),
    ],
)
def test_a_number_that_cannot_be_is_refused(words: list[str], said: str) -> None:
    done = run("report", str(DEMO), *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[0]


@pytest.mark.parametrize("words", [["report", "-i", "nosuch0"], ["trace", "iface", "nosuch0"], ["iface nosuch0"]])
def test_an_interface_that_is_not_there(words: list[str]) -> None:
    assert "no interface nosuch0" in one_sentence(run(*words), 2)


def test_an_interface_that_is_nearly_there() -> None:
    assert one_sentence(run("report", "-i", "loo"), 2) == "There is no interface loo: did you mean lo?"


def test_a_cpu_that_cannot_be() -> None:
    last = possible_cpus() - 1
    sentence = one_sentence(run("report", "-c", str(last + 1)), 2)
    assert sentence == f"There is no CPU {last + 1}: this machine's are 0 to {last}."


def test_an_interface_of_a_recording_need_not_be_there_now() -> None:
    done = run("report", str(DEMO), "-i", "web0", "--format", "json")
    assert done.returncode == 0
    assert {path["iface"] for path in json.loads(done.stdout)["paths"]} == {"web0"}


# --- Recordings ---


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "empty"), (b"hello\n", "not a recording"), (DEMO.read_bytes()[:40], "header"), (None, "cannot be read")],
)
@pytest.mark.parametrize("command", [["report"], ["export", "--format", "csv", "-o", "out.csv"]])
def test_what_is_no_recording(content: bytes | None, word: str, command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "x.netlat"
    if content is not None:
        file.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    assert word in one_sentence(run(command[0], "x.netlat", *command[1:], cwd=tmp_path), 1)
    assert sorted(tmp_path.iterdir()) == before


def test_a_name_with_a_slash_is_a_file(tmp_path: Path) -> None:
    assert "cannot be read" in one_sentence(run("report", str(tmp_path / "nosuch")), 1)


def test_a_file_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    done = run("report", str(tmp_path / "\x1b[31m\u202e\udcff.netlat"))
    assert "/?[31m??.netlat cannot be read" in one_sentence(done, 1)


@pytest.mark.parametrize(
    ("content", "word"), [(b"", "empty"), (b"hello\n", "not a recording"), (None, "cannot be read")]
)
def test_the_view_of_what_is_no_recording(content: bytes | None, word: str, tmp_path: Path) -> None:
    file = tmp_path / "x.netlat"
    if content is not None:
        file.write_bytes(content)
    ours, terminal = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "netlat_tui", "replay", str(file)],
            stdin=terminal,
            stdout=terminal,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)  # the terminal was left alone
    finally:
        os.close(ours)
        os.close(terminal)
    done.stdout = ""
    assert word in one_sentence(done, 1)


def test_of_a_recording_that_was_cut_the_whole_part_is_shown(cut: Path) -> None:
    whole = json.loads(run("report", str(DEMO), "--format", "json").stdout)
    done = run("report", str(cut), "--format", "json")
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert "cut short" in said
    assert 0 < json.loads(done.stdout)["accounting"]["seen"] < whole["accounting"]["seen"]


def test_a_recording_through_a_pipe() -> None:
    with DEMO.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "netlat_tui", "report", "-", "--format", "json"],
            stdin=file,
            capture_output=True,
            check=True,
        )
    piped, named = json.loads(done.stdout), json.loads(run("report", str(DEMO), "--format", "json").stdout)
    assert piped == named


def test_a_filter_on_a_recording_selects_paths_and_the_report_says_so() -> None:
    done = run("report", str(DEMO), "port 9000 and total > 1ms")
    assert "counted by the kernel: everything" in done.stdout
    assert "paths selected by: port 9000 and total > 1ms" in done.stdout


def test_ascii_is_ascii() -> None:
    done = run("report", "--ascii", str(DEMO))
    assert done.stdout.isascii()
    assert "socket->copy" in done.stdout


# --- Files ---


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_exported_paths_are_read_by_others(kind: str, tmp_path: Path) -> None:
    done = run("export", str(DEMO), "--format", kind, "-o", "out", "port 9000", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (tmp_path / "out").read_text()
    rows = (
        list(csv.DictReader(io.StringIO(text))) if kind == "csv" else [json.loads(line) for line in text.splitlines()]
    )
    assert len(rows) > 100
    assert all("9000" in (str(row["sport"]), str(row["dport"])) for row in rows)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    to_stdout = run("export", str(DEMO), "--format", kind, "-o", "-", "port 9000")
    assert to_stdout.stdout == text


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    done = run("export", str(DEMO), "--format", "csv", "-o", "out", cwd=tmp_path)
    assert "exists already" in one_sentence(done, 1)
    assert (tmp_path / "out").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("command", [["export", str(DEMO), "--format", "csv"]])
def test_a_folder_that_is_not_there(command: list[str], tmp_path: Path) -> None:
    assert "cannot be written" in one_sentence(run(*command, "-o", str(tmp_path / "no" / "out")), 1)


# --- Rights, pipes ---


@pytest.fixture
def powerless() -> list[str]:
    """Goes before a command to run it without the rights to trace."""
    return [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@pytest.mark.parametrize("words", [["report"], ["trace"], ["record", "-o", "x.netlat"]])
def test_without_rights(words: list[str], powerless: list[str], tmp_path: Path) -> None:
    command = [*powerless, sys.executable, "-m", "netlat_tui", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert "run it with sudo" in one_sentence(done, 3)
    assert not list(tmp_path.iterdir())


def test_without_rights_nothing_is_promised_first(powerless: list[str]) -> None:
    """A person at a terminal is told how long a report takes, once it is known that there will be one."""
    ours, terminal = os.openpty()
    try:
        command = [*powerless, sys.executable, "-m", "netlat_tui", "report"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, check=False, timeout=60)
        said = os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(terminal)
    assert (done.returncode, done.stdout) == (3, b"")
    assert len(said.splitlines()) == 1
    assert "run it with sudo" in said


def test_check_without_rights_says_what_is_missing(powerless: list[str]) -> None:
    command = [*powerless, sys.executable, "-m", "netlat_tui", "check", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert (found["schema"], found["traceable"]) == ("netlat-tui/check/1", False)
    assert [check["ok"] for check in found["checks"] if check["name"] == "rights"] == [False]
    assert {hook["kind"] for hook in found["hooks"]} == {"none"}
    assert all(hook["reason"] for hook in found["hooks"])


PRINTING = [
    ["export", str(DEMO), "--format", "csv", "-o", "-"],
    ["export", str(DEMO), "--format", "perfetto", "-o", "-", "port 5353"],
    ["report", str(DEMO)],
    ["report", str(DEMO), "--format", "json"],
    ["compare", str(DEMO), str(DEMO)],
    ["--help"],
    ["report", "--help"],
]


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_a_pipe_that_is_closed_ends_it_quietly(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-m", "netlat_tui", *words]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_output_that_goes_nowhere_is_a_failure(words: list[str], where: str) -> None:
    command = ["sh", "-c", f'"$@" {where}', "sh", sys.executable, "-m", "netlat_tui", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    one_sentence(done, 1)


def test_input_that_is_closed_is_empty() -> None:
    command = ["sh", "-c", '"$@" <&-', "sh", sys.executable, "-m", "netlat_tui", "report", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "is empty" in one_sentence(done, 1)


def test_a_terminal_without_arrows_gets_the_report() -> None:
    done = run("report", str(DEMO), PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "raise?softirq" in done.stdout
    assert done.stdout.isascii()


@pytest.mark.parametrize("words", [["report", "--format", "json"], ["export", "--format", "jsonl", "-o", "-"]], ids=str)
def test_json_is_the_same_whatever_the_locale(words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "x.netlat"
    with Writer(file, ORIGIN) as writer:
        writer.write(hostile(make_ticks(1)[0], "käse"))
    command = [words[0], str(file), *words[1:]]
    done = run(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert "käse" in done.stdout
    assert run(*command, PYTHONIOENCODING="ascii").stdout == done.stdout


# --- The user's own settings ---


def test_check_says_which_config_file_is_used_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path), "SUDO_UID": "", "COLUMNS": "80"}
    none = json.loads(run("check", "--format", "json", **env).stdout)["checks"]
    file = tmp_path / "netlat-tui" / "config.toml"
    assert [check["text"] for check in none if check["name"] == "config"] == [f"none; it would be {file}"]
    file.parent.mkdir()
    file.write_text('[keys]\nrow.copy = "y"\nfilter.opn = "x"\n')
    done = json.loads(run("check", "--format", "json", **env).stdout)["checks"]
    found = [(check["ok"], check["text"]) for check in done if check["name"] == "config"]
    assert found == [
        (True, str(file)),
        (False, f"{file}: [keys] filter.opn: there is no such action; did you mean filter.open."),
    ]


def test_help_names_the_config_file() -> None:
    assert "$XDG_CONFIG_HOME/netlat-tui/config.toml" in run("--help").stdout
