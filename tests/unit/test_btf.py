"""The BTF reader: a written blob whose answers are known, the running kernel's, and damaged ones."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.bpf.btf import VMLINUX, Btf, BtfError
from netlat_tui.bpf.constants import drop_reasons, gro_results, offsets

INT, PTR, STRUCT, UNION, ENUM, TYPEDEF, PROTO, ENUM64 = 1, 2, 4, 5, 6, 8, 13, 19


class Writer:
    """Writes BTF as Documentation/bpf/btf.rst describes it."""

    def __init__(self) -> None:
        self.strings = bytearray(b"\0")
        self.types = bytearray()

    def name(self, text: str) -> int:
        at = len(self.strings)
        self.strings += text.encode() + b"\0"
        return at if text else 0

    def add(self, kind: int, name: str, size: int = 0, vlen: int = 0, tail: bytes = b"", flag: bool = False) -> None:
        self.types += struct.pack("<III", self.name(name), flag << 31 | kind << 24 | vlen, size) + tail

    def member(self, name: str, kind: int, bits: int) -> bytes:
        return struct.pack("<III", self.name(name), kind, bits)

    def blob(self) -> bytes:
        header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(self.types), len(self.types), len(self.strings))
        return header + bytes(self.types) + bytes(self.strings)


def written() -> bytes:
    w = Writer()
    w.add(INT, "int", 4, tail=struct.pack("<I", 32))  # 1
    w.add(UNION, "", 8, 2, w.member("dev", 1, 0) + w.member("scratch", 1, 0))  # 2
    w.add(STRUCT, "inner", 8, 2, w.member("a", 1, 0) + w.member("b", 1, 32))  # 3
    members = w.member("next", 1, 0) + w.member("", 2, 64) + w.member("cb", 3, 128) + w.member("bit", 1, 195)
    w.add(STRUCT, "sk_buff", 32, 4, members)  # 4
    w.add(ENUM, "colour", 4, 2, struct.pack("<IiIi", w.name("RED"), 1, w.name("NONE"), -1), flag=True)  # 5
    w.add(ENUM64, "big", 8, 1, struct.pack("<III", w.name("HUGE"), 1, 2))  # 6
    args = b"".join(struct.pack("<II", 0, 1) for _ in range(3))
    w.add(PROTO, "", 0, 3, args)  # 7
    w.add(PTR, "", 7)  # 8
    w.add(TYPEDEF, "btf_trace_thing", 8)  # 9
    return w.blob()


def test_offsets_go_through_anonymous_and_named_members() -> None:
    btf = Btf(written())
    assert btf.offset("sk_buff", "next") == 0
    assert btf.offset("sk_buff", "dev") == 8
    assert btf.offset("sk_buff", "cb.b") == 20


def test_enums_and_tracepoints() -> None:
    btf = Btf(written())
    assert btf.enum("colour") == {"RED": 1, "NONE": -1}
    assert btf.enum("big") == {"HUGE": 2 << 32 | 1}
    assert btf.tracepoint_args("thing") == 2
    assert btf.tracepoint_args("nothing") is None


@pytest.mark.parametrize(
    ("struct_name", "member", "sentence"),
    [
        ("sk_buff", "colour", "this kernel's struct sk_buff has no colour"),
        ("sk_bluff", "dev", "this kernel has no struct sk_bluff"),
        ("sk_buff", "bit", "sk_buff.bit is a bit field"),
        ("sk_buff", "next.x", "this kernel's struct sk_buff has no next.x"),
    ],
)
def test_what_is_not_there_is_named(struct_name: str, member: str, sentence: str) -> None:
    with pytest.raises(BtfError, match=sentence):
        Btf(written()).offset(struct_name, member)


def test_every_length_a_file_can_be_cut_to() -> None:
    whole = written()
    for length in range(len(whole)):
        with pytest.raises(BtfError):
            Btf(whole[:length]).offset("sk_buff", "cb.b")


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_damage_is_an_error_or_an_answer_never_a_crash(data: st.DataObject) -> None:
    blob = bytearray(written())
    for _ in range(data.draw(st.integers(1, 4))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    for ask in (
        lambda btf: btf.offset("sk_buff", "dev"),
        lambda btf: btf.offset("sk_buff", "cb.b"),
        lambda btf: btf.enum("colour"),
        lambda btf: btf.tracepoint_args("thing"),
    ):
        try:
            ask(Btf(bytes(blob)))
        except BtfError:
            continue


@pytest.mark.skipif(not VMLINUX.exists(), reason="this kernel has no BTF")
def test_the_running_kernel() -> None:
    btf = Btf.of_kernel()
    found = offsets(btf)
    # The same on every kernel from 5.10 to 6.18.
    same = {"OFF_SKB_NEXT": 0, "OFF_SKB_DEV": 16, "OFF_SKB_LEN": 112, "OFF_SK_NUM": 14, "OFF_SK_FAMILY": 16}
    assert {name: found[name] for name in same} == same
    assert found["OFF_SKB_DATA"] == found["OFF_SKB_HEAD"] + 8
    assert gro_results(btf)["GRO_MERGED"] == 0
    assert btf.tracepoint_args("netif_receive_skb") == 1


@pytest.mark.skipif(not VMLINUX.exists(), reason="this kernel has no BTF")
def test_the_running_kernel_names_its_drop_reasons() -> None:
    reasons = drop_reasons(Btf.of_kernel())
    assert "NO_SOCKET" in reasons.values()
    assert "NOT_SPECIFIED" in reasons.values()
