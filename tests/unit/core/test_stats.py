import numpy as np
import pytest

from selfinstruct_train.core.stats import (
    Interval,
    mean_intervals,
    minimum_detectable,
    p_values,
    resample,
    tango_ends,
    wilson_interval,
)


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)[:, None]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_wilsons_interval_is_as_published():
    # Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(8 / 10, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert (wilson_interval(20 / 20, 20)[1], wilson_interval(0, 20)[0]) == (1.0, 0.0)
    # with Student's t of 9 degrees, 2.262, for ten of ten: 10 / (10 + 2.262^2)
    assert wilson_interval(1.0, 10, 2.262)[0] == pytest.approx(0.66152, abs=1e-5)


def test_two_tasks_give_an_interval_from_the_worse_to_the_better():
    # tasks score 0 and 100; resamples of two tasks have means 0, 50 and 100
    (interval,) = mean_intervals(column(0, 0, 100, 100), ["a", "a", "b", "b"], rng())
    assert (interval.value, interval.low, interval.high) == (50.0, 0.0, 100.0)


def test_examples_of_one_task_are_never_parted():
    # a: 0 and 100 (mean 50), b: 0 and 100 (mean 50): every resample of tasks has mean 50
    of = resample(column(0, 100, 0, 100), ["a", "a", "b", "b"], rng(), 1000)
    assert (of.value.tolist(), of.standard_error.tolist(), of.num_clusters) == ([50.0], [0.0], 2)


