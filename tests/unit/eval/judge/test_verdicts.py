"""Outcomes of pairs, and the figures made of them."""

import random
from dataclasses import replace

import numpy as np
import pytest

from selfinstruct_eval.judge.verdicts import Grading, PairwiseComparison, bias, rate, win_rates


def pair(i: int, first: str | None, second: str | None, longer_by: int = 5, asked: bool = True) -> PairwiseComparison:
    return PairwiseComparison(f"e{i}", f"t{i}", "tuned", longer_by, (first, second), ("", "") if asked else None)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize(
    ("choices", "outcome"),
    [
        (("1", "2"), "win"),
        (("2", "1"), "loss"),
        (("tie", "tie"), "tie"),
        (("1", "1"), "flip"),
        (("2", "2"), "flip"),
        (("tie", "2"), "flip"),
        (("1", None), "unreadable"),
        ((None, "1"), "unreadable"),
    ],
)
def test_both_orders_must_agree_or_it_is_a_flip(choices, outcome):
    assert pair(0, *choices).outcome == outcome


def test_ties_and_flips_count_half_and_the_unreadable_not_at_all():
    rows = [pair(i, "1", "2") for i in range(3)] + [pair(3, "2", "1"), pair(4, "1", "1")]
    rows += [pair(5, "tie", "tie", asked=False), pair(6, "1", None)]
    row = win_rates(rows, rng(), 200)
    assert [row[name] for name in ("wins", "losses", "ties", "flips", "unreadable")] == [3, 1, 1, 1, 1]
    assert row["win_rate"]["n"] == 6
    assert row["win_rate"]["value"] == pytest.approx(100 * (3 + 0.5 + 0.5) / 6)
    assert row["win_rate"]["low"] < 50 < row["win_rate"]["high"] and row["p"] > 0.05


def test_where_nothing_can_be_read_there_is_no_figure():
    row = win_rates([pair(0, None, None)], rng(), 50)
    assert (row["unreadable"], row["win_rate"], row["length_controlled"], row["p"]) == (1, None, None, None)
    assert rate([Grading("e", "t", "tuned", None, "?")], rng(), 50) == {
        "A": 0, "B": 0, "C": 0, "D": 0, "unreadable": 1, "acceptable": None,
    }  # fmt: skip


def test_a_sweep_is_no_surer_at_equal_length_than_the_win_rate():
    row = win_rates([pair(i, "1", "2", longer_by=(-1) ** i * (i + 1)) for i in range(10)], rng(), 200)
    # Wilson's interval of ten of ten with Student's t of 9 degrees: 10 / (10 + 2.262^2)
    assert row["win_rate"]["low"] == pytest.approx(100 * 10 / (10 + 2.26216**2), abs=0.01)
    assert row["length_controlled"] == row["win_rate"]


def test_eighteen_wins_of_twenty_are_no_chance():
    row = win_rates([pair(i, *(("1", "2") if i < 18 else ("2", "1"))) for i in range(20)], rng(), 200)
    # Wilson's interval, t of 19 degrees 2.093; the test it inverts: (0.9 - 0.5) / sqrt(1 / 80) = 3.578
    assert [row["win_rate"][key] for key in ("value", "low", "high")] == pytest.approx([90, 68.21, 97.42], abs=0.01)
    assert row["p"] == pytest.approx(0.0020, abs=0.0001)


@pytest.mark.parametrize("num_tasks", [1, 6, 24])
def test_p_is_under_5_percent_exactly_where_the_win_rates_interval_leaves_50_out(num_tasks):
    found = set()
    for wins in range(25):
        for ties in {0, min(4, 24 - wins), 24 - wins}:
            choices = [("1", "2")] * wins + [("tie", "tie")] * ties + [("2", "1")] * (24 - wins - ties)
            rows = [replace(pair(i, *choice), task=f"t{i % num_tasks}") for i, choice in enumerate(choices)]
            row = win_rates(rows, rng(), 100)
            is_clear = not row["win_rate"]["low"] <= 50 <= row["win_rate"]["high"]
            assert (row["p"] < 0.05) == is_clear, (wins, ties)
            found.add(is_clear)
    assert found == {True, False}


def test_nothing_but_ties_leaves_room_for_wins_that_are_rare():
    row = win_rates([pair(i, "1", "1", longer_by=(-1) ** i * (i + 1)) for i in range(10)], rng(), 200)
    # of ten none was decided; up to 1 - 10 / (10 + 2.262^2) may be, all to one side
    reach = 50 * (1 - 10 / (10 + 2.26216**2))
    assert [row["win_rate"][key] for key in ("value", "low", "high")] == pytest.approx([50, 50 - reach, 50 + reach])
    assert row["length_controlled"] == row["win_rate"] and row["p"] == 1


def test_a_and_b_are_acceptable_of_what_could_be_read():
    grades = ["A", "B", "B", "C", "D", None]
    row = rate([Grading(f"e{i}", f"t{i}", "tuned", grade, "") for i, grade in enumerate(grades)], rng(), 200)
    assert [row[g] for g in ("A", "B", "C", "D", "unreadable")] == [1, 2, 1, 1, 1]
    assert row["acceptable"]["value"] == pytest.approx(60) and row["acceptable"]["n"] == 5


def test_bias_counts_the_single_verdicts_of_pairs_read_in_both_orders():
    rows = [
        pair(0, "1", "2", longer_by=4),  # win: one verdict for the first, both for the longer
        pair(1, "1", "1", longer_by=-4),  # flip: both for the first, one for the longer
        pair(2, "2", "tie", longer_by=3),  # flip: one verdict, against the first and for the shorter
        pair(3, "2", "1", longer_by=0),  # loss: one for the first, lengths equal
        pair(4, "1", None),  # not read in both orders
        pair(5, "tie", "tie", asked=False),  # never asked
    ]
    figures = bias(rows, rng(), 200)
    assert (figures["first"]["value"], figures["first"]["n"]) == (pytest.approx(100 * 4 / 7), 7)
    assert (figures["longer"]["value"], figures["longer"]["n"]) == (pytest.approx(100 * 3 / 5), 5)
    assert (figures["consistency"]["value"], figures["consistency"]["n"]) == (50, 4)
    assert figures["warnings"] == []
    assert bias([], rng(), 50) == {"first": None, "longer": None, "consistency": None, "warnings": []}


def test_a_judge_who_rolls_dice_is_seldom_called_biased():
    num_warned = 0
    for seed in range(200):
        dice = random.Random(seed)
        rows = [pair(i, dice.choice("12"), dice.choice("12"), dice.choice([-9, 9])) for i in range(60)]
        num_warned += bool(bias(rows, np.random.default_rng(seed), 200)["warnings"])
    # 5 % for the order and 2.5 % for length, one side of which alone is told: 15 expected
    assert 3 <= num_warned <= 28


def test_a_judge_who_takes_the_second_is_told_too():
    rows = [pair(i, "2", "2") for i in range(30)]
    assert bias(rows, rng(), 200)["warnings"] == [
        "this judge prefers what it is shown second: 0 % [0, 12] of 60 verdicts chose the first",
        "this judge contradicts itself in the other order: 0 % [0, 12] of 30 pairs got one verdict in both; the others "
        "count half, so every win rate is near 50 %",
    ]
