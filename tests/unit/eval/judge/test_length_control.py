"""The length-controlled win rate: its fit, what it takes away, and where there is none."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from selfinstruct_eval.judge.length_control import PRIOR_SD, fit, inseparable, length_controlled


def drawn(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    return rng.choice([0.0, 0.5, 1.0], size=n), rng.normal(30, 100, size=n), [f"t{i}" for i in range(n)]


@pytest.mark.parametrize("kind", ["noise", "all won", "the longer wins", "few"])
def test_the_fit_equals_scikit_learns_penalised_regression(kind):
    preferences, differences, _ = drawn(3)
    if kind == "all won":
        preferences = np.ones_like(preferences)
    if kind == "the longer wins":
        preferences = (differences > 0).astype(float)
    if kind == "few":
        preferences, differences = preferences[:4], differences[:4]
    feature = np.tanh(differences / differences.std())
    weights = np.random.default_rng(5).integers(0, 4, size=(3, len(feature))).astype(float)
    fitted = fit(preferences, feature, weights)
    design = np.column_stack([np.ones_like(feature), feature])
    for row, weight in zip(fitted, weights, strict=True):
        model = LogisticRegression(C=PRIOR_SD**2, fit_intercept=False, tol=1e-10, max_iter=10_000)
        shares = np.concatenate([weight * preferences, weight * (1 - preferences)])
        labels = np.repeat([1, 0], len(feature))
        kept = shares > 0
        if len(set(labels[kept])) == 2:
            model.fit(np.vstack([design, design])[kept], labels[kept], sample_weight=shares[kept])
            assert row == pytest.approx(model.coef_[0], abs=1e-4)
        else:
            assert kind == "all won" and 3 < row[0] < 10


def test_a_preference_for_length_alone_becomes_one_half():
    differences = np.random.default_rng(1).normal(80, 100, size=200)
    tasks = [f"t{i}" for i in range(200)]
    preferences = (differences > 0).astype(float)
    assert preferences.mean() > 0.7
    figure = length_controlled(preferences, differences, tasks, np.random.default_rng(0), 300)
    assert abs(figure.value - 50) < 5 and figure.low < 50 < figure.high


def test_a_win_rate_that_length_does_not_explain_stays():
    rng = np.random.default_rng(2)
    differences = rng.normal(0, 100, size=400)
    preferences = (rng.random(400) < 0.8).astype(float)
    figure = length_controlled(preferences, differences, [f"t{i}" for i in range(400)], rng, 300)
    assert abs(figure.value - 100 * preferences.mean()) < 2
    assert 70 < figure.low < figure.value < figure.high < 90


def test_the_other_system_has_the_rest():
    preferences, differences, tasks = drawn(4)
    one = length_controlled(preferences, differences, tasks, np.random.default_rng(0), 50)
    other = length_controlled(1 - preferences, -differences, tasks, np.random.default_rng(0), 50)
    assert one.value + other.value == pytest.approx(100)


def test_few_data_and_a_sweep_stay_finite():
    differences = np.array([-3.0, 4.0, 1.0, -2.0])
    figure = length_controlled(np.ones(4), differences, list("abcd"), np.random.default_rng(0), 200)
    assert 80 < figure.value < 100 and 0 <= figure.low <= figure.high <= 100
    alone = length_controlled(np.ones(4), differences, ["a"] * 4, np.random.default_rng(0), 50)
    assert (alone.low, alone.high) == (0, 100)


def test_where_one_is_always_the_longer_there_is_no_figure():
    assert inseparable(np.array([120.0, 90.0, 150.0, 80.0]))
    assert inseparable(np.full(5, -7.0))
    assert not inseparable(np.zeros(5))
    assert not inseparable(np.array([1.0, 400.0, 600.0, 0.0]))
    assert length_controlled(np.ones(3), np.array([9.0, 8.0, 7.0]), list("abc"), np.random.default_rng(0)) is None
    equal = length_controlled(np.array([1.0, 0.0]), np.zeros(2), list("ab"), np.random.default_rng(0), 50)
    assert equal.value == pytest.approx(50)


def test_the_interval_covers_the_truth_where_the_model_holds():
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        differences = rng.normal(60, 100, size=100)
        chance = 1 / (1 + np.exp(-(0.8 + 1.5 * np.tanh(differences / 100))))
        preferences = (rng.random(100) < chance).astype(float)
        figure = length_controlled(preferences, differences, [str(i) for i in range(100)], rng, 200)
        covered += figure.low <= 100 / (1 + np.exp(-0.8)) <= figure.high
    assert 185 <= covered <= 199