def test_tasks_that_all_say_the_same_leave_room_for_those_that_may_say_anything_else():
    # Wilson's upper end of none of 2, t(1) = 12.706: 161.4 / 163.4 = 98.8 % may be elsewhere between 0 and 100
    (interval,) = mean_intervals(column(0, 100, 0, 100), ["a", "a", "b", "b"], rng())
    assert (interval.value, interval.low, interval.high) == pytest.approx((50, 50 - 49.39, 50 + 49.39), abs=0.01)
    # none of 56, t(55) = 2.004: 4.016 / 60.016 = 6.69 % of the tasks may differ by 100 either way
    tasks = [str(i // 25) for i in range(1400)]
    (same,) = mean_intervals(np.zeros((1400, 1)), tasks, rng(), paired=True)
    assert (same.value, same.low, same.high) == pytest.approx((0, -6.69, 6.69), abs=0.01)
    of = resample(np.zeros((1400, 1)), tasks, rng(), 100)
    # (2.004 + 0.848)^2 = 8.134; over 56 more: 12.7 %
    assert p_values(of).tolist() == [1.0] and minimum_detectable(of)[0] == pytest.approx(12.68, abs=0.02)


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


def test_what_both_systems_share_cancels_in_their_difference():
    values = np.random.default_rng(3).normal(50, 10, 60)
    tasks = [str(i // 5) for i in range(60)]
    of = resample(np.stack([values, values + 10 - values], axis=1), tasks, rng(), 1000)
    assert of.standard_error[0] > 1 and of.standard_error[1] == 0


def test_the_same_generator_gives_the_same_interval_and_the_order_of_rows_does_not_matter_to_the_mean():
    values, tasks = column(1, 2, 3, 4), ["a", "a", "b", "b"]
    assert mean_intervals(values, tasks, rng(7)) == mean_intervals(values, tasks, rng(7))


def test_many_equal_tasks_give_the_normal_interval():
    # 400 tasks of one example, sd 10: standard error 0.5
    values = np.random.default_rng(5).normal(50, 10, (400, 1))
    (interval,) = mean_intervals(values, [str(i) for i in range(400)], rng(), 4000)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.5, rel=0.1)


# means of tasks: around the middle, or skewed as where a model fails, or masters, nearly all tasks
TASKS = {"middle": (2.0, 3.0), "low": (0.3, 3.0), "high": (3.0, 0.5)}
NUM_DRAWS = 1000


def simulated(shape: str, num_tasks: int, number: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[str], float]:
    """Answers of two systems that are right or wrong (rows: examples, columns: draws), their tasks, the first's truth.

    The second is as good on the whole, but another half of the time on another task.
    """
    generator = np.random.default_rng(seed)
    a, b = TASKS[shape]
    first = generator.beta(a, b, (num_tasks, NUM_DRAWS))
    second = np.where(generator.random(first.shape) < 0.5, first, generator.beta(a, b, first.shape))
    tasks = [str(task) for task in range(num_tasks) for _ in range(number)]
    answers = [
        100.0 * (generator.random((len(tasks), NUM_DRAWS), dtype=np.float32) < np.repeat(means, number, axis=0))
        for means in (first, second)
    ]
    return answers[0], answers[1], tasks, 100 * a / (a + b)


def coverage(intervals: list[Interval], truth: float) -> float:
    return sum(i.low <= truth <= i.high for i in intervals) / len(intervals)


@pytest.mark.parametrize(("num_tasks", "number"), [(119, 100), (56, 25), (20, 50), (10, 20)])
@pytest.mark.parametrize("shape", TASKS)
def test_intervals_cover_the_truth_in_93_to_97_percent_of_1000_draws(shape, num_tasks, number):
    first, second, tasks, truth = simulated(shape, num_tasks, number, seed=5)
    assert 0.93 <= coverage(mean_intervals(first, tasks, rng()), truth) <= 0.97
    # two systems of few, very skewed tasks may be held apart too seldom, never too often
    most = 0.97 if num_tasks >= 20 else 0.985
    assert 0.93 <= coverage(mean_intervals(second - first, tasks, rng(), paired=True), 0.0) <= most


@pytest.mark.parametrize(("number", "percent"), [(20, 10), (100, 2), (100, 50), (252, 9)])
def test_intervals_of_a_single_task_cover_rare_answers_too(number, percent):
    values = 100.0 * (np.random.default_rng(6).random((number, NUM_DRAWS)) < percent / 100)
    assert 0.93 <= coverage(mean_intervals(values, ["a"] * number, rng()), percent) <= 0.97


def test_percentiles_of_the_same_resamples_would_cover_less():
    first, _, _, truth = simulated("low", 10, 20, seed=5)
    means = first.reshape(10, 20, NUM_DRAWS).mean(axis=1)
    draws = rng().multinomial(10, np.full(10, 0.1), size=1000) / 10
    low, high = np.quantile(draws @ means, [0.025, 0.975], axis=0)
    assert np.mean((low <= truth) & (truth <= high)) < 0.88


def test_resampling_examples_instead_of_tasks_would_cover_far_less():
    generator = np.random.default_rng(12)
    hits = 0
    for _ in range(200):
        values = np.concatenate([generator.normal(m, 10, 25) for m in generator.normal(50, 20, 20)])
        (interval,) = mean_intervals(values[:, None], [str(i) for i in range(500)], generator, 400)
        hits += interval.low <= 50 <= interval.high
    assert hits / 200 < 0.5


def test_a_share_of_yes_no_examples_has_wilsons_interval():
    # 0 of 100, t(99) = 1.984: 1.984^2 / (100 + 1.984^2) = 3.79 %
    (none,) = mean_intervals(column(*[0.0] * 100), ["a"] * 100, rng())
    assert (none.low, none.high) == (0.0, pytest.approx(3.79, abs=0.005))
    # as many tasks of one example each are the same question
    (each,) = mean_intervals(column(*[0.0] * 100), [str(i) for i in range(100)], rng())
    assert each == none


def better_and_worse(better: int, worse: int, number: int) -> tuple[np.ndarray, list[str]]:
    equal = number - better - worse
    return column(*[100.0] * better, *[-100.0] * worse, *[0.0] * equal), [str(i) for i in range(number)]


@pytest.mark.parametrize(
    ("better", "worse", "number", "p"),
    [
        # t = (b - c) / sqrt(b + c) with n - 1 degrees of freedom: 16 / sqrt(20) = 3.578, 20 / sqrt(24) = 4.082
        (18, 2, 20, 0.0020),
        (22, 2, 24, 0.00046),
        (2, 22, 24, 0.00046),
        (12, 8, 20, 0.382),
        (6, 0, 252, 0.0150),
        (0, 0, 20, 1.0),
    ],
)
def test_a_difference_of_yes_no_examples_has_mcnemars_p(better, worse, number, p):
    values, tasks = better_and_worse(better, worse, number)
    assert p_values(resample(values, tasks, rng(), 100))[0] == pytest.approx(p, rel=0.02)


def test_a_difference_of_yes_no_examples_has_tangos_interval():
    from scipy.optimize import brentq, minimize_scalar

    better, worse, number, t = 18, 2, 24, 2.0687

    def statistic(delta: float) -> float:
        def log_likelihood(share: float) -> float:  # `share` of worse, so `share + delta` of better
            return better * np.log(share + delta) + worse * np.log(share) + 4 * np.log(1 - 2 * share - delta)

        bounds = (max(0, -delta) + 1e-9, (1 - delta) / 2 - 1e-9)
        share = minimize_scalar(lambda x: -log_likelihood(x), bounds=bounds, method="bounded", options={"xatol": 1e-12})
        variance = number * (2 * share.x + delta - delta**2)
        return (better - worse - number * delta) / variance**0.5

    low = 100 * brentq(lambda delta: statistic(delta) - t, -0.9, 16 / 24)
    high = 100 * brentq(lambda delta: statistic(delta) + t, 16 / 24, 0.99)
    values, tasks = better_and_worse(better, worse, number)
    (interval,) = mean_intervals(values, tasks, rng(), paired=True)
    assert (interval.value, interval.low, interval.high) == pytest.approx((100 * 16 / 24, low, high), abs=0.01)


def test_tangos_interval_is_that_of_published_tables():
    # Fagerland, Lydersen and Laake (Statistics in Medicine 33, 2014), airway hyper-responsiveness: 1 against 7 of 21
    low, high = tango_ends(np.array([-6 / 21]), np.array([8 / 21]), 21, 1.959964)
    assert (round(float(low[0]), 3), round(float(high[0]), 3)) == (-0.517, -0.026)


def test_tangos_interval_ends_in_the_rule_for_examples_that_all_say_the_same():
    # all better: (n - t^2) / (n + t^2) to 1; none better or worse: t^2 / (n + t^2) either way; t(19) = 2.093
    low, high = tango_ends(np.array([1.0, 0.0]), np.array([1.0, 0.0]), 20, 2.093)
    assert low == pytest.approx([(20 - 4.3806) / 24.3806, -4.3806 / 24.3806], abs=1e-4)
    assert high == pytest.approx([1, 4.3806 / 24.3806], abs=1e-4)


def test_p_and_interval_agree_for_every_count_of_better_and_worse():
    for number in (3, 8, 20, 25):
        pairs = [(b, c) for b in range(number + 1) for c in range(number + 1 - b)]
        values = np.hstack([better_and_worse(b, c, number)[0] for b, c in pairs])
        tasks = [str(i) for i in range(number)]
        intervals = mean_intervals(values, tasks, rng(), 100, paired=True)
        p = p_values(resample(values, tasks, rng(), 100))
        assert (p < 0.05).tolist() == [not i.low <= 0 <= i.high for i in intervals]
        assert all(-100 <= i.low <= i.value <= i.high <= 100 for i in intervals)


@pytest.mark.parametrize(("number", "most"), [(20, 0.985), (50, 0.97), (252, 0.97)])
@pytest.mark.parametrize(("better", "worse"), [(0.2, 0.2), (0.4, 0.1), (0.7, 0.05)])
def test_differences_of_yes_no_examples_are_covered(number, most, better, worse):
    drawn = np.random.default_rng(6).random((number, NUM_DRAWS))
    values = np.where(drawn < better, 100.0, np.where(drawn < better + worse, -100.0, 0.0))
    found = mean_intervals(values, [str(i) for i in range(number)], rng(), 100, paired=True)
    assert 0.93 <= coverage(found, 100 * (better - worse)) <= most


def test_a_single_example_leaves_everything_open():
    (interval,) = mean_intervals(column(40.0), ["a"], rng())
    assert (interval.value, interval.low, interval.high) == (40.0, 0.0, 100.0)
    of = resample(column(40.0), ["a"], rng(), 100)
    assert p_values(of).tolist() == [1.0]


def test_p_is_under_5_percent_exactly_where_the_interval_leaves_0_out():
    first, second, tasks, _ = simulated("low", 20, 50, seed=8)
    differences = np.hstack([second - first, np.clip(second - first, -30, 100)])  # so that many lie beyond chance
    p = p_values(resample(differences, tasks, rng(), 1000))
    outside = [not i.low <= 0 <= i.high for i in mean_intervals(differences, tasks, rng(), paired=True)]
    assert 100 < sum(outside) < len(outside) - 100
    assert (p < 0.05).tolist() == outside


def test_p_of_a_difference_agrees_with_the_t_test_where_nothing_is_skewed():
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(4).normal(0, 10, 40)
    values = np.concatenate([values, -values]) + 1.5  # no skewness at all
    p = p_values(resample(values[:, None], [str(i) for i in range(80)], rng(), 20_000))[0]
    assert p == pytest.approx(ttest_1samp(values, 0).pvalue, abs=0.01)


@pytest.mark.parametrize("number", [2, 3, 5, 6, 7, 8, 12, 56, 252])
def test_p_and_interval_agree_where_all_clusters_say_the_same(number):
    differences = np.tile(np.arange(-100.0, 101.0), (number, 1))
    tasks = [str(i) for i in range(number)]
    p = p_values(resample(differences, tasks, rng(), 100))
    intervals = mean_intervals(differences, tasks, rng(), paired=True)
    assert (p < 0.05).tolist() == [not i.low <= 0 <= i.high for i in intervals]
    assert p[0] < 0.05 if number >= 7 else p.min() > 0.05  # one right and the other wrong in all of them
    assert p[100] == 1.0


def test_a_difference_of_the_minimum_detectable_size_is_found_in_80_percent_of_evaluations():
    generator = np.random.default_rng(9)
    tasks = [str(task) for task in range(60) for _ in range(10)]
    noise = np.repeat(generator.normal(0, 12, (60, 2000)), 10, axis=0) + generator.normal(0, 20, (600, 2000))
    # standard error: sqrt((12^2 + 20^2 / 10) / 60) = 1.751; t(59): 2.001 + 0.848
    detectable = minimum_detectable(resample(noise, tasks, rng(), 1000))
    assert detectable.mean() == pytest.approx(1.751 * 2.849, rel=0.03)
    p = p_values(resample(noise + 1.751 * 2.849, tasks, rng(), 1000))
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.03)


def test_a_large_lead_is_told_whatever_the_resamples():
    values, tasks = column(*[90.0] * 16, *[0.0] * 4), [f"t{i}" for i in range(20)]
    # of two values, 16 of 20: (1 - 2 * 0.8) / sqrt(20 * 0.8 * 0.2)
    assert resample(values, tasks, rng(), 1000).skewness == pytest.approx(-0.6 / 3.2**0.5)
    for seed in range(6):  # with the skewness of the resamples two of these seeds had p 0.05 and ends at -2 and 0
        assert p_values(resample(values, tasks, rng(seed), 1000)) < 0.01
        interval = mean_intervals(values, tasks, rng(seed), 1000, paired=True)[0]
        assert 43 < interval.low < 50 and 85 < interval.high <= 90


def test_the_skewness_is_that_of_very_many_resamples_where_tasks_differ_in_size():
    generator = rng(3)
    sizes = generator.integers(1, 40, size=60)
    tasks = [f"t{i}" for i, size in enumerate(sizes) for _ in range(size)]
    shares = generator.beta(0.3, 3, size=60)
    values = 100.0 * (generator.random(len(tasks)) < np.repeat(shares, sizes))
    sums = np.array([values[np.repeat(np.arange(60), sizes) == i].sum() for i in range(60)])
    draws = generator.multinomial(60, np.full(60, 1 / 60), size=200_000).astype(float)
    means = (draws @ sums) / (draws @ sizes.astype(float))
    third = ((means - means.mean()) ** 3).mean() / means.std() ** 3
    assert resample(values[:, None], tasks, rng(), 100).skewness[0] == pytest.approx(third, abs=0.01)


def test_nothing_to_average_is_refused():
    with pytest.raises(ValueError, match="0 rows of scores for 0 examples"):
        mean_intervals(np.zeros((0, 1)), [], rng())
    with pytest.raises(ValueError, match="2 rows of scores for 1 examples"):
        mean_intervals(np.zeros((2, 1)), ["a"], rng(), paired=True)
