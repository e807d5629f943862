"""Measure a model in training on its validation rows, at each checkpoint, so that the best one becomes the model.

The loss is the mean over the tokens of all completions. ROUGE-L (F1 x 100, stemmed, as in Tk-Instruct) is measured on
greedy answers to at most 50 prompts, and sees Latin letters and digits only. Apart from numerics, neither depends on
batch size or processes. No random number is drawn, so the training continues as without validation.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from ..config import TrainConfig
from ..core.prompt_format import stop_ids
from ..core.records import Row
from ..core.rouge import rouge_l, stemmed_words
from ..core.seeding import derive_seed
from ..lm.transformers.greedy import Greedy, greedy_answers
from .data.encode import IGNORED, EncodedRow, encode_rows, evaluation_ids
from .data.packing import collate_rows
from .network.loss import weighted_loss
from .network.model import context_length, network_of
from .plan import Plan, within_context

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, Trainer
    from transformers.trainer_utils import EvalLoopOutput

MAX_PROMPTS = 50
SPARE_TOKENS = 8
"""An answer may have this many tokens more than the longest reference."""


@dataclass(frozen=True)
class Question:
    """A prompt as evaluation writes it, and the outputs that the validation rows have for it."""

    prompt_ids: tuple[int, ...]
    references: tuple[str, ...]


def validation_arguments(train: TrainConfig) -> dict[str, Any]:
    """Return the SFTConfig arguments with which the trainer measures validation rows and keeps the best checkpoint."""
    if not train.validation_rows:
        return {}
    return {
        "eval_strategy": "steps",
        "eval_steps": train.save_steps,
        "load_best_model_at_end": True,
        "metric_for_best_model": f"eval_{train.best_by}",
        "greater_is_better": train.best_by == "rouge_l",
    }


def validation_dataset(plan: Plan) -> Dataset | None:
    """Return the validation rows as a dataset of input_ids and labels, never packed; None: there are none.

    Raises:
        ValueError: none of them can be measured.
    """
    if not plan.validation_rows:
        return None
    import datasets

    rows, _ = _encoded(plan)
    return datasets.Dataset.from_dict(
        {"input_ids": [list(row.input_ids) for row in rows], "labels": [list(row.labels) for row in rows]}
    )


def measure_validation(trainer: Trainer, plan: Plan) -> EvalLoopOutput:
    """Return loss and ROUGE-L of the trainer's model on the plan's validation rows.

    It replaces Trainer.evaluation_loop, so that both are logged, reach the trackers and can choose the best checkpoint.
    Every process calls it, makes the same number of forward passes, and gets the same figures.
    """
    import torch
    from transformers.trainer_utils import EvalLoopOutput

    rows, questions = _encoded(plan)
    _model(trainer).eval()  # the trainer sets training mode again before the next step
    with torch.no_grad(), trainer.accelerator.autocast():
        metrics = {"eval_loss": _loss(trainer, rows), "eval_rouge_l": _rouge_l(trainer, plan, questions)}
    nothing: Any = None  # predictions and labels are not kept
    return EvalLoopOutput(predictions=nothing, label_ids=nothing, metrics=metrics, num_samples=len(rows))


def questions_of(rows: Sequence[Row], plan: Plan) -> list[Question]:
    """Return at most 50 distinct prompts of the rows, drawn by seed, each with all its outputs."""
    references: dict[tuple[int, ...], list[str]] = {}
    for row in rows:
        ids = tuple(evaluation_ids(plan.tokenizer, row, plan.config.train.template))
        references.setdefault(ids, []).append(row.output.strip())
    questions = [Question(ids, tuple(texts)) for ids, texts in references.items()]
    random.Random(derive_seed(plan.config.seed, "train", "held out", "questions")).shuffle(questions)
    return questions[:MAX_PROMPTS]


def by_limit(plan: Plan, questions: Sequence[Question]) -> dict[int, list[int]]:
    """Group the questions by the limit of their answers, in tokens: limit -> indices of questions.

    The limit is a little more than the longest reference, or what the prompt leaves of the context. Only questions with
    the same limit share a batch, so a long prompt cuts no other answer, and no answer exceeds the context while another
    one is being written.
    """
    texts = [text for question in questions for text in question.references]
    new_tokens = SPARE_TOKENS + max(len(plan.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts)
    context = context_length(plan.config.model) or math.inf
    groups: dict[int, list[int]] = {}
    for number, question in enumerate(questions):
        limit = max(1, int(min(new_tokens, context - len(question.prompt_ids))))
        groups.setdefault(limit, []).append(number)
    return groups


def _encoded(plan: Plan) -> tuple[tuple[EncodedRow, ...], list[Question]]:
    """Return the validation rows that fit, longest first, and the questions made of them."""
    config = plan.config
    train = replace(within_context(config), too_long="drop")
    try:
        encoding = encode_rows(plan.validation_rows, plan.tokenizer, train, config.seed)
    except ValueError as error:
        raise ValueError(f"train.validation_rows: of the validation rows, {error}") from error
    rows = sorted(encoding.rows, key=lambda row: -len(row.input_ids))
    return tuple(rows), questions_of([plan.validation_rows[number] for number in encoding.numbers], plan)


def _model(trainer: Trainer) -> PreTrainedModel:
    """Return the trainer's model with the wrappers of FSDP or peft, through which loss and `generate` must go."""
    return cast("PreTrainedModel", trainer.model)


