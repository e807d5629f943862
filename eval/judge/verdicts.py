"""From replies to verdicts, and from verdicts to figures: grades, win rates, and the biases of the judge itself.

A pure function of replies, answers and seed. Both orders of a pair must agree on a win, a loss or a tie; where they do
not, the pair is a flip, which counts as a tie. What could not be read is in no rate, and counted apart. All figures are
percent with a 95 % interval over tasks (core/stats.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from selfinstruct_train.core.stats import intervals_of, mean_intervals, p_values, resample

from ..people.rubric import ACCEPTABLE, GRADES
from .length_control import length_controlled
from .prompts import FIRST, SECOND, TIE

if TYPE_CHECKING:
    import numpy as np

Outcome = Literal["win", "loss", "tie", "flip", "unreadable"]
OUTCOMES: dict[Outcome, str] = {"win": "wins", "loss": "losses", "tie": "ties", "flip": "flips"}
OUTCOMES["unreadable"] = "unreadable"
PREFERENCE = {"win": 1.0, "loss": 0.0, "tie": 0.5, "flip": 0.5}


@dataclass(frozen=True)
class Grading:
    """One answer and its grade; None: the reply could not be read."""

    example_id: str
    task: str
    system: str
    grade: str | None
    reply: str


@dataclass(frozen=True)
class PairwiseComparison:
    """Two systems' answers to one example.

    `choices` are what was chosen with the system's answer shown first, and with it shown second; both are TIE where the
    answers are equal, and nothing was asked. `longer_by` is the system's length less the other's, in characters.
    """

    example_id: str
    task: str
    system: str
    longer_by: int
    choices: tuple[str | None, str | None]
    replies: tuple[str, str] | None

    @property
    def outcome(self) -> Outcome:
        """The verdict from the system's side."""
        if None in self.choices:
            return "unreadable"
        sides: tuple[dict[str | None, Outcome], ...] = (
            {FIRST: "win", SECOND: "loss", TIE: "tie"},
            {FIRST: "loss", SECOND: "win", TIE: "tie"},
        )
        once, again = (side[choice] for side, choice in zip(sides, self.choices, strict=True))
        return once if once == again else "flip"


def rate(gradings: Sequence[Grading], rng: np.random.Generator, num_samples: int) -> dict[str, Any]:
    """Count one system's grades; `acceptable` is the share of A and B among those that could be read."""
    counts = Counter(g.grade or "unreadable" for g in gradings)
    readable = [g for g in gradings if g.grade]
    values = [100.0 * (g.grade in ACCEPTABLE) for g in readable if g.grade]
    tasks = _clusters([(g.task, g.example_id) for g in readable])
    shown = {grade: counts[grade] for grade in (*GRADES, "unreadable")}
    return {**shown, "acceptable": _figure(values, tasks, rng, num_samples)}


def win_rates(pairs: Sequence[PairwiseComparison], rng: np.random.Generator, num_samples: int) -> dict[str, Any]:
    """Count one system's pairs with another; its win rate, raw and length-controlled, and p against 50 %."""
    import numpy as np

    counts = Counter(pair.outcome for pair in pairs)
    decided = [pair for pair in pairs if pair.outcome != "unreadable"]
    tasks = _clusters([(pair.task, pair.example_id) for pair in decided])
    preferences = [PREFERENCE[pair.outcome] for pair in decided]
    result: dict[str, Any] = {name: counts[outcome] for outcome, name in OUTCOMES.items()}
    result["win_rate"], result["p"] = _win_rate(preferences, tasks, rng, num_samples)
    result["length_controlled"] = None
    result["length_note"] = None
    if decided:
        differences = np.array([pair.longer_by for pair in decided], dtype=float)
        controlled = length_controlled(np.array(preferences), differences, tasks, rng, num_samples)
        if controlled is not None and len(set(preferences)) == 1:
            result["length_controlled"] = result["win_rate"]  # no verdict that length could explain
        elif controlled is not None:
            result["length_controlled"] = {**asdict(controlled), "n": len(decided)}
        else:
            longer = "longer" if np.median(differences) > 0 else "shorter"
            result["length_note"] = f"its answers are nearly always the {longer}: length cannot be told from quality"
    return result


