"""From answers to scores: every system, over all examples, by distance, category and task, and paired differences.

A pure function of examples, predictions and seed. Each group of examples is resampled alike for all systems, metrics
and differences, with a generator of its own, so adding a group or a system moves no other interval's resamples. Scores
hold the leads that tables show; whether any two systems can be told apart is in `comparisons`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from selfinstruct_train.core.names import BASE, BASE_CUT, METRICS, ROUGE_L
from selfinstruct_train.core.records import Score
from selfinstruct_train.core.seeding import derive_seed
from selfinstruct_train.core.stats import mean_intervals

from .comparisons import NOT_TOLD_APART, Comparison, compare_all
from .examples import Example, ExampleSet
from .metrics import CATEGORY_METRICS, Tokenize, score_each
from .predict import Kind, fingerprint_answers

if TYPE_CHECKING:
    import numpy as np

KINDS = ("overall", "distance", "category", "task")


@dataclass(frozen=True)
class SystemScore:
    """A score of `system`, or where `against` names another system, its lead over that one on the same examples.

    `kind` is one of KINDS, `score.group` the distance, category or task (for overall: "all").
    """

    system: str
    against: str
    kind: str
    num_tasks: int
    score: Score


@dataclass(frozen=True)
class Evaluation:
    """A set of examples, what each system answered, and the scores; `metrics[system]` has shape (examples, METRICS)."""

    name: str
    source: str
    examples: tuple[Example, ...]
    predictions: dict[str, tuple[str, ...]]
    metrics: dict[str, np.ndarray]
    scores: tuple[SystemScore, ...]
    kinds: dict[str, Kind]
    comparisons: tuple[Comparison, ...] = ()

    def find(
        self, system: str, metric: str = ROUGE_L, kind: str = "overall", group: str = "all", against: str = ""
    ) -> Score:
        """Return one score; KeyError if there is none such."""
        for s in self.scores:
            if (s.system, s.against, s.kind, s.score.group, s.score.metric) == (system, against, kind, group, metric):
                return s.score
        raise KeyError((system, against, kind, group, metric))

    def compare(self, system: str, against: str, metric: str = ROUGE_L) -> Comparison:
        """Return how a system stands to one before it; KeyError if they are not compared."""
        for c in self.comparisons:
            if (c.system, c.against, c.metric) == (system, against, metric):
                return c
        raise KeyError((system, against, metric))

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of each system's answers, as `predict.fingerprint_answers` gives it."""
        return {system: fingerprint_answers(self.examples, texts) for system, texts in self.predictions.items()}

    @property
    def tuned(self) -> str | None:
        """The trained system that stands for the run (the last one); None where nothing was trained."""
        return next((s for s in reversed(list(self.predictions)) if self.kinds[s] == "trained"), None)


def evaluate_predictions(
    of: ExampleSet,
    predictions: Mapping[str, Sequence[str]],
    seed: int,
    bootstrap_samples: int = 1000,
    kinds: Mapping[str, Kind] | None = None,
    tokenize: Tokenize | None = None,
) -> Evaluation:
    """Score each system's predictions (one for each example, in order) with intervals, and compare the systems.

    Args:
        kinds: of each system; where one is not named: base and base, cut are the base, others were trained by the run.
        tokenize: as `score_each` takes it.
    """
    import numpy as np

    examples = of.examples
    references = [e.references for e in examples]
    metrics = {system: score_each(texts, references, tokenize) for system, texts in predictions.items()}
    usual: dict[str, Kind] = {s: "base" if s in (BASE, BASE_CUT) else "trained" for s in predictions}
    of_kind = {system: (kinds or {}).get(system, usual[system]) for system in predictions}
    leads = _leads(of_kind)
    singles = np.concatenate([metrics[s] for s in predictions], axis=1)
    paired = np.concatenate([metrics[s] - metrics[a] for s, a in leads], axis=1) if leads else singles[:, :0]
    columns = [(system, "") for system in predictions] + leads
    scores = []
    for kind in KINDS:
        for group, rows in _groups(kind, examples).items():
            tasks = [examples[row].task for row in rows]
            intervals = iter(
                mean_intervals(singles[rows], tasks, _rng(seed, of.name, kind, group), bootstrap_samples)
                + mean_intervals(paired[rows], tasks, _rng(seed, of.name, kind, group), bootstrap_samples, paired=True)
            )
            for system, against in columns:
                for metric in METRICS:
                    i = next(intervals)
                    score = Score(metric, i.value, i.low, i.high, len(rows), group)
                    scores.append(SystemScore(system, against, kind, len(set(tasks)), score))
    kept = {system: tuple(texts) for system, texts in predictions.items()}
    comparisons = compare_all(
        {system: m for system, m in metrics.items() if system != BASE_CUT},
        [e.task for e in examples],
        _rng(seed, of.name, "overall", "all"),
        bootstrap_samples,
    )
    return Evaluation(of.name, of.source, tuple(examples), kept, metrics, tuple(scores), of_kind, comparisons)


