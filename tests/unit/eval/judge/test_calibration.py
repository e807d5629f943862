"""The judge's agreement with people, worked out by hand."""

import pytest

from selfinstruct_eval.judge import calibration


def calibrate(judge, people):
    """Each example is a task of its own."""
    return calibration.calibrate(judge, people, {f"e{i}": f"t{i}" for i in range(40)}, seed=1, num_samples=100)


def keyed(grades: str) -> dict[tuple[str, str], str | None]:
    return {(f"e{i}", "tuned"): None if grade == "?" else grade for i, grade in enumerate(grades)}


def test_four_answers_give_the_figures_worked_out_by_hand():
    figures = calibrate(keyed("ABBD?C"), keyed("AABDA"))
    # observed agreement 3/4, by chance .5 * .25 + .25 * .5 + .25 * .25 = .3125
    assert figures["kappa"] == pytest.approx((0.75 - 0.3125) / (1 - 0.3125))
    # squared distances: observed 1/4, by chance 2.75
    assert figures["weighted_kappa"] == pytest.approx(1 - 0.25 / 2.75)
    # ranks 1.5 1.5 3 4 and 1 2.5 2.5 4
    assert figures["spearman"] == pytest.approx(3.75 / 4.5)
    assert (figures["n"], figures["accuracy"], figures["acceptable_kappa"]) == (4, 100, 1)
    assert figures["by_grade"]["A"] == {"A": 1, "B": 1, "C": 0, "D": 0, "unreadable": 1}
    assert figures["note"] == "only 4 answers were graded by people and judge: too few to trust the judge by"


def test_accuracy_asks_only_whether_both_find_it_acceptable():
    figures = calibrate(keyed("ABCD" * 5), keyed("BCDA" * 5))
    assert figures["accuracy"] == 50 and figures["note"] is None
    low, high = figures["intervals"]["accuracy"]
    assert 25 < low < 32 and 68 < high < 75  # Wilson's of 10 of 20, with Student's t: 28.7 to 71.3


def test_every_figure_has_its_interval():
    figures = calibrate(keyed("AABBCCDD" * 4), keyed("ABBCCDDD" * 4))
    # equal in 5 of 8; by chance (2*1 + 2*2 + 2*2 + 2*3) / 64 = 1/4
    assert figures["kappa"] == pytest.approx((5 / 8 - 1 / 4) / (1 - 1 / 4))
    for figure in ("kappa", "weighted_kappa", "acceptable_kappa", "spearman", "accuracy"):
        low, high = figures["intervals"][figure]
        assert low < figures[figure] < high <= 100


def test_what_the_grades_do_not_define_is_none():
    figures = calibrate(keyed("AAA"), keyed("AAA"))
    assert (figures["kappa"], figures["spearman"], figures["accuracy"]) == (None, None, 100)
    assert figures["intervals"]["kappa"] is None and figures["intervals"]["accuracy"][0] < 60
    unread = calibrate(keyed("??"), keyed("AB"))
    assert (unread["n"], unread["kappa"], unread["accuracy"]) == (0, None, None)
    assert calibrate(keyed("AB"), {("e0", "base"): "A"}) is None
