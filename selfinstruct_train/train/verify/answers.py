"""Ask a trained model some of the run's own questions, greedily, in the form of the evaluation.

Measured is whether the answers stop, repeat themselves, or are empty. Whether they are right is measured by the
evaluation. There are up to 50 questions. After a short training there are fewer, and shorter answers, so that they cost
less than the training. Two cases can cost more: a training on fewer than 16,384 tokens, after which 4,096 are free, and
five questions, which are asked in any case, whose prompts or outputs are too long for `tokens_allowed`.
"""

from __future__ import annotations

import logging
import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.progress import shown
from ...core.records import Completion, Row, Sampling
from ...core.seeding import derive_seed
from ...core.stats import wilson_interval
from ...lm.progress import in_work_text
from ...lm.transformers.batch import TokenSequence
from ...lm.transformers.greedy import Answer, Greedy, greedy_answers
from ...lm.transformers.transformers_lm import TransformersLM
from ..arguments import num_steps
from ..checks.findings import Finding
from ..data.encode import IGNORED, evaluation_ids
from ..plan import Plan
from .next_tokens import inner_network

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

NUM_QUESTIONS, FEWEST_QUESTIONS = 50, 5
FREE_TOKENS = 4096
"""Tokens that questions and answers may have together, however short the training was."""
SHARE_OF_TRAINING = 0.25
"""Tokens of questions and answers, as a share of the tokens trained on. A generated token costs at most about as much
as three that are trained on (measured at a vocabulary of 262,144 on a CPU)."""
FEWEST_NEW_TOKENS, MOST_NEW_TOKENS = 16, 2048
FIRST_PIECE = 128
"""Answers are generated in pieces of this many tokens, then twice as many, and so on. Between them, loops are ended."""
LOOP_TOKENS, LONGEST_LOOP = 96, 32
"""An answer is in a loop if its last 96 tokens repeat one sequence of at most 32 tokens."""
REPEATED = 4
"""An answer repeats itself if a sequence of four tokens occurs more often than this."""
STOP_RATE_ERROR, STOP_RATE_WARNING = 0.5, 0.9
"""Shares of answers that stop by themselves, below which there is an error, or a warning."""
REPETITION_WARNING = 0.2
EMPTY_WARNING, EMPTY_ERROR = 0.1, 0.5
"""It is an error if all answers are empty and the 95 % interval of their share lies above `EMPTY_ERROR`."""


@dataclass(frozen=True)
class Question:
    """A row of the run, and the token ids of its prompt."""

    row: Row
    prompt_ids: tuple[int, ...]


@dataclass(frozen=True)
class Asking:
    """How the questions of a verification are asked."""

    tokenizer: PreTrainedTokenizerBase
    max_new_tokens: int
    stop_ids: frozenset[int]
    """The tokens that end an answer."""
    batch_size: int
    step: str = "verify"
    """What the live line is called."""

    def answers(self, network: PreTrainedModel, questions: Sequence[Question]) -> list[Answer]:
        """Answer the questions greedily with the transformers backend; return the answers in their order.

        A model that trains but cannot be run in batches (see `lm.transformers.trial`) is asked one question at a time,
        by transformers' `generate`.
        """
        network = inner_network(network)
        try:
            lm = TransformersLM(network, self.tokenizer, "", self.batch_size, str(network.device), self.stop_ids)
            lm.decoder.check_architecture()
        except ValueError as error:
            logger.warning("asking one question at a time: %s", error)
            how = Greedy(self.max_new_tokens, tuple(sorted(self.stop_ids)), batch_size=1)
            return greedy_answers(network, [question.prompt_ids for question in questions], how, network.device)
        answers: list[list[int]] = [[] for _ in questions]
        piece = FIRST_PIECE
        with shown(f"{self.step}, answers", "answers", len(questions), _Writing(lm)) as live:
            while still_open := [i for i, ids in enumerate(answers) if not self._is_over(ids)]:
                limit = min(piece, self.max_new_tokens - len(answers[still_open[0]]))
                prompts = [[*questions[i].prompt_ids, *answers[i]] for i in still_open]

                def count(new: dict[int, Completion]) -> None:
                    live.add(sum(completion.finish_reason == "stop" for completion in new.values()))

                for i, ids in zip(still_open, _continued(lm, prompts, limit, count), strict=True):
                    answers[i] += ids
                live.update(sum(map(self._is_over, answers)))
                piece *= 2
        return [self._answer(ids) for ids in answers]

    def _is_over(self, ids: Sequence[int]) -> bool:
        """Return whether an answer stopped, is at its limit, or is in a loop, which greedy answers do not leave."""
        return bool(ids) and (ids[-1] in self.stop_ids or len(ids) == self.max_new_tokens or is_in_a_loop(ids))

    def _answer(self, ids: list[int]) -> Answer:
        is_stopped = ids[-1] in self.stop_ids
        return Answer(tuple(ids[:-1] if is_stopped else ids), is_stopped)


