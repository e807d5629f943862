"""Stage 3: the model writes inputs and outputs for every accepted instruction.

One request an instruction: label first for classification tasks, input first for the others.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...config import GenerateConfig
from ...core.names import KEPT
from ...core.records import Completion, Instruction, Request, Sampling
from ...core.seeding import derive_seed
from ..contamination import Overlap
from ..session import Plan, Session
from .example_repeats import REPEATS_EXAMPLE, repeated_example
from .parse import instance_candidates
from .prompt_forms import as_continuation, few_shot_message, form_sampling, is_chat
from .prompts import instance_prompt

# released code, generate_instances.py: 300 tokens for a batch of 5 that holds a classification task, else 350
PAPER_BATCH_SIZE = 5
PAPER_CLASSIFICATION_TOKENS = 300


Report = Callable[[int, int], None]
"""Called with the numbers of requests answered and of instances kept since the last call."""


@dataclass(frozen=True)
class InstanceOutcome:
    """What became of one candidate instance.

    `overlap` is what it has in common with the evaluation data or with a few-shot example.
    """

    id: str
    instruction_id: str
    request_id: str
    input: str
    output: str
    verdict: str
    finish_reason: str
    overlap: Overlap | None = None


def generate_instances(
    session: Session,
    instructions: Sequence[Instruction],
    is_classification: Sequence[bool],
    report: Report | None = None,
) -> list[InstanceOutcome]:
    """Ask for the instances of every instruction and filter them; the outcomes are in the order of the instructions."""
    plan, journal = session.plan, session.journals["instances"]
    limits = _token_limits(is_classification, plan.settings)
    requests = instance_requests(plan, instructions, is_classification)
    outcomes: dict[str, list[InstanceOutcome]] = {}
    for limit in sorted(set(limits)):
        sampling = dataclasses.replace(instance_sampling(plan.settings), max_new_tokens=limit)
        asked = [i for i, its_limit in enumerate(limits) if its_limit == limit]
        index_of = {requests[i].id: i for i in asked}

        def filter_new(answers: Sequence[Completion], index_of: dict[str, int] = index_of) -> None:
            num_kept = 0
            for answer in answers:
                i = index_of[answer.request_id]
                filtered = instance_outcomes(plan, instructions[i], is_classification[i], answer)
                num_kept += sum(outcome.verdict == KEPT for outcome in filtered)
                outcomes[answer.request_id] = filtered
            if report is not None:
                report(len(answers), num_kept)

        journal.complete(session.lm, [requests[i] for i in asked], sampling, filter_new)
    return [outcome for request in requests for outcome in outcomes[request.id]]


def instance_requests(
    plan: Plan, instructions: Sequence[Instruction], is_classification: Sequence[bool]
) -> list[Request]:
    """The requests that ask for the instances, one an instruction."""
    limits, form = _token_limits(is_classification, plan.settings), plan.settings.prompt_form
    return [
        Request(
            _request_id(instruction, limit, plan.settings),
            few_shot_message(instance_prompt(plan.templates, instruction.text, is_label_first), form, "instances"),
            derive_seed(plan.config.seed, "instances", instruction.id, "sample"),
            is_chat(form),
        )
        for instruction, is_label_first, limit in zip(instructions, is_classification, limits, strict=True)
    ]


def instance_sampling(settings: GenerateConfig) -> Sampling:
    """The configured sampling, which also stops at the example after the last one wanted (as the released code)."""
    sampling = form_sampling(settings.instance_sampling, settings.prompt_form, "instances")
    too_many = f"Example {settings.max_instances + 1}"
    return dataclasses.replace(sampling, stop=tuple(dict.fromkeys([too_many, *sampling.stop])))


def _request_id(instruction: Instruction, limit: int, settings: GenerateConfig) -> str:
    """An answer under another limit is another answer: where a batch decides it, a longer run may change it."""
    usual = settings.instance_sampling.max_new_tokens
    return f"instances-{instruction.id}" + ("" if limit == usual else f"-{limit}-tokens")


def _token_limits(is_classification: Sequence[bool], settings: GenerateConfig) -> list[int]:
    """The token limit of every request; departs from the released code in "default", where no neighbour changes it."""
    limit = settings.instance_sampling.max_new_tokens
    limits = [limit] * len(is_classification)
    if settings.method == "paper":
        for start in range(0, len(limits), PAPER_BATCH_SIZE):
            batch = is_classification[start : start + PAPER_BATCH_SIZE]
            if any(batch):
                limits[start : start + PAPER_BATCH_SIZE] = [min(PAPER_CLASSIFICATION_TOKENS, limit)] * len(batch)
    return limits


def instance_outcomes(
    plan: Plan, instruction: Instruction, is_classification: bool, completion: Completion
) -> list[InstanceOutcome]:
    """Filter the instances of one answer; of more than `max_instances` a draw decides which stay."""
    settings = plan.settings
    stop = tuple(dict.fromkeys([*instance_sampling(settings).stop, *settings.instance_sampling.stop]))
    answer = as_continuation(completion, settings.prompt_form, "instances", stop=stop)
    candidates = instance_candidates(answer.text, answer.finish_reason, is_classification, settings.method)
    verdicts = [c.verdict for c in candidates]
    repeated: dict[int, Overlap] = {}
    if settings.method == "default":  # departs from the released code, which keeps copies of its few-shot examples
        for i, c in enumerate(candidates):
            if c.verdict == KEPT:
                found = repeated_example(plan.templates, is_classification, instruction.text, c.input, c.output)
                if found is not None:
                    verdicts[i], repeated[i] = REPEATS_EXAMPLE, found
    kept = [i for i, verdict in enumerate(verdicts) if verdict == KEPT]
    if len(kept) > settings.max_instances:
        # the released code draws which of them stay (prepare_for_finetuning.py); here the draw has a seed of its own
        rng = random.Random(derive_seed(plan.config.seed, "instances", instruction.id, "draw"))
        chosen = rng.sample(kept, settings.max_instances)
        for i in kept:
            if i not in chosen:
                verdicts[i] = "over_max_instances"
    return [
        InstanceOutcome(
            f"{instruction.id}-{item}",
            instruction.id,
            completion.request_id,
            candidate.input,
            candidate.output,
            verdict,
            completion.finish_reason,
            repeated.get(item),
        )
        for item, (candidate, verdict) in enumerate(zip(candidates, verdicts, strict=True))
    ]
