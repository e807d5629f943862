"""Stage 1: the model writes instructions, in rounds.

All prompts of a round see the pool as it stood at the round's start; candidates are filtered in request order, each
against the seeds and all accepted before it. So the outcome is a function of seeds, settings and answers: batch size
and number of processes are speed only.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...config import GenerateConfig
from ...core.names import KEPT
from ...core.records import Completion, Instruction, Request, SeedTask
from ...core.seeding import derive_seed
from ..near_duplicates import open_near_duplicates
from ..novelty import NoveltyIndex
from ..session import Plan, Session
from ..tokenize import tokenization_of
from .parse import instruction_candidates
from .prompt_forms import as_continuation, form_sampling, instruction_message, is_chat

logger = logging.getLogger(__name__)

MAX_BARREN_REQUESTS = 500
"""Stage 1 ends after so many requests in a row without a new instruction: the model has no more to say."""


@dataclass(frozen=True)
class InstructionOutcome:
    """What became of one candidate.

    `nearest` is the text of the pool that it repeats: by `rouge_l` with verdict too_similar, by `similarity` (Jaccard
    or cosine) with verdict near_duplicate.
    """

    id: str
    request_id: str
    text: str
    verdict: str
    nearest: str
    rouge_l: float
    parents: tuple[str, ...]
    finish_reason: str
    similarity: float = 0.0


@dataclass(frozen=True)
class InstructionStage:
    """The outcome of stage 1: the accepted instructions, every candidate, the number of requests."""

    accepted: list[Instruction]
    outcomes: list[InstructionOutcome]
    num_requests: int


Report = Callable[[InstructionStage], None]
"""Called after each round with the stage so far."""


def generate_instructions(session: Session, report: Report | None = None) -> InstructionStage:
    """Ask in rounds until `num_instructions` are accepted, `max_requests` are asked, or nothing new comes.

    A round is filtered to its end, so a few more than `num_instructions` may be accepted (as in the released code), and
    a longer run begins with the shorter one's instructions.
    """
    plan, settings = session.plan, session.plan.settings
    pool = [Instruction(t.id, t.instruction, "seed") for t in prompt_seeds(plan.seeds, settings)]
    candidates = CandidateFilter(plan.seeds, settings)
    stage = InstructionStage(candidates.accepted, candidates.outcomes, 0)
    sampling = form_sampling(settings.instruction_sampling, settings.prompt_form, "instructions")
    num_barren = 0
    round_number = 0
    while len(stage.accepted) < settings.num_instructions and not _is_spent(stage.num_requests, settings):
        num_before = len(stage.accepted)
        asked = _round(plan, pool, stage, round_number)
        completions = session.journals["instructions"].complete(session.lm, [r for r, _ in asked], sampling)
        for (_, parents), completion in zip(asked, completions, strict=True):
            candidates.filter(completion, tuple(p.id for p in parents))
        stage = InstructionStage(stage.accepted, stage.outcomes, stage.num_requests + len(asked))
        round_number += 1
        if report is not None:
            report(stage)
        num_barren = num_barren + len(asked) if len(stage.accepted) == num_before else 0
        if num_barren >= MAX_BARREN_REQUESTS:
            logger.warning(
                "%d requests in a row gave no new instruction; going on with %d of %d; more varied seed tasks, a "
                "larger model or a higher temperature may bring more",
                num_barren,
                len(stage.accepted),
                settings.num_instructions,
            )
            break
    return stage


def prompt_seeds(seeds: Sequence[SeedTask], settings: GenerateConfig) -> list[SeedTask]:
    """The seed tasks that may stand in prompts.

    Raises:
        ValueError: only classification seeds are wanted, and there is none.
    """
    if not settings.classification_seeds_only:
        return list(seeds)
    chosen = [t for t in seeds if t.is_classification]
    if not chosen:
        raise ValueError(
            f"{settings.seed_tasks}: no task with is_classification true, but generate.classification_seeds_only is set"
        )
    return chosen


def _is_spent(num_requests: int, settings: GenerateConfig) -> bool:
    return settings.max_requests is not None and num_requests >= settings.max_requests


def _round(
    plan: Plan, pool: list[Instruction], stage: InstructionStage, round_number: int
) -> list[tuple[Request, list[Instruction]]]:
    """The requests of one round, each with the instructions that its prompt shows."""
    settings, seed = plan.settings, plan.config.seed
    size = settings.requests_per_round
    if settings.max_requests is not None:
        size = min(size, settings.max_requests - stage.num_requests)
    asked = []
    for i in range(size):
        rng = random.Random(derive_seed(seed, "instructions", round_number, i))
        parents = _draw(pool, stage.accepted, settings, rng)
        form = settings.prompt_form
        prompt = instruction_message([p.text for p in parents], form, settings.classification_seeds_only)
        sample_seed = derive_seed(seed, "instructions", round_number, i, "sample")
        asked.append((Request(f"instructions-{round_number:06d}-{i:02d}", prompt, sample_seed, is_chat(form)), parents))
    return asked


def _draw(
    seed_pool: list[Instruction], machine_pool: list[Instruction], settings: GenerateConfig, rng: random.Random
) -> list[Instruction]:
    """Draw the in-context instructions of one prompt: a few machine-written, the rest seeds, shuffled."""
    drawn = rng.sample(machine_pool, min(settings.max_machine_instructions, len(machine_pool)))
    drawn += rng.sample(seed_pool, min(settings.num_prompt_instructions - len(drawn), len(seed_pool)))
    rng.shuffle(drawn)
    return drawn


class CandidateFilter:
    """Decides about stage 1's candidates one after the other, each against the seeds and all accepted before it."""

    def __init__(self, seeds: Sequence[SeedTask], settings: GenerateConfig) -> None:
        self.accepted: list[Instruction] = []
        self.outcomes: list[InstructionOutcome] = []
        self._settings = settings
        self._index = NoveltyIndex(settings.rouge_l_threshold, tokenization_of(settings.language, settings.method))
        self._near = open_near_duplicates(settings.near_duplicates)
        for task in seeds:
            self._add(task.instruction)

    def filter(self, completion: Completion, parents: tuple[str, ...]) -> None:
        """Filter every candidate of a completion whose prompt showed the instructions `parents`."""
        coordinates = completion.request_id.removeprefix("instructions-")
        settings = self._settings
        answer = as_continuation(completion, settings.prompt_form, "instructions", len(parents)).text
        candidates = instruction_candidates(answer, completion.finish_reason, settings.method, settings.language)
        for item, candidate in enumerate(candidates):
            id = f"gen-{coordinates}-{item:02d}"
            verdict, nearest, rouge_l, similarity = candidate.verdict, "", 0.0, 0.0
            if verdict == KEPT and (match := self._index.check(candidate.text)):
                verdict, nearest, rouge_l = "too_similar", match.text, match.score
            if verdict == KEPT and self._near is not None and (match := self._near.check(candidate.text)):
                verdict, nearest, similarity = "near_duplicate", match.text, match.score
            if verdict == KEPT:
                self._add(candidate.text)
                self.accepted.append(Instruction(id, candidate.text, "generated", completion.request_id, parents))
            self.outcomes.append(
                InstructionOutcome(
                    id,
                    completion.request_id,
                    candidate.text,
                    verdict,
                    nearest,
                    rouge_l,
                    parents,
                    completion.finish_reason,
                    similarity,
                )
            )

    def _add(self, text: str) -> None:
        self._index.add(text)
        if self._near is not None:
            self._near.add(text)