def _continued(
    lm: TransformersLM,
    prompts: Sequence[list[int]],
    limit: int,
    on_finished: Callable[[dict[int, Completion]], None],
) -> list[list[int]]:
    """Return the greedy continuation of each prompt, with the token that stopped it."""
    found: dict[int, list[int]] = {}
    for share in lm.cut(prompts):
        rows = [TokenSequence(prompts[index], seed=0) for index in share.indices]
        lm.run_share(rows, share.prefix_length, Sampling(limit), on_finished)
        found |= {index: row.new_ids for index, row in zip(share.indices, rows, strict=True)}
    return [found[index] for index in range(len(prompts))]


@dataclass(frozen=True)
class _Writing:
    """What the model is writing, as the source of a live line."""

    model: TransformersLM

    def has_begun(self) -> bool:
        return True

    def text(self) -> str:
        return in_work_text(self.model)


def tokens_allowed(plan: Plan) -> int:
    """Return how many tokens the questions and their answers may have together."""
    steps_in_epoch, steps = num_steps(plan)
    trained = sum(len(row.input_ids) for row in plan.rows) * steps / steps_in_epoch
    return max(FREE_TOKENS, int(SHARE_OF_TRAINING * trained))


def draw_questions(plan: Plan, tokenizer: PreTrainedTokenizerBase, limit: int, context: int | None) -> list[Question]:
    """Draw questions by the run's seed, from the validation rows or, if there are none, from the training rows.

    Rows are skipped whose prompt leaves no room for `limit` new tokens, or whose output is longer than `limit`: a model
    that learned it would seem not to stop. With answers of `limit` tokens they stay within `tokens_allowed`; the first
    `FEWEST_QUESTIONS` are taken in any case.
    """
    allowed = tokens_allowed(plan)
    rows = plan.validation_rows or tuple(plan.source_rows[number] for number in plan.encoding.numbers)
    different = list({(row.instruction, row.input): row for row in rows}.values())
    random.Random(derive_seed(plan.config.seed, "verify", "questions")).shuffle(different)
    chosen: list[Question] = []
    for row in different:
        ids = tuple(evaluation_ids(tokenizer, row, plan.config.train.template))
        has_room = ids and (context is None or len(ids) + limit <= context)
        if has_room and len(tokenizer(row.output, add_special_tokens=False)["input_ids"]) < limit:
            allowed -= len(ids) + limit
            if len(chosen) >= FEWEST_QUESTIONS and allowed < 0:
                break
            chosen.append(Question(row, ids))
        if len(chosen) == NUM_QUESTIONS:
            break
    return chosen


def new_token_limit(plan: Plan, context: int | None) -> int:
    """Return the limit of an answer: twice the length of 99 % of the training completions, within bounds.

    One bound lets `FEWEST_QUESTIONS` with prompts of the median length stay within `tokens_allowed`, unless those
    completions themselves are longer.
    """
    lengths = sorted(sum(label != IGNORED for label in row.labels) for row in plan.rows)
    usual = lengths[math.ceil(len(lengths) * 0.99) - 1]
    prompt = int(statistics.median(sum(label == IGNORED for label in row.labels) for row in plan.rows))
    affordable = tokens_allowed(plan) // FEWEST_QUESTIONS - prompt
    limit = min(2 * usual, MOST_NEW_TOKENS, (context or 2 * MOST_NEW_TOKENS) // 2, max(affordable, usual + 1))
    return max(limit, FEWEST_NEW_TOKENS)


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
    # with few answers, chance alone can bring the rate of a good model below the limit
    is_certain = number >= NUM_QUESTIONS or high < STOP_RATE_ERROR
    if figures["stop_rate"] < STOP_RATE_ERROR and is_certain:
        found = [Finding("stops", "error", f"the model does not stop: {stops}", remedy=_CORRECT_STOPS)]
    elif figures["stop_rate"] < STOP_RATE_ERROR:
        what = f"the model often does not stop, but {number} answers are too few to refuse it: {stops}"
        found = [Finding("stops", "warning", what, remedy=_CORRECT_STOPS)]
    elif figures["stop_rate"] < STOP_RATE_WARNING:
        found = [Finding("stops", "warning", f"the model does not always stop: {stops}", remedy=_CORRECT_STOPS)]
    else:
        found = [Finding("stops", "ok", stops)]
    if figures["repetition_rate"] > REPETITION_WARNING:
        found.append(Finding("repetition", "warning", repeats, remedy=_CORRECT_ANSWERS))
    else:
        found.append(Finding("repetition", "ok", repeats))
    is_same = figures["different_answers"] == 1 < min(number, figures["different_references"])
    if figures["empty_rate"] == 1 and wilson_interval(1.0, number)[0] > EMPTY_ERROR:
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


def is_in_a_loop(ids: Sequence[int]) -> bool:
    """Return whether the last tokens repeat one short sequence over and over."""
    last = list(ids[-LOOP_TOKENS:])
    return len(last) == LOOP_TOKENS and any(last[n:] == last[:-n] for n in range(1, LONGEST_LOOP + 1))


def repeats_itself(ids: Sequence[int]) -> bool:
    """Return whether a sequence of four tokens occurs more than `REPEATED` times."""
    grams = Counter(zip(ids, ids[1:], ids[2:], ids[3:], strict=False))
    return max(grams.values(), default=0) > REPEATED
