"""Where the kernel maps pages, as /proc/kallsyms says."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from netlat_tui.bpf.pages import page_map

TEXT = """\
ffffffff81000000 T _text
ffffffff82a3c0f8 D vmemmap_base
ffffffff82a3c100 D page_offset_base
ffffffffc0001000 t vmemmap_base_of_another\t[module]
"""


@pytest.fixture
def kallsyms(tmp_path: Path) -> Path:
    return tmp_path / "kallsyms"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only there pages are found so")
def test_both_variables_are_found(kallsyms: Path) -> None:
    kallsyms.write_text(TEXT)
    assert page_map(kallsyms) == (0xFFFFFFFF82A3C0F8, 0xFFFFFFFF82A3C100)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("D page_offset_base", "D page_offset_bases"),
        "\n".join("0" * 16 + line[16:] for line in TEXT.splitlines()),  # as kptr_restrict shows it
    ],
)
def test_one_alone_is_of_no_use(kallsyms: Path, text: str) -> None:
    kallsyms.write_text(text)
    assert not all(page_map(kallsyms))


def test_without_the_file(kallsyms: Path) -> None:
    assert page_map(kallsyms) == (0, 0)
