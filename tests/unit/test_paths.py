"""What a path says of a record, where the record alone would mislead."""

from __future__ import annotations

import random

import pytest

from netlat_tui.model.paths import decode
from netlat_tui.model.ticks import PathFlag
from tests.synth import sent_row


@pytest.mark.parametrize(
    ("flags", "bypassed"), [(PathFlag.BYPASS, True), (PathFlag.BYPASS | PathFlag.SEGMENTED, False)]
)
def test_a_packet_that_was_cut_up_does_not_say_there_was_no_queue(flags: int, bypassed: bool) -> None:
    """tbf takes in the segments of what is larger than its burst: the skb itself is seen neither going in nor out."""
    row = sent_row(random.Random(1), 1, 10**9)
    row["flags"] = flags
    path = decode(row[0], 0, {}, {})
    assert (PathFlag.BYPASS in path.flags) is bypassed
    assert (PathFlag.SEGMENTED in path.flags) is not bypassed
