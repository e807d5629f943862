"""What lm-evaluation-harness asks and how it scores: the functions that the task files beside this one name.

Examples, prompts and scores are those of `selfinstruct eval`. The settings stand in --metadata
'{"self_instruct": {...}}': EvalConfig's, "template" (paper, fixed, chat; chat needs --apply_chat_template) and
"by_category". They name every set that is asked; without any settings it is the built-in world's. How a model is loaded
and decodes is the harness' affair: docs/harness.md says which of its flags change scores.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

# the harness loads this file by its path, where no relative import is possible
from selfinstruct_eval.examples import Example
from selfinstruct_eval.metrics import CATEGORY_METRICS, Tokenize, load_tokenizer, score_each
from selfinstruct_eval.prompts import prompt_limit
from selfinstruct_eval.tasks import load_sets
from selfinstruct_train.config import Config, EvalConfig, ModelConfig
from selfinstruct_train.config.load import load_config
from selfinstruct_train.core.names import METRICS, ROUGE_L, TASKS, USER_ORIENTED
from selfinstruct_train.core.prompt_format import TemplateName, question

if TYPE_CHECKING:
    from datasets import Dataset

_OWN = {"template": "paper", "by_category": False}
_NOT_HERE = ("models", "published", "sampling", "bootstrap_samples")


def superni(self_instruct: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """Return the examples of a source of Natural Instructions; of other metadata only the model's name counts."""
    return {"test": _documents(TASKS, self_instruct, metadata)}


def user_oriented(self_instruct: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """Return the user-oriented tasks."""
    return {"test": _documents(USER_ORIENTED, self_instruct, metadata)}


def score(doc: dict[str, Any], results: list[str]) -> dict[str, Any]:
    """Return a document's scores in percent, and each again with its task, for the standard errors."""
    scores = score_each(results[:1], [doc["references"]], _tokenize(doc["rouge_tokenizer"]))[0]
    values = dict(zip(METRICS, map(float, scores), strict=True))
    errors = {f"{metric}_stderr": (doc["task"], value) for metric, value in values.items()}
    if not (category := doc["shown_category"]):
        return values | errors
    metric = CATEGORY_METRICS.get(category, ROUGE_L)
    # the harness cuts a metric's name at the comma
    return values | errors | {f"{metric} ({category.replace(',', ';')})": values[metric]}


def standard_error_by_task(items: Sequence[tuple[str, float]]) -> float:
    """Return the standard error of the mean score where the instances of a task hang together (CR1).

    Where there is one task only, its instances count as independent, and the error speaks about that task alone.
    """
    mean = math.fsum(value for _, value in items) / len(items)
    deviations: dict[Any, float] = {}
    alone = len({task for task, _ in items}) == 1
    for index, (task, value) in enumerate(items):
        cluster = index if alone else task
        deviations[cluster] = deviations.get(cluster, 0.0) + value - mean
    number = len(deviations)
    if number < 2:
        return math.nan
    return math.sqrt(number / (number - 1) * math.fsum(d * d for d in deviations.values())) / len(items)


@functools.cache
def _tokenize(name: str) -> Tokenize | None:
    return load_tokenizer(name) if name else None


def _documents(name: str, given: dict[str, Any] | None, metadata: Mapping[str, Any]) -> Dataset:
    from datasets import Dataset

    given = {name: "builtin:tiny"} if given is None else given
    known = [f.name for f in fields(EvalConfig) if f.name not in _NOT_HERE]
    if not isinstance(given, dict):
        raise ValueError(f"metadata self_instruct: {given!r} is no mapping of settings")
    for key in given:
        if key not in known and key not in _OWN:
            raise ValueError(f"metadata self_instruct: unknown key {key!r}; known: {', '.join([*_OWN, *known])}")
    if given.get(name) is None:  # a built-in set beside a real one would pass for a real one
        other = "self_instruct_superni" if name == USER_ORIENTED else "self_instruct_user_oriented"
        raise ValueError(
            f'metadata self_instruct: "{name}" is missing; name that set (builtin:tiny is the built-in one), or ask '
            f"for the other task alone: --tasks {other}"
        )
    own = {key: given.get(key, default) for key, default in _OWN.items()}
    if not isinstance(own["by_category"], bool):
        raise ValueError(f"metadata self_instruct: by_category is {own['by_category']!r}; it must be true or false")
    settings = {f"eval.{key}": value for key, value in given.items() if key in known}
    config = _checked(settings | {"train.template": own["template"]})
    _tokenize(config.eval.rouge_tokenizer or "")  # or a wrong name is found after all is asked
    model = metadata.get("tokenizer") or metadata.get("pretrained")
    if config.eval.max_prompt_tokens is not None and model is None:
        raise ValueError("metadata self_instruct: max_prompt_tokens needs the model's tokenizer; give --model_args one")
    limit = prompt_limit(replace(config, model=ModelConfig(path=model or "", revision=metadata.get("revision"))))
    return Dataset.from_list([_document(e, config.eval, **own) for e in load_sets(config.eval, limit)[name]])


def _checked(settings: Mapping[str, Any]) -> Config:
    """Return a configuration with these settings, held to the types and ranges of a run's."""
    told = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    try:
        return load_config([f"--{key}={value}" for key, value in told.items()])
    except ValueError as error:
        raise ValueError(f"metadata self_instruct: {error}") from None


def _document(example: Example, config: EvalConfig, template: TemplateName, by_category: bool) -> dict[str, Any]:
    return {
        "id": example.id,
        "task": example.task,
        "category": example.category,
        "shown_category": example.category if by_category else "",
        "instruction": example.instruction,
        "input": example.input,
        "references": list(example.references),
        "rouge_tokenizer": config.rouge_tokenizer or "",
        "prompt": example.prompt or question(example.instruction, example.input, template)[0],
    }
