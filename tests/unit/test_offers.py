"""Why a machine cannot be traced: one sentence that says what to do, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlat_tui.export import check
from netlat_tui.sources import offers
from netlat_tui.system import host


@pytest.fixture
def willing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that refuses nothing."""
    btf = tmp_path / "vmlinux"
    btf.touch()
    monkeypatch.setattr(offers, "VMLINUX", btf)
    monkeypatch.setattr(host, "may_trace", lambda: True)
    monkeypatch.setattr(host, "lockdown", lambda: "none")
    return btf


def test_a_machine_that_refuses_nothing(willing: Path) -> None:
    assert offers.refusal() is None


def test_no_rights(willing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "may_trace", lambda: False)
    assert offers.refusal() == (offers.NO_RIGHTS, 3)
    assert "sudo" in offers.NO_RIGHTS


def test_lockdown(willing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "lockdown", lambda: "confidentiality")
    assert offers.refusal() == (offers.LOCKED, 4)
    monkeypatch.setattr(host, "lockdown", lambda: "integrity")
    assert offers.refusal() is None


def test_no_btf(willing: Path) -> None:
    willing.unlink()
    assert offers.refusal() == (offers.NO_BTF, 4)


def test_a_survey_of_a_machine_that_refuses_names_every_point(willing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "lockdown", lambda: "confidentiality")
    found = offers.survey()
    assert (found.traceable, found.exit_code) == (False, 4)
    assert {hook.kind for hook in found.hooks} == {"none"}
    assert all(hook.reason for hook in found.hooks)
    text = check.to_text(found)
    assert "lockdown=confidentiality" in text
    assert "live tracing is not possible" in text
