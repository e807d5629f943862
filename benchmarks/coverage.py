"""How often a 95 % interval of the evaluation contains the truth: python -m benchmarks.coverage

Scores of simulated tasks with a known mean, in the shapes that real ones have: answers right or wrong (exact match) and
scores heavy at 0 and 100 (ROUGE-L), where tasks lie about the middle, near 0, or near 100. "mean": one system; "pair":
the difference of two that are as good, on other tasks; "gain": of two that differ on three tasks of ten, where one is
about the middle. Beside the intervals of core/stats.py stand percentiles of 1,000 resamples of the tasks. The main rows
are checked in tests/unit/core/test_stats.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from selfinstruct_train.core.stats import mean_intervals

NUM_DRAWS = 4000
"""Coverage of 95 % is then known to 0.7 points (two standard errors)."""
SHAPES = ((119, 100), (56, 25), (20, 50), (10, 20), (6, 20))
TASKS = {
    "middle": (2.0, 3.0),  # parameters of the Beta distribution that a task's mean score is drawn from
    "low": (0.3, 3.0),
    "high": (3.0, 0.5),
}
MEANS = {name: 100 * a / (a + b) for name, (a, b) in TASKS.items()}


def right_or_wrong(rng: np.random.Generator, means: np.ndarray, number: int) -> np.ndarray:
    """Draw answers of 0 or 100: (tasks, draws) -> (tasks, examples, draws)."""
    return 100.0 * (rng.random((len(means), number, means.shape[1])) < means[:, None, :])


def partial(rng: np.random.Generator, means: np.ndarray, number: int) -> np.ndarray:
    """Draw scores of which half are 0 or 100 and half lie evenly around the task's mean: shape as above."""
    extreme = right_or_wrong(rng, means, number)
    room = np.minimum(means, 1 - means)[:, None, :]
    within = 100 * (means[:, None, :] + room * rng.uniform(-1, 1, extreme.shape))
    return np.where(rng.random(extreme.shape) < 0.5, extreme, within)


def coverage(values: np.ndarray, truth: float, rng: np.random.Generator, paired: bool) -> float:
    """Return the share of draws whose interval holds the truth; `values` of shape (tasks, examples, draws)."""
    num_tasks, number, draws = values.shape
    tasks = [str(task) for task in range(num_tasks) for _ in range(number)]
    intervals = mean_intervals(values.reshape(-1, draws), tasks, rng, paired=paired)
    return sum(i.low <= truth <= i.high for i in intervals) / draws


def percentile_coverage(values: np.ndarray, truth: float, rng: np.random.Generator) -> float:
    """Return the same for the percentiles of 1,000 resamples of the tasks, or of a single task's examples."""
    means = values.mean(axis=1) if len(values) > 1 else values[0]
    draws = rng.multinomial(len(means), np.full(len(means), 1 / len(means)), size=1000) / len(means)
    low, high = np.quantile(draws @ means, [0.025, 0.975], axis=0)
    return float(np.mean((low <= truth) & (truth <= high)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=NUM_DRAWS)
    num_draws = parser.parse_args().draws
    print("tasks x examples  scores   tasks    of     ours  percentile")
    for num_tasks, number in SHAPES:
        for name, (a, b) in TASKS.items():
            for label, draw in (("0/1", right_or_wrong), ("partial", partial)):
                rng = np.random.default_rng(1)
                _row(num_tasks, number, name, label, draw, (a, b), rng, num_draws)
    for number in (20, 100, 252):
        for percent in (2, 10, 50):
            rng = np.random.default_rng(2)
            values = right_or_wrong(rng, np.full((1, num_draws), percent / 100), number)
            ours, theirs = coverage(values, percent, rng, False), percentile_coverage(values, percent, rng)
            print(f"{1:>5} x {number:<8} 0/1      {percent:>3} %    mean {100 * ours:6.1f} {100 * theirs:10.1f}")


def _row(
    num_tasks: int,
    number: int,
    name: str,
    label: str,
    draw: Callable[[np.random.Generator, np.ndarray, int], np.ndarray],
    beta: tuple[float, float],
    rng: np.random.Generator,
    num_draws: int,
) -> None:
    found: dict[str, list[tuple[float, float]]] = {"mean": [], "pair": [], "gain": []}
    for start in range(0, num_draws, 250):  # 250 at once: the scores of 119 x 100 examples then take 24 MB
        draws = min(250, num_draws - start)
        means = rng.beta(*beta, (num_tasks, draws))
        first = draw(rng, means, number)
        swapped = np.where(rng.random(means.shape) < 0.5, means, rng.beta(*beta, means.shape))
        better = np.where(rng.random(means.shape) < 0.3, rng.beta(2, 2, means.shape), means)
        for of, scores, truth in (
            ("mean", first, MEANS[name]),
            ("pair", draw(rng, swapped, number) - first, 0.0),
            ("gain", draw(rng, better, number) - first, 0.3 * (50 - MEANS[name])),
        ):
            ours = coverage(scores, truth, rng, paired=of != "mean")
            found[of].append((ours, percentile_coverage(scores, truth, rng)))
    for of, shares in found.items():
        ours, theirs = map(float, np.mean(shares, axis=0))
        print(
            f"{num_tasks:>5} x {number:<8} {label:<8} {name:<8} {of} {100 * ours:6.1f} {100 * theirs:10.1f}", flush=True
        )


if __name__ == "__main__":
    main()
