"""The scores of Super-NaturalInstructions and of Self-Instruct's 252 tasks, for Hugging Face `evaluate`.

    metric = evaluate.load(selfinstruct_eval.METRIC)
    metric.compute(predictions=["a cat"], references=[["the cat", "cats"]])

A thin dress: the arithmetic is `selfinstruct_eval.metrics`, the intervals are `selfinstruct_eval.intervals`. `evaluate`
copies this file away and runs it there, so all its imports are absolute and at the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

from selfinstruct_eval.metrics import load_tokenizer, score_each
from selfinstruct_train.core.names import METRICS
from selfinstruct_train.core.seeding import derive_seed
from selfinstruct_train.core.stats import mean_intervals

_DESCRIPTION = "ROUGE-L, ROUGE-1 and exact match as Tk-Instruct computes them, in percent, with intervals by task."
_INPUTS = """
Args:
    predictions: list of texts.
    references: for each prediction a list of texts, of which the best match counts, or one text.
    groups: optional, for each prediction the name of its group (category, language ...): adds "groups".
    clusters: optional, for each prediction its task: adds "intervals", the 95 % interval of each mean over whole tasks,
        to each group too.
    tokenizer: optional, Hub id or folder of a tokenizer whose tokens ROUGE compares, as Tk-Instruct does with gpt2 for
        other languages than English.
    bootstrap_samples: resamples behind an interval.
    seed: of the resamples.
Returns:
    {"rougeL", "rouge1", "exact_match"} in percent; "groups": {name: the same and "n"};
    "intervals": {metric: {"low", "high"}}, of all and of each group.
"""
_CITATION = """
@inproceedings{wang2023selfinstruct,
  title={Self-Instruct: Aligning Language Models with Self-Generated Instructions}, author={Wang, Yizhong and others},
  booktitle={ACL}, year={2023}, url={https://arxiv.org/abs/2212.10560}}
@inproceedings{wang2022superni,
  title={Super-NaturalInstructions: Generalization via Declarative Instructions on 1600+ NLP Tasks},
  author={Wang, Yizhong and others}, booktitle={EMNLP}, year={2022}, url={https://arxiv.org/abs/2204.07705}}
"""


class Superni(evaluate.Metric):  # type: ignore[name-defined]  # mypy takes recipes/evaluate.py for the library
    """See the card beside this file; the numbers are those of `selfinstruct_eval.metrics.score_predictions`."""

    def _info(self) -> Any:
        text = datasets.Value("string")
        return evaluate.MetricInfo(  # type: ignore[attr-defined]
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=[
                datasets.Features({"predictions": text, "references": datasets.Sequence(text)}),
                datasets.Features({"predictions": text, "references": text}),
            ],
            reference_urls=["https://github.com/yizhongw/Tk-Instruct/blob/main/src/compute_metrics.py"],
        )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> None:
        """Take a batch, as `compute` does; what is wrong with it is told in one line."""
        _check_batch(predictions, references)
        super().add_batch(predictions=predictions, references=references, **kwargs)

    def _compute(
        self,
        predictions: Sequence[str],
        references: Sequence[Any],
        groups: Sequence[str] | None = None,
        clusters: Sequence[str] | None = None,
        tokenizer: str | None = None,
        bootstrap_samples: int = 1000,
        seed: int = 0,
    ) -> dict[str, Any]:
        if bootstrap_samples < 1:
            raise ValueError(f"bootstrap_samples is {bootstrap_samples}; it must be at least 1")
        tokenize = load_tokenizer(tokenizer) if tokenizer else None
        scores = score_each(predictions, [[r] if isinstance(r, str) else r for r in references], tokenize)
        result: dict[str, Any] = _means(scores)
        rows: dict[str, np.ndarray] = {}
        if groups is not None:
            names = np.array(_labels("groups", groups, len(scores)))
            rows = {str(name): names == name for name in dict.fromkeys(names)}
            result["groups"] = {name: _means(scores[at]) | {"n": int(at.sum())} for name, at in rows.items()}
        if clusters is not None:
            tasks = np.array(_labels("clusters", clusters, len(scores)))
            result["intervals"] = _intervals(scores, tasks, bootstrap_samples, seed)
            for name, at in rows.items():
                result["groups"][name]["intervals"] = _intervals(scores[at], tasks[at], bootstrap_samples, seed, name)
        return result


def _intervals(scores: np.ndarray, tasks: np.ndarray, num_samples: int, seed: int, *group: str) -> dict[str, Any]:
    rng = np.random.default_rng(derive_seed(seed, "metric", "bootstrap", *group))
    pairs = zip(METRICS, mean_intervals(scores, tasks.tolist(), rng, num_samples), strict=True)
    return {metric: {"low": round(i.low, 4), "high": round(i.high, 4)} for metric, i in pairs}


def _means(scores: np.ndarray) -> dict[str, Any]:
    return {metric: round(float(mean), 4) for metric, mean in zip(METRICS, scores.mean(axis=0), strict=True)}


def _labels(name: str, labels: Sequence[str], number: int) -> list[str]:
    if isinstance(labels, str) or len(labels) != number:
        given = "one text" if isinstance(labels, str) else f"{len(labels)} names"
        raise ValueError(f"{name} is {given} for {number} predictions; it must hold one name for each")
    return [str(label) for label in labels]


def _check_batch(predictions: Any, references: Any) -> None:
    for name, values in (("predictions", predictions), ("references", references)):
        if values is None or isinstance(values, str):
            raise ValueError(f"{name} is {values!r}; it must be a list with one entry for each prediction")
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions, but references for {len(references)}; one entry for each")
    if len(predictions) == 0:
        raise ValueError("there are no predictions to score")
    for index, text in enumerate(predictions):
        if not isinstance(text, str):
            raise ValueError(f"predictions[{index}] is {text!r}; it must be a text")
    plain = isinstance(references[0], str)
    for index, answers in enumerate(references):
        if isinstance(answers, str) != plain:
            raise ValueError(f"references[{index}] is {answers!r}; all must be texts, or all lists of texts")
        if not plain and not (len(answers) and all(isinstance(answer, str) for answer in answers)):
            raise ValueError(f"references[{index}] is {answers!r}; it must be a list with at least one text")
