"""Ask a trained model a few dozen of the run's own questions, greedily, in the form of the evaluation.

Measured is whether the answers stop, repeat themselves, or are empty. Whether they are right is measured by the
evaluation.
"""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.prompt_format import TemplateName
from ...core.records import Row
from ...core.seeding import derive_seed
from ...core.stats import wilson_interval
from ...lm.transformers.greedy import Answer, Greedy, greedy_answers
from ..checks.findings import Finding
from ..data.encode import IGNORED, evaluation_ids
from ..plan import Plan
from .device import Device

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

NUM_QUESTIONS = 50
FEWEST_NEW_TOKENS, MOST_NEW_TOKENS = 16, 2048
REPEATED = 4
"""An answer repeats itself if a sequence of four tokens occurs more often than this."""
STOP_RATE_ERROR, STOP_RATE_WARNING = 0.5, 0.9
"""Shares of answers that stop by themselves, below which there is an error, or a warning."""
REPETITION_WARNING = 0.2
EMPTY_WARNING = 0.1


@dataclass(frozen=True)
class Question:
    """A row of the run, and the token ids of its prompt."""

    row: Row
    prompt_ids: tuple[int, ...]


Outputs = tuple[list[Answer], "Tensor"]
"""Answers, and the logits after each prompt."""


@dataclass(frozen=True)
class Asking:
    """The questions of a verification and how they are asked, the same for every model of it."""

    questions: Sequence[Question]
    how: Greedy
    device: Device

    def answers(self, network: PreTrainedModel) -> list[Answer]:
        """Answer the questions greedily, in batches of similar length; return the answers in their order."""
        numbers = sorted(range(len(self.questions)), key=lambda number: -len(self.questions[number].prompt_ids))
        prompts = [self.questions[number].prompt_ids for number in numbers]
        found = dict(zip(numbers, greedy_answers(network, prompts, self.how, network.device), strict=True))
        return [found[number] for number in range(len(self.questions))]

    def outputs(self, network: PreTrainedModel) -> Outputs:
        """Answer the questions, and return the logits after each prompt too."""
        return self.answers(network), next_token_logits(network, self.questions)


def draw_questions(plan: Plan, tokenizer: PreTrainedTokenizerBase, limit: int, context: int | None) -> list[Question]:
    """Draw questions by the run's seed, from the validation rows or, if there are none, from the training rows.

    Rows are skipped whose prompt leaves no room for `limit` new tokens, or whose output is longer than `limit`: a model
    that learned it would seem not to stop.
    """
    rows = plan.validation_rows or tuple(plan.source_rows[number] for number in plan.encoding.numbers)
    different = list({(row.instruction, row.input): row for row in rows}.values())
    random.Random(derive_seed(plan.config.seed, "verify", "questions")).shuffle(different)
    chosen: list[Question] = []
    for row in different:
        ids = tuple(evaluation_ids(tokenizer, row, plan.config.train.template))
        has_room = ids and (context is None or len(ids) + limit <= context)
        if has_room and len(tokenizer(row.output, add_special_tokens=False)["input_ids"]) < limit:
            chosen.append(Question(row, ids))
        if len(chosen) == NUM_QUESTIONS:
            break
    return chosen


def new_token_limit(plan: Plan, context: int | None) -> int:
    """Return the limit of an answer: twice the length of 99 % of the training completions, within bounds."""
    lengths = sorted(sum(label != IGNORED for label in row.labels) for row in plan.rows)
    usual = lengths[math.ceil(len(lengths) * 0.99) - 1]
    return min(max(2 * usual, FEWEST_NEW_TOKENS), MOST_NEW_TOKENS, (context or 2 * MOST_NEW_TOKENS) // 2)


def next_token_logits(network: PreTrainedModel, questions: Sequence[Question]) -> Tensor:
    """Return the logits after each prompt, computed one by one: float32 on the CPU, (questions, vocabulary)."""
    import torch

    with torch.no_grad():
        rows = [
            network(input_ids=torch.tensor([q.prompt_ids], device=network.device), use_cache=False).logits[0, -1]
            for q in questions
        ]
    return torch.stack([row.float().cpu() for row in rows])


def agreement(some: Sequence[Answer], others: Sequence[Answer]) -> float:
    """Return the share of questions with identical answers."""
    return sum(a == b for a, b in zip(some, others, strict=True)) / len(some)


def parts_at_a_tie(network: PreTrainedModel, question: Question, one: Answer, other: Answer, tolerance: float) -> bool:
    """Return whether two answers first differ where the two best next tokens are closer than the tolerance."""
    import torch

    pairs = zip(one.ids, other.ids, strict=False)
    same = next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one.ids), len(other.ids)))
    ids = torch.tensor([[*question.prompt_ids, *one.ids[:same]]], device=network.device)
    with torch.no_grad():
        best = network(input_ids=ids, use_cache=False).logits[0, -1].float().topk(2).values
    return float(best[0] - best[1]) <= 2 * tolerance


