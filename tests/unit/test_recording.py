"""Recordings: what is written is read, and damage never becomes data."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.model.points import Direction, point
from netlat_tui.model.ticks import NO_POINT, PATH, SelfCost, Tick
from netlat_tui.recording import Mark, Reader, RecordingError, Writer, content, read_all
from netlat_tui.recording.arrays import DTYPES
from netlat_tui.recording.format import SYNC, FrameType, encode
from netlat_tui.recording.tables import Tables, gauges_now, points_now
from tests.synth import ORIGIN, make_tick, make_ticks


def written(ticks: list[Tick]) -> bytes:
    sink = io.BytesIO()
    with Writer(sink, ORIGIN) as writer:
        for tick in ticks:
            writer.write(tick)
    return sink.getvalue()


def same(a: Tick, b: Tick) -> bool:
    arrays = all(np.array_equal(_clean(getattr(a, n)), _clean(getattr(b, n))) for n in DTYPES)
    plain = all(getattr(a, f.name) == getattr(b, f.name) for f in dataclasses.fields(Tick) if f.name not in DTYPES)
    return arrays and plain


def _clean(rows: np.ndarray) -> np.ndarray:
    """Without what a mask says was not observed."""
    if rows.dtype != PATH:
        return rows
    rows = rows.copy()
    off = (rows["mask"][:, None] >> np.arange(16, dtype=np.uint32) & 1) == 0
    rows["t_ns"][off] = 0
    rows["cpu"][off] = 0
    return rows


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.integers(0, 30), st.integers(0, 2**31), st.text(max_size=20))
def test_what_is_written_is_read(count: int, paths: int, seed: int, text: str) -> None:
    ticks = [
        dataclasses.replace(
            tick,
            filter=text,
            self_cost=SelfCost(None, None, 1, 2),
            every=1 << seed % 4,
            held_back=text,
            rest=bool(seed % 2),
        )
        for tick in make_ticks(count, paths, seed, drops=seed % 3, sent=seed % 2)
    ]
    origin, back, damage = read_all(io.BytesIO(written(ticks)))
    assert origin == ORIGIN
    assert damage == []
    assert len(back) == count
    assert all(same(a, b) for a, b in zip(ticks, back, strict=True))


@pytest.fixture(scope="module")
def small() -> tuple[list[Tick], bytes]:
    ticks = make_ticks(3, paths=2)
    return ticks, written(ticks)


def test_every_byte_damaged_in_turn(small: tuple[list[Tick], bytes]) -> None:
    ticks, whole = small
    for position in range(len(whole)):
        data = bytearray(whole)
        data[position] ^= 1 << position % 8
        try:
            reader = Reader(io.BytesIO(bytes(data)))
        except RecordingError:
            assert position < whole.find(SYNC, 1), "only the header's frame is needed"
            continue
        back = list(reader)
        assert all(any(same(tick, one) for one in ticks) for tick in back), f"byte {position}: wrong data was shown"
        assert len(back) >= 2, f"byte {position}: one frame's damage took another"
        if len(back) < 3:
            assert reader.damage


def test_every_length_it_can_be_cut_to(small: tuple[list[Tick], bytes]) -> None:
    ticks, whole = small
    starts = [at for at in range(len(whole)) if whole.startswith(SYNC, at)]
    for length in range(len(whole)):
        frames = sum(1 for at in starts[1:] if at <= length)  # frames before the cut, the header among them
        try:
            reader = Reader(io.BytesIO(whole[:length]))
        except RecordingError as error:
            assert length < starts[1]
            assert str(error)
            continue
        back = list(reader)
        assert len(back) == min(frames - 1, 3)
        assert all(same(a, b) for a, b in zip(ticks, back, strict=False))
        assert bool(reader.damage) == (length not in starts)


def test_garbage_between_frames_is_said_and_skipped(small: tuple[list[Tick], bytes]) -> None:
    _, whole = small
    second = whole.find(SYNC, whole.find(SYNC, 1) + 1)
    garbage = bytes(range(256)) * 300
    _, back, damage = read_all(io.BytesIO(whole[:second] + garbage + whole[second:]))
    assert len(back) == 3
    assert [(one.offset, one.text) for one in damage] == [
        (second, f"not the beginning of a frame: {len(garbage)} bytes skipped")
    ]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"\x7fELF" * 100, "is not a recording"),
        (b"{}\n", "is not a recording"),
        (encode(FrameType.HEADER, {"format": "other"}), "not a netlat-tui recording"),
        (encode(FrameType.HEADER, {"format": "netlat-tui/recording", "version": 99}), "newer netlat-tui"),
    ],
)
def test_what_is_no_recording_is_said_in_a_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    file = tmp_path / "x.netlat"
    file.write_bytes(data)
    with pytest.raises(RecordingError, match=sentence):
        Reader(file)


def test_a_frame_that_claims_to_be_huge_allocates_nothing(small: tuple[list[Tick], bytes]) -> None:
    _, whole = small
    bad = bytearray(whole)
    second = whole.find(SYNC, 1)
    bad[second + 12 : second + 20] = b"\xff" * 8
    reader = Reader(io.BytesIO(bytes(bad)))
    assert len(list(reader)) == 2
    assert "too large" in reader.damage[0].text


def test_it_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "growing.netlat"
    writer = Writer(file, ORIGIN)
    writer.write(make_tick(0))
    reader = Reader(file)
    ticks = iter(reader)
    assert next(ticks).seq == 0
    writer.write(make_tick(1))
    assert next(ticks).seq == 1
    writer.close()
    assert list(ticks) == []
    assert reader.damage == []
    reader.close()


def test_it_goes_through_a_pipe(small: tuple[list[Tick], bytes]) -> None:
    _, whole = small
    code = "from netlat_tui.recording import read_all; o, t, d = read_all('-'); print(o.host, len(t), len(d))"
    result = subprocess.run([sys.executable, "-c", code], input=whole, capture_output=True, check=True)
    assert result.stdout.split() == [b"testhost", b"3", b"0"]


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.netlat"
    Writer(file, ORIGIN).close()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_belong_to_whoever_called_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "23456")
    file = tmp_path / "theirs.netlat"
    Writer(file, ORIGIN).close()
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 23456)


def test_nothing_is_overwritten_or_followed(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("precious")
    with pytest.raises(RecordingError, match="exists already"):
        Writer(taken, ORIGIN)
    link = tmp_path / "link"
    link.symlink_to(taken)
    for overwrite in (False, True):
        with pytest.raises(RecordingError):
            Writer(link, ORIGIN, overwrite=overwrite)
    with pytest.raises(RecordingError, match="cannot be written"):
        Writer(tmp_path / "no" / "such" / "folder", ORIGIN)
    assert taken.read_text() == "precious"


def test_marks_are_kept() -> None:
    sink = io.BytesIO()
    with Writer(sink, ORIGIN) as writer:
        writer.mark(Mark(5, "here"))
        writer.write(make_tick(0))
    reader = Reader(io.BytesIO(sink.getvalue()))
    assert len(list(reader)) == 1
    assert [(mark.time_ns, mark.text) for mark in reader.marks] == [(5, "here")]


def test_other_tables_are_read_by_name() -> None:
    """A file from a version that did not know the point ``driver``, and had one that is gone."""
    points = points_now()
    driver = points["rx"].index("driver")
    points["rx"] = [key for key in points["rx"] if key != "driver"]
    points["tx"] = [*points["tx"], "gone"]
    tables = Tables(points, gauges_now())
    tick = make_tick(0, paths=3)
    path = tick.paths.copy()
    path["mask"] = 1 << points["rx"].index("link") | 1 << points["rx"].index("socket")
    path["t_ns"][:, points["rx"].index("socket")] = 777
    moved, left_out = tables.remap_paths(path)
    assert left_out == 0
    every = path.copy()
    every["mask"] = (1 << len(points["rx"])) - 1
    assert (tables.remap_paths(every)[0]["mask"] == (1 << len(points_now()["rx"])) - 1 - (1 << driver)).all()
    assert (moved["mask"] == (1 << points_now()["rx"].index("link") | 1 << points_now()["rx"].index("socket"))).all()
    assert (moved["t_ns"][:, points_now()["rx"].index("socket")] == 777).all()


def test_kinds_of_drops_of_other_tables_are_read_by_name() -> None:
    """A file from a version that did not know the point ``driver``, and had one that is gone."""
    points = points_now()
    points["rx"] = [key for key in points["rx"] if key != "driver"]
    points["tx"] = [*points["tx"], "gone"]
    drops = np.concatenate([make_tick(0).drops] * 4)
    drops["direction"] = (Direction.RX, Direction.RX, Direction.TX, 9)
    drops["point"] = (points["rx"].index("link"), NO_POINT, points["tx"].index("gone"), 0)
    kept, left_out = Tables(points, gauges_now()).remap_drops(drops)
    assert left_out == 1
    assert kept["point"].tolist() == [point("link").index, NO_POINT, NO_POINT]


def test_a_file_from_before_there_were_kinds_of_drops_is_read() -> None:
    tick = make_tick(0)
    old = content.tick(tick)
    del old["arrays"]["drops"], old["symbols"], old["arrays"]["paths"]["columns"]["peer"]
    old["arrays"]["paths"]["columns"]["pad"] = b"\0" * 4 * len(tick.paths)  # padding of another size
    header = encode(FrameType.HEADER, content.header(ORIGIN))
    _, (back,), damage = read_all(io.BytesIO(header + encode(FrameType.TICK, old)))
    assert damage == []
    assert (len(back.drops), back.symbols) == (0, ())
    assert len(back.paths) == len(tick.paths)
    assert not back.paths["peer"].any()


def test_rows_that_cannot_be_are_left_out_and_said() -> None:
    tick = make_tick(0)
    cells = tick.cells.copy()
    cells["bucket"][0] = 999
    paths = tick.paths.copy()
    paths["direction"][0] = 7
    drops = tick.drops.copy()
    drops["direction"] = 7
    bad = dataclasses.replace(tick, cells=cells, paths=paths, drops=drops)
    _, back, damage = read_all(io.BytesIO(written([bad])))
    assert len(back[0].cells) == len(cells) - 1
    assert len(back[0].paths) == len(paths) - 1
    assert len(back[0].drops) == 0
    assert "3 rows" in damage[0].text


def test_a_minute_of_a_hundred_paths_a_second_is_small() -> None:
    assert len(written(make_ticks(60, paths=100))) < 1_000_000
