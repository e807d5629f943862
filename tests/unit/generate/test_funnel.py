"""The funnel: counts, their order, and the table."""

from __future__ import annotations

from selfinstruct_train.generate.funnel import StageCounts, count_verdicts, funnel_table, funnel_to_json


def test_kept_comes_first_then_the_most_frequent_reason() -> None:
    counts = count_verdicts(4, ["b", "a", "c", "c", "kept", "c"])
    assert counts == StageCounts(4, 6, {"kept": 1, "c": 3, "a": 1, "b": 1})
    assert list(counts.verdicts) == ["kept", "c", "a", "b"]
    assert counts.acceptance_rate == 1 / 6


def test_a_stage_without_candidates_has_acceptance_rate_zero() -> None:
    assert count_verdicts(0, []).acceptance_rate == 0.0


def test_the_table_has_a_line_for_each_verdict_and_a_sum() -> None:
    table = funnel_table({"instructions": StageCounts(3, 4, {"kept": 3, "too_short": 1})})
    assert [line.split() for line in table.splitlines()] == [
        ["stage", "verdict", "count", "share"],
        ["instructions", "kept", "3", "75.0%"],
        ["instructions", "too_short", "1", "25.0%"],
        ["instructions", "all", "4", "from", "3", "requests"],
    ]


def test_the_json_holds_the_same_numbers() -> None:
    assert funnel_to_json({"instances": StageCounts(1, 2, {"kept": 2})}) == {
        "instances": {"num_requests": 1, "num_candidates": 2, "verdicts": {"kept": 2}}
    }