def _share(total: int, trainer: Trainer) -> list[int]:
    """Return the indices that this process computes, equally many in each; those from `total` on stand for fillers."""
    processes, rank = trainer.accelerator.num_processes, trainer.accelerator.process_index
    return [turn * processes + rank for turn in range(math.ceil(total / processes))]


def _batches(numbers: Sequence[int], size: int) -> list[Sequence[int]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def _loss(trainer: Trainer, rows: Sequence[EncodedRow]) -> float:
    """Return the mean loss of the completions' tokens."""
    import torch

    head = network_of(trainer).get_output_embeddings()
    device = trainer.args.device
    total = torch.zeros(2, dtype=torch.float64, device=device)
    for numbers in _batches(_share(len(rows), trainer), trainer.args.per_device_eval_batch_size):
        examples = []
        for number in numbers:
            row = rows[number % len(rows)]
            labels = row.labels if number < len(rows) else [IGNORED] * len(row.labels)
            examples.append({"input_ids": row.input_ids, "labels": labels})
        batch = {name: tensor.to(device) for name, tensor in collate_rows(examples, 0).items()}
        total[0] += weighted_loss(_model(trainer), head, batch, 0.0, total=1.0).double()
        total[1] += (batch["labels"][:, 1:] != IGNORED).sum()
    total = trainer.accelerator.reduce(total, reduction="sum")
    return float(total[0] / total[1])


def _rouge_l(trainer: Trainer, plan: Plan, questions: Sequence[Question]) -> float:
    """Return the mean ROUGE-L of the greedy answers, each with the reference that it is nearest to."""
    import torch

    numbered = []
    for limit, group in by_limit(plan, questions).items():
        indices = _share(len(group), trainer)
        asked = [questions[group[index % len(group)]] for index in indices]
        for index, question, answer in zip(indices, asked, _answers(trainer, plan, asked, limit), strict=True):
            words = stemmed_words(answer)
            score = max(rouge_l(words, stemmed_words(reference)) for reference in question.references)
            numbered.append((group[index] if index < len(group) else len(questions), score))
    table = torch.tensor(numbered, dtype=torch.float64, device=trainer.args.device)
    everyones = sorted(trainer.accelerator.gather(table).tolist())[: len(questions)]  # without the fillers
    return 100 * math.fsum(score for _, score in everyones) / len(questions)


def _answers(trainer: Trainer, plan: Plan, asked: Sequence[Question], limit: int) -> list[str]:
    """Return the greedy answers of at most `limit` tokens; every process asks the same number of questions."""
    own_stop_ids = network_of(trainer).generation_config.eos_token_id
    how = Greedy(
        max_new_tokens=limit,
        stop_ids=tuple(stop_ids(plan.tokenizer, plan.config.train.template, own_stop_ids)),
        batch_size=trainer.args.per_device_eval_batch_size,
        is_synchronized=trainer.accelerator.num_processes > 1,
    )
    prompts = [question.prompt_ids for question in asked]
    return [
        str(plan.tokenizer.decode(list(answer.ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))
        for answer in greedy_answers(_model(trainer), prompts, how, trainer.args.device)
    ]
