"""95 % intervals: of a share (Wilson), of mean scores and of paired differences, these by a bootstrap over tasks.

Instances of one task succeed and fail together, so whole tasks are drawn with replacement, never single examples; where
there is one task only, its examples are drawn, and the interval speaks about that task alone. The resamples give the
standard error of the mean, the tasks its skewness; the interval is Student's t on Hall's transformation, which takes
the skewness out (On the removal of skewness by transformation, JRSS B 54, 1992): where most tasks score near 0 the
resamples' percentiles cover too seldom. A difference gets the wider of that and plain t on each side, for a few tasks
cannot tell heavy tails from skewness. Shares of independent yes-no examples get Wilson's score interval, differences of
such shares Tango's (Statistics in Medicine 17, 1998), whose test of no difference is McNemar's (1947), all of them with
Student's t. Where all n tasks say the same, Wilson's upper end for none of n is the share of tasks that may say
anything else. How often all this covers the truth: benchmarks/coverage.py, table in docs/evaluation.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CONFIDENCE = 0.95
_POWER = 0.8
_NORMAL = 1.959964
"""Standard deviations of a normal distribution beyond which 2.5 % lie on one side."""
_NO_SPREAD = 1e-9
"""In percent points: less than this is rounding."""


@dataclass(frozen=True)
class Interval:
    """A mean and the two ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Resampled:
    """What the resamples say of the mean of each column; arrays of shape (columns,), float64.

    `num_clusters` counts what was drawn: tasks, or the examples of a single one. `discordant` is the share of examples
    that are not 0, where each is a cluster of its own and -100, 0 or 100; of other columns it is NaN.
    """

    value: np.ndarray
    standard_error: np.ndarray
    skewness: np.ndarray
    discordant: np.ndarray
    num_clusters: int


def wilson_interval(share: float, number: int, quantile: float = _NORMAL) -> tuple[float, float]:
    """Return the two ends of Wilson's score interval (1927) of a share of `number` independent yes-no answers.

    Args:
        quantile: standard errors on either side; by default those of a 95 % interval.
    """
    z2 = quantile**2
    centre = (share + z2 / (2 * number)) / (1 + z2 / number)
    variance = share * (1 - share) / number
    half = math.sqrt(z2 * variance + (z2 / (2 * number)) ** 2) / (1 + z2 / number)
    return (0.0 if share == 0 else centre - half), (1.0 if share == 1 else centre + half)


def resample(values: np.ndarray, clusters: Sequence[str], rng: np.random.Generator, num_samples: int) -> Resampled:
    """Draw clusters with replacement; all columns see the same resamples.

    Args:
        values: shape (examples, columns), float.
        clusters: the task of each example.

    Raises:
        ValueError: no example, or lengths that differ.
    """
    import numpy as np

    cluster_of_row = _clusters(values, clusters)
    order = np.argsort(cluster_of_row, kind="stable")
    sizes = np.bincount(cluster_of_row).astype(np.float64)
    starts = np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int64)
    centre = values.mean(axis=0)
    sums = np.add.reduceat((values - centre)[order], starts, axis=0)  # (clusters, columns)
    number = len(sizes)
    draws = rng.multinomial(number, np.full(number, 1 / number), size=num_samples).astype(np.float64)
    means = (draws @ sums) / (draws @ sizes)[:, None]  # (samples, columns), around centre
    spread = means.std(axis=0)
    has_spread = spread > _NO_SPREAD
    # by expansion, not of the resamples: 1,000 of them leave an error of 0.08, which a transformation near its singular
    # point makes an interval four times as wide. The second term is that of a ratio, for clusters differ in size
    square, cube = ((sums**power).mean(axis=0) for power in (2, 3))
    with_size = (sums * (sizes / sizes.mean() - 1)[:, None]).mean(axis=0)
    third = np.where(has_spread, cube - 6 * square * with_size, 0.0)
    skewness = third / np.where(has_spread, square, 1.0) ** 1.5 / number**0.5
    # n clusters vary as n - 1 degrees of freedom allow; resamples vary as if n were all there are
    standard_error = np.where(has_spread, spread * (number / max(number - 1, 1)) ** 0.5, 0.0)
    is_yes_no = (number == len(values)) & np.isin(values, (-100, 0, 100)).all(axis=0)
    discordant = np.where(is_yes_no, (values != 0).mean(axis=0), np.nan)
    return Resampled(centre, standard_error, skewness, discordant, number)


def mean_intervals(
    values: np.ndarray,
    clusters: Sequence[str],
    rng: np.random.Generator,
    num_samples: int = 1000,
    paired: bool = False,
) -> list[Interval]:
    """Return the mean of each column with its interval; all columns see the same resamples.

    Args:
        values: shape (examples, columns), float, in percent.
        clusters: the task of each example.
        paired: the columns are differences of two scores of the same example, so -100 to 100.

    Raises:
        ValueError: no example, or lengths that differ.
    """
    return intervals_of(resample(values, clusters, rng, num_samples), values, paired)


