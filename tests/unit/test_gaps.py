"""What else a CPU did in the gaps of a path: said where it is known, and nowhere else."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from netlat_tui.export import trace
from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING
from netlat_tui.model.gaps import NO_OTHERS, Others, between, gaps_of, others_in, others_words, words
from netlat_tui.model.paths import Path, PathStage, decode
from netlat_tui.model.points import Direction, Outcome, point
from netlat_tui.model.ticks import PATH, PathFlag, Rows, SoftirqVector
from netlat_tui.recording import content, read_all
from netlat_tui.recording.format import FrameType, encode
from tests.synth import ORIGIN, SECOND, hostile, make_tick

MS = 1_000_000
NEW = ("softirq_comm", "prev_comm", "softirq_pid", "prev_pid", "softirqs")


def row(times: dict[str, tuple[int, int]], number: int = 1, t0: int = SECOND, **fields: Any) -> Rows:
    """A path with these points: ns from its first one, CPU."""
    made = np.zeros(1, dtype=PATH)
    made["id"], made["t0_ns"], made["outcome"], made["dport"] = number, t0, Outcome.COMPLETE, 80
    made["family"], made["proto"] = 4, 17
    for key, (at, cpu) in times.items():
        index = point(key).index
        made["t_ns"][0, index], made["cpu"][0, index] = at, cpu
        made["mask"] |= 1 << index
    for name, value in fields.items():
        made[name] = value
    return made


def path_of(rows: Rows) -> Path:
    return decode(rows[0], 0, {}, {})


LATE = {"raise": (0, 1), "softirq": (8 * MS, 1), "link": (9 * MS, 1)}
READ = {"link": (0, 0), "socket": (MS, 0), "wakeup": (9 * MS, 1), "return": (10 * MS, 1)}


@pytest.mark.parametrize(
    ("times", "fields", "said"),
    [
        (READ, {"prev_pid": 812, "prev_comm": b"hog"}, ["cpu1 ran hog/812 until then"]),
        (READ, {"prev_comm": b"swapper/1"}, ["cpu1 was idle until then"]),
        (READ, {}, []),
        (READ, {"softirqs": 2, "softirq_comm": b"x"}, []),
        (LATE, {"softirqs": 0b1000_0010}, ["TIMER, SCHED ran before it"]),
        (LATE, {"softirq_pid": 77, "softirq_comm": b"iperf3"}, ["cpu1 was running iperf3/77"]),
        (LATE, {"softirq_comm": b"swapper/1"}, ["cpu1 was idle"]),
        (LATE, {"flags": PathFlag.KSOFTIRQD}, ["left to ksoftirqd"]),
        (
            LATE,
            {"flags": PathFlag.KSOFTIRQD, "softirqs": 1 << 9, "softirq_pid": 7, "softirq_comm": b"gcc"},
            ["RCU ran before it; left to ksoftirqd; cpu1 was running gcc/7 until then"],
        ),
        (LATE, {"direction": Direction.TX, "softirqs": 2, "prev_comm": b"x"}, []),
        ({"raise": (0, 1), "link": (MS, 1)}, {"flags": PathFlag.KSOFTIRQD}, []),
    ],
)
def test_what_is_said_of_a_gap(times: dict[str, tuple[int, int]], fields: dict[str, Any], said: list[str]) -> None:
    assert [words(gap) for gap in gaps_of(path_of(row(times, **fields)))] == said


def test_a_line_of_json_has_the_gaps_that_are_known_and_no_key_for_those_that_are_not() -> None:
    known = path_of(row({**LATE, **{k: v for k, v in READ.items() if k != "link"}}, prev_pid=812, prev_comm=b"hog"))
    assert json.loads(trace.json_line(known))["gaps"][-1] == {
        "stage": "socket→wakeup",
        "to": "wakeup",
        "cpu": 1,
        "pid": 812,
        "comm": "hog",
    }
    both = path_of(row(LATE, softirqs=1 << SoftirqVector.BLOCK, flags=PathFlag.KSOFTIRQD))
    (gap,) = json.loads(trace.json_line(both))["gaps"]
    assert gap == {"stage": "raise→softirq", "to": "softirq", "cpu": 1, "softirqs": ["BLOCK"], "ksoftirqd": True}
    assert "gaps" not in json.loads(trace.json_line(path_of(row(READ))))


def test_names_of_others_are_shown_as_text() -> None:
    tick = hostile(make_tick(0), "\x1b]0;x\x07\u202e")
    told = [words(gap) for one in tick.paths for gap in gaps_of(decode(one, 0, {}, {})) if one["prev_pid"]]
    assert told
    assert all(text.isprintable() for text in told)


def test_they_are_kept_in_a_recording_and_one_from_before_knows_nothing() -> None:
    tick = make_tick(0)
    header = encode(FrameType.HEADER, content.header(ORIGIN))
    packed = content.tick(tick)
    _, (back,), _ = read_all(io.BytesIO(header + encode(FrameType.TICK, packed)))
    assert tick.paths["prev_pid"].any()
    for name in NEW:
        assert back.paths[name].tolist() == tick.paths[name].tolist()
        del packed["arrays"]["paths"]["columns"][name]
    _, (old,), damage = read_all(io.BytesIO(header + encode(FrameType.TICK, packed)))
    assert damage == []
    assert len(old.paths) == len(tick.paths)
    assert not any(gaps_of(decode(one, 0, {}, {})) for one in old.paths)


def wakeup_of(path: Path) -> PathStage:
    return next(stage for stage in path.stages if stage.stage.end.key == "wakeup")


def under_way(*parts: Rows, ended: int = 2 * SECOND) -> Any:
    return between(tuple((ended, part) for part in parts))


def test_other_packets_the_cpu_had_in_hand_meanwhile() -> None:
    mine = path_of(row(READ, number=1, peer=2))
    at = SECOND + 4 * MS  # in the middle of its socket→wakeup, on CPU 1
    link = {"link": (0, 1)}
    there = [row(link, number=10 + n, t0=at + n, sport=1000 + n % 2) for n in range(5)]
    elsewhere = [
        row({"link": (0, 0)}, number=20, t0=at),  # on another CPU
        row(link, number=21, t0=SECOND),  # before the gap,
        row(link, number=22, t0=SECOND + 20 * MS),  # after it
        row(link, number=2, t0=at),  # its own other half
        row(READ, number=1),  # itself
    ]
    earlier = row(link, number=30, t0=at)  # of a tick that ended before: it cannot have been
    found = others_in(
        mine, wakeup_of(mine), between((*((2 * SECOND, one) for one in (*there, *elsewhere)), (0, earlier)))
    )
    assert found == Others(5, 2)
    assert others_words(1, found) == "cpu1 meanwhile took at least 5 other packets, of 2 flows"
    assert others_words(1, Others(1, 1)) == "cpu1 meanwhile took at least 1 other packet, of 1 flow"
    assert others_words(1, NO_OTHERS) == ""


def test_a_packet_is_in_hand_at_whichever_of_its_points_lies_in_the_gap() -> None:
    mine = path_of(row(READ))
    long = row({"raise": (0, 0), "link": (5 * MS, 1), "socket": (30 * MS, 0)}, number=9, t0=SECOND)
    assert others_in(mine, wakeup_of(mine), under_way(long)) == Others(1, 1)


def test_the_two_halves_of_another_packet_are_one() -> None:
    mine = path_of(row(READ))
    down = row({"raise": (0, 1)}, number=8, t0=SECOND + 3 * MS, direction=Direction.TX, peer=9)
    up = row({"link": (0, 1)}, number=9, t0=SECOND + 4 * MS, peer=8, netns=7, dport=8080)  # in a container, by NAT
    assert others_in(mine, wakeup_of(mine), under_way(down, up)) == Others(1, 1)


def test_a_snapshot_knows_them_and_does_not_change_with_its_history() -> None:
    history = History(ORIGIN)
    history.add(make_tick(0))
    snapshot = history.snapshot(None, EVERYTHING, None)
    start, end = 999 * SECOND, 1000 * SECOND
    assert len(snapshot.under_way(start, end)) == len(make_tick(0).paths)
    history.add(make_tick(1))
    history.reset()
    assert len(snapshot.under_way(start, end)) == len(make_tick(0).paths)
    assert len(snapshot.under_way(end + 1, 2 * end)) == 0
