"""Names of kernel addresses, as /proc/kallsyms gives them to whom it trusts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from netlat_tui.model.paths import HIDDEN
from netlat_tui.system.symbols import Symbols, look_up

KALLSYMS = """\
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000100 t do_one_thing
ffffffff81000180 d some_data
ffffffff81000400 W weak_one
ffffffffc0101000 t nft_do_chain\t[nf_tables]
ffffffffc0200000 t bpf_prog_6deef7357e7b4530_x\t[bpf]
ffffffff82000000 D data_at_the_end
"""
SECOND = 1_000_000_000


def kallsyms(root: Path, text: str) -> Path:
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc/kallsyms").write_text(text)
    return root


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (0xFFFFFFFF81000000, "_stext+0x0"),  # of two names, the one that comes first
        (0xFFFFFFFF8100001A, "_stext+0x1a"),
        (0xFFFFFFFF81000190, "do_one_thing+0x90"),  # data are no functions
        (0xFFFFFFFF81000400, "weak_one+0x0"),
        (0xFFFFFFFF8101_03FF, "weak_one+0xffff"),
        (0xFFFFFFFFC0101005, "nft_do_chain+0x5 [nf_tables]"),
        (0xFFFFFFFFC0200010, "bpf_prog_6deef7357e7b4530_x+0x10 [bpf]"),
        (0xFFFFFFFF80FFFFFF, None),  # below all
        (0xFFFFFFFF8101_0400, None),  # no function is that long
        (0xFFFFFFFFFFFFFFFF, None),
    ],
)
def test_an_address_has_the_name_of_the_function_it_lies_in(tmp_path: Path, address: int, name: str | None) -> None:
    with closing(Symbols(kallsyms(tmp_path, KALLSYMS))) as symbols:
        assert symbols.names([address]) == ({address: name} if name else {})


def test_the_order_of_the_lines_does_not_matter() -> None:
    turned = "".join(reversed(KALLSYMS.splitlines(keepends=True)))
    assert look_up(turned.encode(), [0xFFFFFFFF81000102]) == {0xFFFFFFFF81000102: "do_one_thing+0x2"}


def test_zeros_are_no_names(tmp_path: Path) -> None:
    hidden = "".join(f"{'0' * 16}{line[16:]}\n" for line in KALLSYMS.splitlines())
    with closing(Symbols(kallsyms(tmp_path, hidden))) as symbols:
        assert symbols.names([0xFFFFFFFF81000000]) == {0xFFFFFFFF81000000: HIDDEN}


@pytest.mark.parametrize("text", ["", "\n", "x", "x y", "ffffffff81000000 T \n", "81000000 D data\n"])
def test_what_is_no_kallsyms_names_nothing(text: str) -> None:
    assert look_up(text.encode(), [0xFFFFFFFF81000000]) == {}


def test_numbers_of_32_bits() -> None:
    assert look_up(b"c0100000 T _text\nc0100040 t f\n", [0xC0100044]) == {0xC0100044: "f+0x4"}


def test_a_kernel_without_it_names_nothing(tmp_path: Path) -> None:
    symbols = Symbols(tmp_path)
    assert symbols.names([0xFFFFFFFF81000000]) == {}
    symbols.close()


def test_it_is_opened_at_once_and_read_when_there_is_something_to_name(tmp_path: Path) -> None:
    """Rights are dropped in between: what decides is who opened it."""
    now = [0]
    symbols = Symbols(kallsyms(tmp_path, ""), lambda: now[0])
    file = tmp_path / "proc/kallsyms"
    file.write_text(KALLSYMS)  # the file of the same inode: what was opened
    file.unlink()
    assert symbols.names([0]) == {}  # no address: not read, or the next line would have to wait
    assert symbols.names([0xFFFFFFFF81000001]) == {0xFFFFFFFF81000001: "_stext+0x1"}
    later = {0xFFFFFFFF81000001: "_stext+0x1", 0xFFFFFFFF81000402: "weak_one+0x2"}
    assert symbols.names(later) == {0xFFFFFFFF81000001: "_stext+0x1"}  # not twice within a second
    now[0] = SECOND
    assert symbols.names(later) == later
    symbols.close()
    assert symbols.names(later) == {}
