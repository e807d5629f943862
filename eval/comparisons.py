"""All pairs of systems of a set: the paired difference, its interval, and whether they can be told apart.

Among many pairs some differ by chance alone, so a pair counts as told apart only after Holm's correction (1979) over
all pairs of the set, for each metric. An interval is that of its pair alone: it may leave 0 out while the corrected
verdict is "cannot be told apart". "base, cut" is no system of its own and stays out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from selfinstruct_train.core.names import METRICS
from selfinstruct_train.core.stats import CONFIDENCE, intervals_of, minimum_detectable, p_values, resample

if TYPE_CHECKING:
    import numpy as np

Verdict = Literal["better", "worse", "cannot be told apart"]
NOT_TOLD_APART: Verdict = "cannot be told apart"


@dataclass(frozen=True)
class Comparison:
    """How `system` stands to `against` in one metric, in percent points over all examples of the set.

    `p` is the pair's own, `p_adjusted` Holm's, by which `verdict` goes. `minimum_detectable` is the smallest true
    difference that a test at 5 % finds in 80 % of such evaluations (of one pair, before correction).
    """

    system: str
    against: str
    metric: str
    value: float
    low: float
    high: float
    p: float
    p_adjusted: float
    minimum_detectable: float
    verdict: Verdict


def compare_all(
    metrics: Mapping[str, np.ndarray],
    tasks: Sequence[str],
    rng: np.random.Generator,
    num_samples: int = 1000,
) -> tuple[Comparison, ...]:
    """Compare each system with every one before it, on the same examples.

    Args:
        metrics: of each system, shape (examples, METRICS), in percent.
        tasks: of each example.
    """
    import numpy as np

    names = list(metrics)
    pairs = [(system, against) for index, system in enumerate(names) for against in names[:index]]
    if not pairs:
        return ()
    differences = np.concatenate([metrics[s] - metrics[a] for s, a in pairs], axis=1)  # (examples, pairs * METRICS)
    of = resample(differences, tasks, rng, num_samples)
    intervals = intervals_of(of, differences, paired=True)
    p, detectable = p_values(of), minimum_detectable(of)
    found = []
    for column, metric in enumerate(METRICS):
        adjusted = holm(p[column :: len(METRICS)].tolist())
        for number, (system, against) in enumerate(pairs):
            at = number * len(METRICS) + column
            i = intervals[at]
            verdict = _verdict(i.value, adjusted[number])
            figures = float(p[at]), adjusted[number], float(detectable[at])
            found.append(Comparison(system, against, metric, i.value, i.low, i.high, *figures, verdict))
    return tuple(found)


def compare_graded(
    values: Mapping[str, Mapping[str, float]],
    tasks: Mapping[str, str],
    metric: str,
    make_rng: Callable[[], np.random.Generator],
    num_samples: int = 1000,
) -> tuple[Comparison, ...]:
    """Compare each system with every one before it, each pair on the examples that both have a value for.

    Args:
        values: of each system, by example, in percent: not every answer was graded, or its grade could be read.
        tasks: of each example.
        make_rng: gives the same generator for each pair.
    """
    import numpy as np

    names = list(values)
    compared = []
    for system, against in [(system, against) for index, system in enumerate(names) for against in names[:index]]:
        ours, theirs = values[system], values[against]
        both = [example for example in ours if example in theirs]
        if both:
            difference = np.array([[ours[example] - theirs[example]] for example in both])
            compared.append((system, against, difference, [tasks[example] for example in both]))
    of = [resample(difference, clusters, make_rng(), num_samples) for _, _, difference, clusters in compared]
    p = [float(p_values(one)[0]) for one in of]
    found = []
    for (system, against, difference, _), one, own, adjusted in zip(compared, of, p, holm(p), strict=True):
        i = intervals_of(one, difference, paired=True)[0]
        figures = own, adjusted, float(minimum_detectable(one)[0])
        found.append(Comparison(system, against, metric, i.value, i.low, i.high, *figures, _verdict(i.value, adjusted)))
    return tuple(found)


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values: step down from the smallest, each times the number of those still open."""
    adjusted, largest = [1.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - rank) * float(p[index])))
        adjusted[index] = largest
    return adjusted


def _verdict(value: float, p_adjusted: float) -> Verdict:
    if p_adjusted >= 1 - CONFIDENCE:
        return NOT_TOLD_APART
    return "better" if value > 0 else "worse"
