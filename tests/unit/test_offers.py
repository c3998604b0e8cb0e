"""Why a machine cannot be traced: one sentence that says what to do, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netlat_tui.export import check
from netlat_tui.model.offers import Check, Offers
from netlat_tui.model.ticks import Hook
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


WORDY = Offers(
    host="box", kernel="6.18", machine="x86_64, 2 CPUs", version="0", traceable=True, exit_code=0,
    checks=(Check("clocksource", False, "every hook costs more, " * 5 + "every hook costs more", "boot with a TSC"),),
    hooks=(
        Hook("rx", "link", "netif_receive_skb", "raw_tracepoint"),
        Hook("rx", "poll", "napi_poll", "raw_tracepoint", "fires at the end of a poll: the start is the softirq's"),
        Hook("rx", "ip", "ip_rcv_core, ip6_rcv_core", "fentry", "\x1b[31m" + "and a long word of warning " * 7),
        Hook("tx", "transport", "", "none", "this kernel has no function " + "x" * 90),
    ),
)  # fmt: skip


def test_what_is_long_is_broken_between_words_at_eighty_columns() -> None:
    lines = check.to_text(WORDY).splitlines()
    assert all(len(line) <= 80 for line in lines if "x" * 90 not in line)
    assert "rx   link       raw_tracepoint netif_receive_skb" in lines
    at = lines.index("rx   ip         fentry ip_rcv_core, ip6_rcv_core")
    assert lines[at + 1].startswith(" " * 16 + "(?[31mand a long")
    assert lines[at + 2].startswith(" " * 16)
    together = " ".join(" ".join(lines).split())
    assert "raw_tracepoint napi_poll (fires at the end of a poll: the start is the softirq's)" in together
    assert "every hook costs more, " * 5 + "every hook costs more; boot with a TSC" in together


def test_every_hook_of_a_point_is_in_the_json() -> None:
    hooks = json.loads(check.to_json(WORDY))["hooks"]
    assert hooks[2]["hook"] == "ip_rcv_core, ip6_rcv_core"
    assert [hook["kind"] for hook in hooks] == ["raw_tracepoint", "raw_tracepoint", "fentry", "none"]