def intervals_of(of: Resampled, values: np.ndarray, paired: bool = False) -> list[Interval]:
    """Return `mean_intervals` of the resampled `values`, for whoever needs `p_values` of the same resamples too."""
    import numpy as np

    least, most = (-100 if paired else 0), 100
    low, high = _ends(of, of.skewness)
    if paired:
        plain_low, plain_high = _ends(of, np.zeros_like(of.skewness))
        low, high = np.minimum(low, plain_low), np.maximum(high, plain_high)
        share_low, share_high = tango_ends(of.value / 100, of.discordant, of.num_clusters, _quantile(of))
        is_share = ~np.isnan(of.discordant)
        low, high = np.where(is_share, 100 * share_low, low), np.where(is_share, 100 * share_high, high)
    elif of.num_clusters == len(values):
        for column in np.flatnonzero(((values == 0) | (values == 100)).all(axis=0)):
            ends = wilson_interval(float(of.value[column]) / 100, of.num_clusters, _quantile(of))
            low[column], high[column] = 100 * ends[0], 100 * ends[1]
    # where all clusters say the same, some that say something else may have been missed
    missed, is_alike = _share_missed(of.num_clusters, _quantile(of)), of.standard_error == 0
    low = np.where(is_alike, of.value - missed * (of.value - least), low)
    high = np.where(is_alike, of.value + missed * (most - of.value), high)
    if of.num_clusters == 1:  # one example: the truth may be anything
        low, high = np.full_like(low, least), np.full_like(high, most)
    # neither rounding nor values out of range may leave a mean outside its interval
    low, high = np.minimum(np.maximum(low, least), of.value), np.maximum(np.minimum(high, most), of.value)
    return [Interval(float(c), float(lo), float(hi)) for c, lo, hi in zip(of.value, low, high, strict=True)]


def p_values(of: Resampled) -> np.ndarray:
    """Return for each column of differences how likely so large a mean is if the truth is 0, two-sided.

    It is under 0.05 exactly where the interval leaves 0 out. Of yes-no examples, b better and c worse, it is McNemar's:
    (b - c) / sqrt(b + c) is what Tango's interval asks of a difference of 0.
    """
    import numpy as np
    from scipy.stats import t

    number = of.num_clusters
    if number == 1:
        return np.ones_like(of.value)
    varies = of.standard_error > 0
    x = of.value / np.where(varies, of.standard_error, 1.0)
    skewness = of.skewness
    transformed = x + skewness / 3 * x**2 + skewness**2 / 27 * x**3 + skewness / 6
    by_t = 2 * t.sf(np.minimum(np.abs(transformed), np.abs(x)), number - 1)
    same_sign = np.sign(transformed) == np.sign(x)
    # as large a share may be missed as would take the mean to 0 from the other end of the range: value / (100 + value)
    alike = 2 * t.sf(np.sqrt(number * np.abs(of.value) / 100), number - 1)
    usual = np.where(varies, np.where(same_sign, by_t, 1.0), alike)
    some = np.where(of.discordant > 0, of.discordant, 1.0)
    mcnemar = 2 * t.sf(np.abs(of.value) / 100 * np.sqrt(number / some), number - 1)
    return np.where(np.isnan(of.discordant), usual, mcnemar)


def minimum_detectable(of: Resampled) -> np.ndarray:
    """Return the smallest true mean that a test at 5 % would tell from 0 in 80 % of such evaluations."""
    import numpy as np
    from scipy.stats import t

    quantiles = _quantile(of) + float(t.ppf(_POWER, max(of.num_clusters - 1, 1)))
    unseen = 100 * _share_missed(of.num_clusters, quantiles)
    return np.where(of.standard_error > 0, of.standard_error * quantiles, unseen)


def _clusters(values: np.ndarray, clusters: Sequence[str]) -> np.ndarray:
    """Number the cluster of each row; the rows of a single task are clusters of their own."""
    import numpy as np

    if len(values) == 0 or len(values) != len(clusters):
        raise ValueError(
            f"{len(values)} rows of scores for {len(clusters)} examples; there must be one each, at least one"
        )
    _, cluster_of_row = np.unique(np.asarray(clusters), return_inverse=True)
    return np.arange(len(values)) if cluster_of_row.max() == 0 else cluster_of_row


def _quantile(of: Resampled) -> float:
    """Student's t beyond which 2.5 % lie on one side."""
    from scipy.stats import t

    return float(t.ppf(0.5 + CONFIDENCE / 2, max(of.num_clusters - 1, 1)))


def _share_missed(number: int, quantile: float) -> float:
    """Return the upper end of Wilson's interval where none of `number` was seen."""
    return quantile**2 / (number + quantile**2)


def _ends(of: Resampled, skewness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval: where Hall's transformed statistic meets Student's t; without skewness plain t."""
    import numpy as np

    point = _quantile(of)
    is_skewed = np.abs(skewness) > 1e-6
    divisor = np.where(is_skewed, skewness, 1.0)

    def inverse(y: float) -> np.ndarray:
        return np.where(is_skewed, 3 * (np.cbrt(1 + divisor * (y - divisor / 6)) - 1) / divisor, y)

    return of.value - inverse(point) * of.standard_error, of.value - inverse(-point) * of.standard_error


def tango_ends(
    difference: np.ndarray, discordant: np.ndarray, number: int, quantile: float
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of Tango's score interval (1998) of paired differences of two shares, found by halving.

    Args:
        difference: (b - c) / number, where b of `number` examples are better and c worse.
        discordant: (b + c) / number.
        quantile: how many standard errors either side.
    """
    import numpy as np

    worse = (discordant - difference) / 2

    def holds(delta: np.ndarray) -> np.ndarray:
        """Whether the score test keeps `delta`; the share of worse is then at its likeliest."""
        linear = (2 - difference) * delta - discordant
        square = np.maximum(linear**2 + 8 * worse * delta * (1 - delta), 0)
        variance = 2 * (np.sqrt(square) - linear) / 4 + delta * (1 - delta)
        return number * (difference - delta) ** 2 <= quantile**2 * variance

    ends = []
    for outermost in (-1.0, 1.0):
        inside, outside = difference, np.full_like(difference, outermost)
        for _ in range(50):  # to 1e-15
            middle = (inside + outside) / 2
            is_inside = holds(middle)
            inside, outside = np.where(is_inside, middle, inside), np.where(is_inside, outside, middle)
        ends.append(outside)
    return ends[0], ends[1]