def bias(pairs: Sequence[PairwiseComparison], rng: np.random.Generator, num_samples: int) -> dict[str, Any]:
    """Return what the judge prefers that is no quality, over the single verdicts of all pairs read in both orders.

    `first` and `longer` are shares of the verdicts that chose an answer. A judge whose choices do not turn with the
    order has exactly half of them for the first. The warnings name what chance does not explain.
    """
    asked = [pair for pair in pairs if pair.replies is not None and pair.outcome != "unreadable"]
    clusters = _clusters([(pair.task, pair.example_id) for pair in asked])
    same = [(100.0 * (pair.outcome != "flip"), c) for pair, c in zip(asked, clusters, strict=True)]
    first: list[tuple[float, str]] = []
    longer: list[tuple[float, str]] = []
    for pair, cluster in zip(asked, clusters, strict=True):
        for system_is, choice in zip((FIRST, SECOND), pair.choices, strict=True):
            if choice != TIE:
                first.append((100.0 * (choice == FIRST), cluster))
            if choice != TIE and pair.longer_by:
                longer.append((100.0 * ((choice == system_is) == (pair.longer_by > 0)), cluster))
    figures = {
        name: _figure([value for value, _ in rows], [cluster for _, cluster in rows], rng, num_samples)
        for name, rows in (("first", first), ("longer", longer), ("consistency", same))
    }
    return {**figures, "warnings": _warnings(**figures)}


def _warnings(
    first: dict[str, Any] | None, longer: dict[str, Any] | None, consistency: dict[str, Any] | None
) -> list[str]:
    """Say in words which share chance does not explain."""
    warnings = []
    if first and not first["low"] <= 50 <= first["high"]:
        shown = "first" if first["value"] > 50 else "second"
        warnings.append(f"this judge prefers what it is shown {shown}: {_shown(first)} chose the first")
    if longer and longer["low"] > 50:
        warnings.append(
            f"this judge prefers the longer answer: {_shown(longer)} chose it; unless the longer answers are the "
            "better ones, believe no win rate but that at equal length"
        )
    if consistency and consistency["high"] < 50:
        warnings.append(
            f"this judge contradicts itself in the other order: {_shown(consistency, 'pairs')} got one verdict in "
            "both; the others count half, so every win rate is near 50 %"
        )
    return warnings


def _win_rate(
    preferences: Sequence[float], clusters: Sequence[str], rng: np.random.Generator, num_samples: int
) -> tuple[dict[str, Any] | None, float | None]:
    """Return the mean preference, and how likely one so far from one half is by chance, two-sided.

    Both are of wins less losses: p is under 0.05 exactly where the interval leaves 50 out, ties or none.
    """
    import numpy as np

    if not preferences:
        return None, None
    leads = 200 * np.array(preferences, dtype=float)[:, None] - 100
    of = resample(leads, clusters, rng, num_samples)
    lead = intervals_of(of, leads, paired=True)[0]
    ends = {name: 50 + value / 2 for name, value in asdict(lead).items()}
    return {**ends, "n": len(preferences)}, float(p_values(of)[0])


def _clusters(names: Sequence[tuple[str, str]]) -> list[str]:
    """Tasks; where there is one task only its examples, so that what is said of one example stays together."""
    tasks = [task for task, _ in names]
    return tasks if len(set(tasks)) > 1 else [example for _, example in names]


def _figure(
    values: Sequence[float], clusters: Sequence[str], rng: np.random.Generator, num_samples: int
) -> dict[str, Any] | None:
    import numpy as np

    if not values:
        return None
    i = mean_intervals(np.array(values)[:, None], clusters, rng, num_samples)[0]
    return {**asdict(i), "n": len(values)}


def _shown(figure: dict[str, Any], of: str = "verdicts") -> str:
    return f"{figure['value']:.0f} % [{figure['low']:.0f}, {figure['high']:.0f}] of {figure['n']} {of}"