def next_token_share(
    network: PreTrainedModel,
    samples: Sequence[dict[str, Any]],
    tokenizer: PreTrainedTokenizerBase,
    template: TemplateName,
) -> float:
    """Return the share of the tokens in `measure`'s samples that are the most likely ones of this network.

    Unlike the equality of generated texts, it does not depend on the first token that numerics decide.
    """
    import torch

    same = total = 0
    for sample in samples:
        prompt = evaluation_ids(tokenizer, Row("", sample["instruction"], sample["input"], ""), template)
        answer = tokenizer(sample["answer"], add_special_tokens=False)["input_ids"]
        ids = torch.tensor([[*prompt, *answer]], device=network.device)
        with torch.no_grad():
            likeliest = network(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1].argmax(-1).tolist()
        same += sum(a == b for a, b in zip(likeliest, answer, strict=True))
        total += len(answer)
    return same / total if total else 1.0


def measure(
    questions: Sequence[Question], answers: Sequence[Answer], tokenizer: PreTrainedTokenizerBase, limit: int
) -> dict[str, Any]:
    """Return the figures of the answers, with the first five as samples."""
    number, lengths = len(answers), [len(a.ids) for a in answers]
    stopped = sum(a.stopped for a in answers)
    texts = [str(tokenizer.decode(list(a.ids), skip_special_tokens=True)) for a in answers]
    return {
        "questions": number,
        "max_new_tokens": limit,
        "stop_rate": stopped / number,
        "stop_rate_interval": [round(end, 6) for end in wilson_interval(stopped / number, number)],
        "repetition_rate": sum(repeats_itself(a.ids) for a in answers) / number,
        "empty_rate": sum(not text.strip() for text in texts) / number,
        "different_answers": len(set(texts)),
        "different_references": len({q.row.output.strip() for q in questions}),
        "mean_tokens": statistics.fmean(lengths),
        "median_tokens": statistics.median(lengths),
        "samples": [
            {"instruction": q.row.instruction, "input": q.row.input, "answer": text, "stopped": a.stopped}
            for q, a, text in list(zip(questions, answers, texts, strict=True))[:5]
        ],
    }


def check_answers(figures: dict[str, Any]) -> list[Finding]:
    """Check the figures of the answers: whether they stop, repeat themselves, or are empty."""
    number, limit = figures["questions"], figures["max_new_tokens"]
    low, high = figures["stop_rate_interval"]
    stops = (
        f"{figures['stop_rate']:.0%} [{low:.0%}, {high:.0%}] of {number} answers end within {limit} tokens; "
        f"{figures['mean_tokens']:.0f} tokens on average, median {figures['median_tokens']:.0f}"
    )
    repeats = (
        f"{figures['repetition_rate']:.0%} of {number} answers hold four tokens in a row more than {REPEATED} times"
    )
    says = f"{figures['empty_rate']:.0%} of {number} answers are empty; {figures['different_answers']} are different"
    if figures["stop_rate"] < STOP_RATE_ERROR:
        found = [Finding("stops", "error", f"the model does not stop: {stops}", remedy=_CORRECT_STOPS)]
    elif figures["stop_rate"] < STOP_RATE_WARNING:
        found = [Finding("stops", "warning", f"the model does not always stop: {stops}", remedy=_CORRECT_STOPS)]
    else:
        found = [Finding("stops", "ok", stops)]
    if figures["repetition_rate"] > REPETITION_WARNING:
        found.append(Finding("repetition", "warning", repeats, remedy=_CORRECT_ANSWERS))
    else:
        found.append(Finding("repetition", "ok", repeats))
    is_same = figures["different_answers"] == 1 < min(number, figures["different_references"])
    if figures["empty_rate"] == 1:
        found.append(Finding("answers", "error", f"the model says nothing: {says}", remedy=_CORRECT_ANSWERS))
    elif is_same or figures["empty_rate"] > EMPTY_WARNING:
        found.append(Finding("answers", "warning", says, remedy=_CORRECT_ANSWERS))
    else:
        found.append(Finding("answers", "ok", says))
    return found


_CORRECT_STOPS = (
    "check with `selfinstruct doctor` that every row has its end token in the loss; if it has, train longer or with a "
    "larger train.learning_rate"
)
_CORRECT_ANSWERS = (
    "look at the samples in verification.json and at the rows; train longer, or with another train.learning_rate"
)


def repeats_itself(ids: Sequence[int]) -> bool:
    """Return whether a sequence of four tokens occurs more than `REPEATED` times."""
    grams = Counter(zip(ids, ids[1:], ids[2:], ids[3:], strict=False))
    return max(grams.values(), default=0) > REPEATED
