"""How far raters agree: Cohen's kappa, Krippendorff's alpha, Spearman's rank correlation.

Pure functions of numbers; the measures are scikit-learn's, krippendorff's and scipy's. A measure that is not defined
(nothing rated twice, or no variation at all) is None, never 0 or 1.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeVar

MEASURES = ("kappa", "weighted_kappa", "acceptable_kappa", "alpha", "spearman")
"""The figures of an `Agreement`."""

ScaleKind = Literal["ordinal", "nominal"]
Unit = TypeVar("Unit", bound=Hashable)


@dataclass(frozen=True)
class Scale:
    """What is rated: so many levels, of which so many of the best are acceptable; alpha takes them for `kind`."""

    num_levels: int
    num_acceptable: int
    kind: ScaleKind


@dataclass(frozen=True)
class Pair:
    """Two raters on the `n` units that both rated; levels count from 0, the best."""

    raters: tuple[str, str]
    n: int
    kappa: float | None
    weighted_kappa: float | None
    acceptable_kappa: float | None
    spearman: float | None


@dataclass(frozen=True)
class Agreement:
    """Means over the pairs that have the measure, and alpha over all raters together; `num_double` units have two.

    A pair counts by the units it shares: of one that shares a single unit kappa is 0 or not defined, never 1.
    """

    kappa: float | None
    weighted_kappa: float | None
    acceptable_kappa: float | None
    alpha: float | None
    spearman: float | None
    num_double: int
    pairs: tuple[Pair, ...]


def measure_agreement(ratings: Mapping[str, Mapping[Unit, int]], scale: Scale) -> Agreement:
    """Compare all raters.

    Args:
        ratings: of each rater, the level (0 is the best) of each unit rated.
    """
    pairs = []
    for a, b in combinations(ratings, 2):
        common = [unit for unit in ratings[a] if unit in ratings[b]]
        if common:
            first, second = [ratings[a][u] for u in common], [ratings[b][u] for u in common]
            is_ok = [[int(level < scale.num_acceptable) for level in levels] for levels in (first, second)]
            pairs.append(
                Pair(
                    raters=(a, b),
                    n=len(common),
                    kappa=cohen_kappa(first, second),
                    weighted_kappa=cohen_kappa(first, second, quadratic=True),
                    acceptable_kappa=cohen_kappa(is_ok[0], is_ok[1]),
                    spearman=spearman(first, second),
                )
            )
    units = list(dict.fromkeys(u for of_rater in ratings.values() for u in of_rater))
    table = [[of_rater.get(unit) for unit in units] for of_rater in ratings.values()]
    return Agreement(
        kappa=_mean([(p.kappa, p.n) for p in pairs]),
        weighted_kappa=_mean([(p.weighted_kappa, p.n) for p in pairs]),
        acceptable_kappa=_mean([(p.acceptable_kappa, p.n) for p in pairs]),
        alpha=krippendorff_alpha(table, scale.num_levels, scale.kind),
        spearman=_mean([(p.spearman, p.n) for p in pairs]),
        num_double=sum(sum(u in r for r in ratings.values()) > 1 for u in units),
        pairs=tuple(pairs),
    )


def agreement_intervals(
    ratings: Mapping[str, Mapping[Unit, int]],
    task_of: Mapping[Unit, str],
    scale: Scale,
    seed: int,
    num_samples: int = 300,
) -> dict[str, tuple[float, float] | None]:
    """Return the middle 95 % of each measure over resamples of the tasks with units that two have rated.

    None where too many resamples leave the measure undefined, or none differs: few units that all agree on say little,
    and a resample of them says the same.

    Args:
        task_of: of each unit; the units of a task are drawn together.
        seed: of the resamples.
    """
    by_task: dict[str, list[Unit]] = {}
    for unit, task in task_of.items():
        if sum(unit in of_rater for of_rater in ratings.values()) > 1:
            by_task.setdefault(task, []).append(unit)
    if len(by_task) == 1:
        by_task = {str(unit): [unit] for unit in next(iter(by_task.values()))}
    tasks, rng = list(by_task), random.Random(seed)
    found: dict[str, list[float]] = {measure: [] for measure in MEASURES}
    for _ in range(num_samples if len(tasks) > 1 else 0):
        drawn = [(n, unit) for n, task in enumerate(rng.choices(tasks, k=len(tasks))) for unit in by_task[task]]
        resampled = {
            rater: {(n, unit): of_rater[unit] for n, unit in drawn if unit in of_rater}
            for rater, of_rater in ratings.items()
        }
        agreement = measure_agreement(resampled, scale)
        for measure, values in found.items():
            if (value := getattr(agreement, measure)) is not None:
                values.append(value)
    return {measure: _middle(values, num_samples) for measure, values in found.items()}


def cohen_kappa(first: Sequence[int], second: Sequence[int], quadratic: bool = False) -> float | None:
    """Return Cohen's kappa of two raters; with `quadratic` a difference of levels counts by its square."""
    if len(set(first) | set(second)) < 2:
        return None  # both gave one and the same level throughout: chance alone would explain it
    from sklearn.metrics import cohen_kappa_score

    levels = range(min(*first, *second), max(*first, *second) + 1)  # an unused level between two is a step all the same
    return _defined(cohen_kappa_score(first, second, labels=list(levels), weights="quadratic" if quadratic else None))


def krippendorff_alpha(ratings: Sequence[Sequence[int | None]], num_levels: int, kind: ScaleKind) -> float | None:
    """Return Krippendorff's alpha; `ratings` is raters by units, None where one did not rate."""
    paired = [unit for unit in zip(*ratings, strict=True) if sum(level is not None for level in unit) > 1]
    if len({level for unit in paired for level in unit if level is not None}) < 2:
        return None
    import krippendorff
    import numpy as np

    table = np.array([[math.nan if level is None else level for level in unit] for unit in paired]).T
    return _defined(krippendorff.alpha(table, value_domain=range(num_levels), level_of_measurement=kind))


def spearman(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Return Spearman's rank correlation, ties by their mean rank; None where a rater gave one level only."""
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    from scipy.stats import spearmanr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its p value on few units, which is not used
        return _defined(spearmanr(first, second).statistic)


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _middle(values: Sequence[float], num_samples: int) -> tuple[float, float] | None:
    """Return the 2.5 % and the 97.5 % quantile."""
    import numpy as np

    if len(values) < 0.9 * num_samples or max(values) - min(values) < 1e-9:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _mean(values: Sequence[tuple[float | None, int]]) -> float | None:
    """Return the mean of the values that are defined, each with its weight."""
    defined = [(v, weight) for v, weight in values if v is not None]
    return sum(v * weight for v, weight in defined) / sum(weight for _, weight in defined) if defined else None
