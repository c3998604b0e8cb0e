"""Rows moved as bytes are the rows numpy would have given."""

from __future__ import annotations

import numpy as np
import pytest

from netlat_tui.model.paths import totals_ns
from netlat_tui.model.rows import chosen, copied, joined
from netlat_tui.model.ticks import PATH, Rows


@pytest.fixture
def rows() -> Rows:
    rng = np.random.default_rng(1)
    return np.frombuffer(rng.bytes(5000 * PATH.itemsize), dtype=PATH)


def test_copies_are_the_same_and_one_s_own(rows: Rows) -> None:
    made = copied(rows[7:9])
    assert made.tobytes() == rows[7:9].tobytes()
    assert made.flags.writeable and made.base is not rows


def test_rows_within_wider_records(rows: Rows) -> None:
    wide = np.zeros(len(rows), dtype=[("length", "<u8"), ("path", PATH)])
    wide["path"] = rows
    assert copied(wide["path"]).tobytes() == rows.tobytes()
    assert chosen(wide["path"], np.array([3, 1])).tobytes() == rows[[3, 1]].tobytes()


def test_chosen_by_mask_and_by_place(rows: Rows) -> None:
    mask = rows["id"] % 3 == 0
    assert chosen(rows, mask).tobytes() == rows[mask].tobytes()
    assert not len(chosen(rows, np.zeros(0, dtype=np.intp)))


def test_joined(rows: Rows) -> None:
    made = joined([rows[:3], rows[:0], rows[10:12]])
    assert made.dtype == PATH and made.tobytes() == np.concatenate([rows[:3], rows[10:12]]).tobytes()


def test_totals_in_portions_are_totals_at_once(rows: Rows) -> None:
    times = rows.copy()
    times["t_ns"] >>= np.uint64(2)
    observed = (times["mask"][:, None] >> np.arange(times["t_ns"].shape[1], dtype=np.uint32)) & 1
    wanted = np.where(observed.astype(bool), times["t_ns"], 0).max(axis=1).astype(np.int64)
    assert np.array_equal(totals_ns(times), wanted)
    assert not len(totals_ns(times[:0]))
