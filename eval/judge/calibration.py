"""How far a judge's grades agree with people's, on the answers that both have graded.

The measures are those of two raters (people/agreement.py). A figure that the grades do not define (all of them equal,
say) is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from selfinstruct_train.core.stats import mean_intervals

from ..people.agreement import MEASURES, Scale, agreement_intervals, measure_agreement
from ..people.rubric import ACCEPTABLE, GRADES

FEW = 20
"""Below so many double grades a kappa says little: at 20, with 70 % observed and 30 % chance agreement, its 95 %
interval reaches 0.29 to each side (Cohen 1960)."""

Key = tuple[str, str]
"""(example id, system)."""


def calibrate(
    judge: Mapping[Key, str | None],
    people: Mapping[Key, str],
    tasks: Mapping[str, str],
    seed: int,
    num_samples: int = 300,
) -> dict[str, Any] | None:
    """Return the agreement of two sets of grades with its intervals; None where they have no answer in common.

    Args:
        judge: None for a reply that could not be read: such answers stand in the table alone.
        tasks: of each example by its id.
        seed: of the resamples.
    """
    import numpy as np

    both = {key: (people[key], grade) for key, grade in judge.items() if key in people}
    if not both:
        return None
    counts = Counter((theirs, grade or "unreadable") for theirs, grade in both.values())
    readable = {key: (theirs, grade) for key, (theirs, grade) in both.items() if grade is not None}
    n = len(readable)
    ratings = {
        "people": {key: GRADES.index(theirs) for key, (theirs, _) in readable.items()},
        "judge": {key: GRADES.index(grade) for key, (_, grade) in readable.items()},
    }
    task_of = {key: tasks[key[0]] for key in readable}
    scale = Scale(len(GRADES), len(ACCEPTABLE), "ordinal")
    agreement = measure_agreement(ratings, scale)
    intervals = agreement_intervals(ratings, task_of, scale, seed, min(num_samples, 300))
    same = np.array([[100.0 * ((a in ACCEPTABLE) == (b in ACCEPTABLE))] for a, b in readable.values()])
    accuracy = mean_intervals(same, list(task_of.values()), np.random.default_rng(seed), num_samples)[0] if n else None
    return {
        "n": n,
        **{measure: getattr(agreement, measure) for measure in MEASURES},
        "accuracy": accuracy.value if accuracy else None,
        "intervals": intervals | {"accuracy": (accuracy.low, accuracy.high) if accuracy else None},
        "by_grade": {theirs: {grade: counts[theirs, grade] for grade in (*GRADES, "unreadable")} for theirs in GRADES},
        "note": f"only {n} answers were graded by people and judge: too few to trust the judge by" if n < FEW else None,
    }
