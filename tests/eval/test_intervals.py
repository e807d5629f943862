import numpy as np
import pytest
from selfinstruct_eval.intervals import _student_t, mean_intervals, paired_difference


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)[:, None]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_two_tasks_give_an_interval_from_the_worse_to_the_better():
    # tasks score 0 and 100; resamples of two tasks have means 0, 50 and 100
    (interval,) = mean_intervals(column(0, 0, 100, 100), ["a", "a", "b", "b"], rng())
    assert (interval.value, interval.low, interval.high) == (50.0, 0.0, 100.0)


def test_examples_of_one_task_are_never_parted():
    # a: 0 and 100 (mean 50), b: 0 and 100 (mean 50): every resample of tasks has mean 50
    (interval,) = mean_intervals(column(0, 100, 0, 100), ["a", "a", "b", "b"], rng())
    assert (interval.value, interval.low, interval.high) == (50.0, 50.0, 50.0)


def test_a_large_task_weighs_as_many_examples_as_it_has():
    # a: one example of 0, b: three of 100: the mean is over examples, 75
    (interval,) = mean_intervals(column(0, 100, 100, 100), ["a", "b", "b", "b"], rng())
    assert (interval.value, interval.low, interval.high) == (75.0, 0.0, 100.0)


def test_the_examples_of_a_single_task_are_resampled():
    (interval,) = mean_intervals(column(*([0] * 50 + [100] * 50)), ["a"] * 100, rng(), 4000)
    # binomial: 50 +- 1.98 * 5
    assert interval.low == pytest.approx(40, abs=1.5) and interval.high == pytest.approx(60, abs=1.5)


def test_columns_share_their_resamples():
    values = np.random.default_rng(3).normal(50, 10, (60, 1))
    both = mean_intervals(np.hstack([values, values + 7]), [str(i // 5) for i in range(60)], rng())
    assert both[1].low - both[0].low == pytest.approx(7) and both[1].high - both[0].high == pytest.approx(7)


def test_a_constant_lead_has_no_uncertainty_however_the_scores_vary():
    values = np.random.default_rng(3).normal(50, 10, 60)
    difference = paired_difference(values + 10, values, [str(i // 5) for i in range(60)], rng())
    assert (difference.value, difference.low, difference.high) == pytest.approx((10, 10, 10))


def test_the_same_generator_gives_the_same_interval_and_the_order_of_rows_does_not_matter_to_the_mean():
    values, tasks = column(1, 2, 3, 4), ["a", "a", "b", "b"]
    assert mean_intervals(values, tasks, rng(7)) == mean_intervals(values, tasks, rng(7))


def test_many_equal_tasks_give_the_normal_interval():
    # 400 tasks of one example, sd 10: standard error 0.5
    values = np.random.default_rng(5).normal(50, 10, (400, 1))
    (interval,) = mean_intervals(values, [str(i) for i in range(400)], rng(), 4000)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.5, rel=0.1)


@pytest.mark.parametrize(("num_tasks", "least"), [(6, 0.90), (12, 0.91), (40, 0.92)])
def test_intervals_cover_the_truth_on_clustered_data(num_tasks, least):
    generator = np.random.default_rng(11)
    hits = 0
    for _ in range(300):
        sizes = generator.integers(10, 31, num_tasks)
        means = generator.normal(50, 20, num_tasks)
        values = np.concatenate([generator.normal(m, 30, s) for m, s in zip(means, sizes, strict=True)])
        tasks = np.repeat([str(i) for i in range(num_tasks)], sizes).tolist()
        (interval,) = mean_intervals(values[:, None], tasks, generator, 400)
        hits += interval.low <= 50 <= interval.high
    assert least <= hits / 300 <= 0.99


def test_resampling_examples_instead_of_tasks_would_cover_far_less():
    generator = np.random.default_rng(12)
    hits = 0
    for _ in range(200):
        values = np.concatenate([generator.normal(m, 10, 25) for m in generator.normal(50, 20, 20)])
        (interval,) = mean_intervals(values[:, None], [str(i) for i in range(500)], generator, 400)
        hits += interval.low <= 50 <= interval.high
    assert hits / 200 < 0.5


def test_student_t_agrees_with_the_tables():
    # 97.5 % points, from printed tables
    for degrees, point in ((3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980)):
        assert _student_t(degrees) == pytest.approx(point, abs=0.004)


def test_nothing_to_average_is_refused():
    with pytest.raises(ValueError, match="0 rows of scores for 0 examples"):
        mean_intervals(np.zeros((0, 1)), [], rng())
    with pytest.raises(ValueError, match="2 scores against 1"):
        paired_difference(np.zeros(2), np.zeros(1), ["a", "b"], rng())
