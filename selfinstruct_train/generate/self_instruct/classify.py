"""Stage 2: is an instruction a classification task? Stage 3 asks for labels first where it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...config import GenerateConfig
from ...core.journal import Progress
from ...core.records import Completion, Instruction, Request
from ...core.seeding import derive_seed
from ..session import Plan, Session
from .parse import REFUSED, Method
from .prompt_forms import as_continuation, few_shot_message, form_sampling, is_chat
from .prompts import classification_prompt


@dataclass(frozen=True)
class ClassificationOutcome:
    """The model's answer about one instruction and what it was taken for."""

    instruction_id: str
    request_id: str
    answer: str
    verdict: str

    @property
    def is_classification(self) -> bool:
        """Whether labels come first; an unclear answer counts as no, since input-first suits any task."""
        return self.verdict == "classification"


def classify(
    session: Session, instructions: Sequence[Instruction], progress: Progress | None = None
) -> list[ClassificationOutcome]:
    """Ask about every instruction, one request each; a request that fails raises and is asked again by the next run."""
    settings = session.plan.settings
    requests = [classification_request(session.plan, instruction) for instruction in instructions]
    sampling = form_sampling(settings.classification_sampling, settings.prompt_form, "classification")
    completions = session.journals["classification"].complete(session.lm, requests, sampling, progress)
    return [label_outcome(i, c, settings) for i, c in zip(instructions, completions, strict=True)]


def classification_request(plan: Plan, instruction: Instruction) -> Request:
    """The request that asks about one instruction."""
    form = plan.settings.prompt_form
    return Request(
        f"classification-{instruction.id}",
        few_shot_message(classification_prompt(plan.templates, instruction.text), form, "classification"),
        derive_seed(plan.config.seed, "classification", instruction.id),
        is_chat(form),
    )


def label_outcome(instruction: Instruction, completion: Completion, settings: GenerateConfig) -> ClassificationOutcome:
    """Read the answer to `classification_request`; where it was withheld the verdict is "refused"."""
    if completion.finish_reason == "content_filter":
        return ClassificationOutcome(instruction.id, completion.request_id, "", REFUSED)
    verdict = read_answer(as_continuation(completion, settings.prompt_form, "classification").text, settings.method)
    return ClassificationOutcome(instruction.id, completion.request_id, completion.text, verdict)


def read_answer(text: str, method: Method) -> str:
    """Return "classification", "not_classification" or "unclear" for the model's answer.

    In `method="paper"` only Yes, yes and YES alone mean yes (generate_instances.py), and nothing is unclear.
    """
    if method == "paper":
        return "classification" if text.strip() in ("Yes", "yes", "YES") else "not_classification"
    first_word = re.match(r"\W*([a-z]+)", text.lower())
    answer = first_word.group(1) if first_word else ""
    return {"yes": "classification", "no": "not_classification"}.get(answer, "unclear")