def _rng(seed: int, *coordinates: str) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng(derive_seed(seed, "eval", "bootstrap", *coordinates))


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the scores as plain data, one flat row a score, for scores.json."""
    rows = [
        {"system": s.system, "against": s.against or None, "kind": s.kind, "num_tasks": s.num_tasks, **asdict(s.score)}
        for s in evaluation.scores
    ]
    categories = dict.fromkeys(e.category for e in evaluation.examples)
    answers = evaluation.fingerprints
    return {
        "set": evaluation.name,
        "source": evaluation.source,
        "num_examples": len(evaluation.examples),
        "num_tasks": len({e.task for e in evaluation.examples}),
        "systems": {s: {"kind": kind, "answers": answers[s]} for s, kind in evaluation.kinds.items()},
        "category_metrics": {c: CATEGORY_METRICS[c] for c in categories if c in CATEGORY_METRICS},
        "scores": rows,
        "comparisons": [asdict(c) for c in evaluation.comparisons],
    }


def summary(evaluation: Evaluation) -> list[str]:
    """Return three lines: base, tuned, and the gain with its interval (where nothing was trained, they say so).

    Further models (`eval.models`) follow with a line each; where there are only those, they stand in place of tuned.
    """
    lines = [f"base   {_with_interval(evaluation.find(BASE))}"]
    others = [f"{s}  {_lead(evaluation, s)}" for s, kind in evaluation.kinds.items() if kind == "other"]
    tuned = evaluation.tuned
    if tuned is None:
        return [*lines, *(others or ["tuned       - no trained model in this run yet", "gain        -"])]
    gain = evaluation.find(tuned, against=BASE)
    size = f"{len(evaluation.examples)} examples of {len({e.task for e in evaluation.examples})} tasks"
    return [
        *lines,
        f"tuned  {_with_interval(evaluation.find(tuned))}, {tuned}",
        f"gain   {_with_interval(gain, signed=True)}, {_unsure(evaluation, tuned)}{size}",
        *others,
    ]


def _with_interval(score: Score, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{score.value:{sign}6.1f} ROUGE-L  (95 % interval {score.low:{sign}.1f} to {score.high:{sign}.1f})"


def _lead(evaluation: Evaluation, system: str) -> str:
    gain = evaluation.find(system, against=BASE)
    lead = f"{gain.value:+.1f} over base ({gain.low:+.1f} to {gain.high:+.1f})"
    return f"{_with_interval(evaluation.find(system))}, {_unsure(evaluation, system)}{lead}"


def _unsure(evaluation: Evaluation, system: str) -> str:
    told_apart = evaluation.compare(system, BASE).verdict != NOT_TOLD_APART
    return "" if told_apart else f"{NOT_TOLD_APART} from base, "


def _leads(kinds: Mapping[str, Kind]) -> list[tuple[str, str]]:
    """Each trained or further system against base, base cut, and those of its like before it."""
    bases = [s for s, kind in kinds.items() if kind == "base"]
    asked = [s for s, kind in kinds.items() if kind in ("trained", "other")]
    return [(s, other) for index, s in enumerate(asked) for other in [*bases, *asked[:index]]]


def _groups(kind: str, examples: Sequence[Example]) -> dict[str, list[int]]:
    """Group names in order of appearance, each with its rows; empty names and tasks of one example form no group."""
    if kind == "task" and len({e.task for e in examples}) == len(examples):
        return {}
    groups: dict[str, list[int]] = {}
    for row, example in enumerate(examples):
        group = "all" if kind == "overall" else getattr(example, kind)
        if group:
            groups.setdefault(group, []).append(row)
    return groups
