"""Measures of agreement against sums done by hand and against published examples."""

import pytest

from selfinstruct_eval.people.agreement import Scale, cohen_kappa, krippendorff_alpha, measure_agreement, spearman

# of the plan in conftest: 40 answers, levels 0 to 3
PLAN = {"00": 10, "01": 2, "10": 2, "11": 6, "12": 2, "22": 6, "23": 2, "31": 2, "33": 8}
ANA = [int(pair[0]) for pair, times in PLAN.items() for _ in range(times)]
BEN = [int(pair[1]) for pair, times in PLAN.items() for _ in range(times)]


def test_kappa_is_as_worked_out_by_hand():
    # equal in 30 of 40; by chance (12*12 + 10*10 + 8*8 + 10*10) / 1600 = 0.255; (0.75 - 0.255) / 0.745 = 99/149
    assert cohen_kappa(ANA, BEN) == pytest.approx(99 / 149)


def test_quadratic_kappa_is_as_worked_out_by_hand():
    # squared distances: seen 8 * 1 + 2 * 4 = 16; by chance (2 * 40 * 132 - 2 * 56 * 56) / 40 = 107.2
    # 1 - 16 / 107.2 = 57/67
    assert cohen_kappa(ANA, BEN, quadratic=True) == pytest.approx(57 / 67)


def test_a_level_nobody_gave_is_still_a_step_of_the_quadratic_kappa():
    # seen one distance of 2, squared 4; by chance, with margins (2, 1, 0, 1) and (2, 0, 0, 2),
    # (2*2*9 + 1*2*1 + 1*2*4 + 1*2*9) / 4 = 16; 1 - 4/16
    assert cohen_kappa([0, 0, 1, 3], [0, 0, 3, 3], quadratic=True) == pytest.approx(0.75)


def test_ordinal_alpha_is_as_worked_out_by_hand():
    # margins 24, 20, 16, 20 of 80 values; squared distances AB 484, BC 324, CD 324, AC 1600, BD 1296, AD 3364
    # seen 2 * (4*484 + 2*324 + 2*324 + 2*1296) / 80 = 145.6; by chance 2 * 3187200 / (80 * 79)
    assert krippendorff_alpha([ANA, BEN], 4, "ordinal") == pytest.approx(1 - 145.6 / (2 * 3187200 / 6320))


def test_spearman_is_as_worked_out_by_hand():
    # mean ranks 6.5, 17.5, 26.5, 35.5 less 20.5: -14, -3, 6, 15; products 4252, squares 4980
    assert spearman(ANA, BEN) == pytest.approx(4252 / 4980)


def test_alpha_of_krippendorffs_own_example_is_the_published_one():
    # "Computing Krippendorff's alpha-reliability" (2011), section E: four observers, twelve units;
    # nominal 0.743, ordinal 0.815
    x = None
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, x, x, x],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, x, 3],
        [x, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, x],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, x],
    ]
    levels = [[None if v is None else v - 1 for v in observer] for observer in observers]
    assert krippendorff_alpha(levels, 5, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(levels, 5, "ordinal") == pytest.approx(0.815, abs=5e-4)


def test_cohens_own_example_of_1960():
    # J. Cohen, A coefficient of agreement for nominal scales, table 1: proportions of two judges, kappa 0.492
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    pairs = [(i, j) for i, row in enumerate(table) for j, times in enumerate(row) for _ in range(times)]
    kappa = cohen_kappa([i for i, _ in pairs], [j for _, j in pairs])
    assert kappa == pytest.approx(0.492, abs=5e-4)


@pytest.mark.parametrize("ratings", [([1, 1], [1, 1]), ([], [])])
def test_without_variation_nothing_is_measured(ratings):
    first, second = ratings
    assert cohen_kappa(first, second) is None
    assert spearman(first, second) is None
    assert krippendorff_alpha([first, second], 4, "ordinal") is None


def test_three_raters_are_compared_in_pairs_on_what_both_rated():
    ratings = {"ana": {"x": 0, "y": 3}, "ben": {"x": 0, "y": 3, "z": 1}, "cleo": {"z": 1}}
    agreement = measure_agreement(ratings, Scale(4, 2, "ordinal"))
    assert [(p.raters, p.n, p.kappa) for p in agreement.pairs] == [
        (("ana", "ben"), 2, 1.0),
        (("ben", "cleo"), 1, None),
    ]
    assert (agreement.kappa, agreement.num_double) == (1.0, 3)


def test_a_pair_counts_by_what_both_rated():
    # ana and ben agree on ten; with cleo each shares one unit and differs there, so that kappa is 0
    ratings = {"ana": {n: n % 4 for n in range(10)}, "ben": {n: n % 4 for n in range(10)}, "cleo": {9: 3}}
    assert measure_agreement(ratings, Scale(4, 2, "ordinal")).kappa == pytest.approx((10 * 1 + 0 + 0) / 12)


def test_acceptable_or_not_is_compared_apart_from_the_levels():
    # both acceptable 20, neither 16, 2 and 2 apart: (0.9 - (22*22 + 18*18) / 1600) / (1 - 0.505) = 79/99
    ratings = {"ana": dict(enumerate(ANA)), "ben": dict(enumerate(BEN))}
    assert measure_agreement(ratings, Scale(4, 2, "ordinal")).acceptable_kappa == pytest.approx(79 / 99)


def test_one_rater_agrees_with_nobody():
    agreement = measure_agreement({"ana": {"x": 0, "y": 1}}, Scale(4, 2, "ordinal"))
    assert (agreement.kappa, agreement.alpha, agreement.num_double, agreement.pairs) == (None, None, 0, ())
