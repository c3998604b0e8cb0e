"""What the benchmarks make of their measurements."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import document
from benchmarks.figures import Figure, Result, Table, figure_rows, markdown, median, number, ratios, result_of, table
from benchmarks.load import Unavailable, parse_percentiles
from benchmarks.maps import bytes_of
from benchmarks.places import evicted
from netlat_tui.bpf.calls import MapSpec


def test_median_and_nothing() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 1.0]) == 2.5
    assert median([]) is None


def test_a_ratio_is_of_the_mean_of_both_neighbours() -> None:
    assert ratios([100, 200, 50], [75, 125]) == [0.5, 1.0]
    with pytest.raises(ValueError, match="neighbour"):
        ratios([100, 200], [75, 125])


@pytest.mark.parametrize(
    ("value", "at_most", "met"), [(59.0, True, True), (61.0, True, False), (0.96, False, True), (None, True, None)]
)
def test_a_bound_is_met_from_its_own_side(value: float | None, at_most: bool, met: bool | None) -> None:
    bound = 60.0 if at_most else 0.95
    assert Figure("x", value, "ns", bound, at_most).met is met


def test_numbers_are_short() -> None:
    assert [number(value) for value in (None, 0.12345, 3.14159, 123.4, 1234567.0)] == [
        *("–", "0.123", "3.14", "123", "1,234,567")
    ]


def test_a_table_holds_a_pipe() -> None:
    assert table(("a",), [("x|y",)]) == "| a |\n| --- |\n| x\\|y |\n"


RESULT = Result(
    "Title",
    "Conditions.",
    (Figure("kept", 0.9, "", 0.95, False), Figure("cost", 50.0, "ns", 60.0), Figure("tool", None, "×", note="missing")),
    (Table("Parts:", ("a", "b"), (("1", "2"),), "Text."),),
)


def test_rows_say_what_was_promised() -> None:
    assert figure_rows(RESULT.figures) == [
        ["kept", "0.9", "≥ 0.95", "**not met**", ""],
        ["cost", "50 ns", "≤ 60 ns", "met", ""],
        ["tool", "–", "–", "–", "missing"],
    ]


def test_results_survive_their_file() -> None:
    assert result_of(RESULT.as_json()) == RESULT


def test_the_page_keeps_what_is_written_by_hand() -> None:
    text = f"before\n{document.BEGIN}old\n{document.END}after\n"
    made = document.page(text, markdown(RESULT))
    assert made.startswith("before\n") and made.endswith("after\n")
    assert "old" not in made and "**not met**" in made
    with pytest.raises(ValueError, match="marks"):
        document.page("no marks", "")


def test_the_project_s_page_has_its_marks() -> None:
    document.page(document.PAGE.read_text(encoding="utf-8"), "")


def test_a_machine_that_was_not_quiet_is_told() -> None:
    machine = {"cpu": "a CPU", "cores": "2", "memory": "4 GiB", "kernel": "Linux 6.18", "python": "3.11"}
    for load, told in ((0.5, False), (4.0, True)):
        data = {"machine": machine, "parts": {"x": {**RESULT.as_json(), "load": load}}}
        assert ("not quiet" in document.figures_of(data)) is told


def test_percentiles_of_sockperf() -> None:
    text = "sockperf: ---> percentile 99.000 =   12.500\nsockperf: ---> percentile 50.000 = 3.250\n"
    assert parse_percentiles(text) == {"p50": 3.25, "p99": 12.5}
    with pytest.raises(Unavailable):
        parse_percentiles("sockperf: ERROR")


def test_memory_of_maps() -> None:
    assert bytes_of(MapSpec(2, 4, 12, 100, 0)) == 1600
    assert bytes_of(MapSpec(2, 4, 12, 100, 1 << 10)) == 4096
    assert bytes_of(MapSpec(9, 4, 8, 1024, 0)) == 1024 * (48 + 8 + 8) + 1024 * 16


def test_an_empty_table_evicts_nobody_and_a_full_one_everybody() -> None:
    rng = np.random.default_rng(1)
    assert evicted(32768, 100, rng) < 0.0001
    assert evicted(1024, 20_000, rng) > 0.9
