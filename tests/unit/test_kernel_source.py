"""The kernel side's generated parts agree with the model they are generated from."""

from __future__ import annotations

import numpy as np
import pytest

from netlat_tui.bpf.constants import c_struct, header
from netlat_tui.bpf.filter_map import expand
from netlat_tui.bpf.hooks import PROBES, describe
from netlat_tui.bpf.program import FILES, KERNEL_DIR
from netlat_tui.model.filter_program import INSTRUCTION
from netlat_tui.model.points import MAX_POINTS, POINTS, STAGES, Direction, stage_id
from netlat_tui.model.ticks import PATH


def test_every_probe_has_its_program_in_the_source() -> None:
    text = "\n".join((KERNEL_DIR / name).read_text() for name in FILES)
    for probe in PROBES:
        assert f"int {probe.program}(struct bpf_raw_tracepoint_args *ctx)" in text


def test_every_file_of_the_kernel_side_is_used() -> None:
    used = {*FILES, "base.h", "irq_state.h"}
    assert {path.name for path in KERNEL_DIR.iterdir()} == used


def test_every_point_has_a_row_with_a_hook_or_a_reason() -> None:
    rows = describe({"tcp_probe": "gone"})
    assert len(rows) == sum(len(points) for points in POINTS.values())
    for row in rows:
        assert (row.kind == "none") == (not row.hook or row.reason == "gone")
        assert row.kind != "none" or row.reason


def test_the_constants_name_every_point() -> None:
    text = header({})
    for point in POINTS[Direction.RX]:
        assert f"#define POINT_{point.key.upper()} {point.index}\n" in text
    assert f"#define MAX_POINTS {MAX_POINTS}\n" in text


def test_records_are_laid_out_as_c_does() -> None:
    assert "u64 t_ns[16];" in c_struct("path", PATH)
    with pytest.raises(ValueError, match="padding"):
        c_struct("odd", np.dtype([("a", "u1"), ("b", "<u4")]))


def test_stage_ids_are_what_the_kernel_side_computes() -> None:
    for stage in STAGES:
        assert stage_id(stage.direction, stage.start.index, stage.end.index) == stage.id
        if stage.direction is Direction.RX:
            end = stage.end.index
            assert stage.id == end * (end - 1) // 2 + stage.start.index


def test_prefixes_become_masks() -> None:
    program = np.zeros(3, dtype=INSTRUCTION)
    program["prefix"] = [0, 12, 128]
    masks = expand(program)["mask"]
    assert masks[0].tolist() == [0] * 16
    assert masks[1].tolist() == [0xFF, 0xF0] + [0] * 14
    assert masks[2].tolist() == [0xFF] * 16
