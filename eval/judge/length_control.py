"""The length-controlled win rate: what would be preferred if both answers were equally long?

The idea is AlpacaEval 2's (arXiv 2404.04475): a logistic regression of the preference on the difference of lengths,
read off at a difference of zero. The model here, one for each pair of systems:

    P(the system is preferred) = sigmoid(theta + phi * tanh(d / s))

d is the difference of lengths in characters over the examples, s its standard deviation; a tie is half a win and half a
loss. Both coefficients have a normal prior of mean 0 and standard deviation 5, so that few data, or a judge who looks
at nothing but length, leave them finite. The figure is sigmoid(theta). Departs from the paper's: no term for how hard
an instruction is, which it estimates from many systems.

Where one system's answers are nearly always the longer, length and system cannot be separated, and there is no figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfinstruct_train.core.stats import CONFIDENCE, Interval

if TYPE_CHECKING:
    import numpy as np

PRIOR_SD = 5.0
_CHUNK = 100
"""Resamples fitted together: 11,900 examples then take some tens of MB."""


def inseparable(differences: np.ndarray) -> bool:
    """Whether equal length lies outside what was seen: beyond the middle 90 % of the differences by a tenth of s."""
    import numpy as np

    slack = 0.1 * differences.std()
    low, high = np.quantile(differences, [0.05, 0.95])
    return bool(low > slack or high < -slack)


def length_controlled(
    preferences: np.ndarray,
    differences: np.ndarray,
    clusters: Sequence[str],
    rng: np.random.Generator,
    num_samples: int = 1000,
) -> Interval | None:
    """Return the length-controlled win rate in percent with its interval.

    The interval is Student's t around theta, with the standard error of a bootstrap over clusters.

    Args:
        preferences: of each example 1, 0.5 or 0.
        differences: of each example the system's length less the other's.
        clusters: the task of each example; where there is one only, anything may be.

    Returns:
        None where length and system cannot be separated.
    """
    import numpy as np
    from scipy.special import expit
    from scipy.stats import t

    if inseparable(differences):
        return None
    spread = differences.std()
    feature = np.tanh(differences / spread) if spread > 0 else np.zeros(len(differences))
    _, cluster_of_row = np.unique(np.asarray(clusters), return_inverse=True)
    number = int(cluster_of_row.max()) + 1
    draws = rng.multinomial(number, np.full(number, 1 / number), size=num_samples).astype(float)
    theta = float(fit(preferences, feature, np.ones((1, len(feature))))[0, 0])
    resampled = np.concatenate(
        [
            fit(preferences, feature, draws[start : start + _CHUNK][:, cluster_of_row])[:, 0]
            for start in range(0, num_samples, _CHUNK)
        ]
    )
    # n clusters vary as n - 1 degrees of freedom allow; resamples vary as if n were all there are
    error = resampled.std() * (number / max(number - 1, 1)) ** 0.5
    reach = float(t.ppf(0.5 + CONFIDENCE / 2, number - 1)) * error if number > 1 else math.inf
    return Interval(*(100 * float(expit(logit)) for logit in (theta, theta - reach, theta + reach)))


def fit(preferences: np.ndarray, feature: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (theta, phi) of the penalised regression for each row of weights, by Newton's method.

    Args:
        preferences: shape (examples,), in [0, 1].
        feature: shape (examples,).
        weights: shape (samples, examples): how often each sample holds each example.
    """
    import numpy as np
    from scipy.special import expit

    theta = np.zeros((len(weights), 2))
    for _ in range(100):
        p = expit(theta[:, :1] + theta[:, 1:] * feature)  # (samples, examples)
        error = weights * (preferences - p)
        gradient = np.stack([error.sum(axis=1), error @ feature], axis=1) - theta / PRIOR_SD**2
        curve = weights * p * (1 - p)
        a = curve.sum(axis=1) + 1 / PRIOR_SD**2
        b = curve @ feature
        c = curve @ feature**2 + 1 / PRIOR_SD**2
        step = np.stack([c * gradient[:, 0] - b * gradient[:, 1], a * gradient[:, 1] - b * gradient[:, 0]], axis=1)
        step /= (a * c - b * b)[:, None]
        # a full step may overshoot where the curve is flat
        step /= np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True))
        theta += step
        if np.abs(step).max() < 1e-8:
            return theta
    raise AssertionError("the penalised log-likelihood is concave: Newton's method must end")
