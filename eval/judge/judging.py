"""Ask a language model for its verdicts: a grade for every answer, and a choice for every pair in both orders.

Everything goes through journals of the run directory, one for each judge and kind of question, so the same command
goes on where it stopped. A request is known by its prompt: a changed answer is another request, never a stale verdict,
and equal answers of two systems are asked about once. Figures are none of this module's business.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from selfinstruct_train.config import Config
from selfinstruct_train.core.journal import Journal
from selfinstruct_train.core.names import BASE_CUT
from selfinstruct_train.core.records import Completion, Request
from selfinstruct_train.core.seeding import derive_seed
from selfinstruct_train.core.storage import text_sha256
from selfinstruct_train.lm.asking import Questions, ask, check_model
from selfinstruct_train.lm.base import LM

from ..examples import Example
from ..people.items import draw_order
from ..predict import fingerprint_answers, read_answers
from ..tasks import load_sets
from .prompts import TIE, pairwise_prompt, pairwise_template, rating_prompt, rating_template, read_choice, read_grade
from .verdicts import Grading, PairwiseComparison

logger = logging.getLogger(__name__)

TEMPLATES: dict[str, Callable[[bool], str]] = {"rating": rating_template, "pairwise": pairwise_template}


@dataclass(frozen=True)
class JudgePlan:
    """A checked judging: the examples drawn, and of each system its answers to them, in their order."""

    config: Config
    examples: tuple[Example, ...]
    answers: dict[str, tuple[str, ...]]
    against: tuple[str, ...]
    """The answers that every other system's are compared with."""
    fingerprints: dict[str, str] = field(default_factory=dict)
    """Of all answers of each system that takes part, of which those above are drawn."""


@dataclass(frozen=True)
class Judged:
    """All verdicts of one judge, systems in the plan's order."""

    lm: str
    gradings: dict[str, list[Grading]]
    pairs: dict[str, list[PairwiseComparison]]


def prepare_judging(config: Config) -> JudgePlan:
    """Read the answers and draw the examples, before a model is loaded.

    Raises:
        ValueError: no judge is named; there are no answers, or a system of judge.systems or judge.against is none of
            theirs.
    """
    settings = config.judge
    check_model(config, "judge.model", settings.model, "the language model that is to judge")
    sets = load_sets(config.eval)
    answers = read_answers(config, sets, settings.set)
    _check_known("judge.systems", settings.systems, answers)
    _check_known("judge.against", [settings.against], answers)
    examples = sets[settings.set]
    # people's order: a judge of some examples then meets the grades of people who rated some
    rows = sorted(draw_order(len(examples), config.seed, settings.set)[: settings.max_examples])
    systems = settings.systems or tuple(name for name in answers if name != BASE_CUT)
    return JudgePlan(
        config,
        tuple(examples[row] for row in rows),
        {name: tuple(answers[name][row] for row in rows) for name in dict.fromkeys(systems)},
        tuple(answers[settings.against][row] for row in rows),
        {s: fingerprint_answers(examples, answers[s]) for s in dict.fromkeys([*systems, settings.against])},
    )


def judge(plan: JudgePlan, lm: LM) -> Judged:
    """Get every verdict that the journals do not hold.

    Raises:
        ValueError: no grade at all can be read from the judge's replies; another process uses the journals.
        BudgetReachedError: a limit of the budget ends it here; raise it and give the same command.
        UnansweredError: some requests stayed open; the same command asks for them again.
    """
    gradings = _grade(plan, lm)
    graded = [g for of_system in gradings.values() for g in of_system]
    if all(g.grade is None for g in graded):
        raise ValueError(
            f"none of {len(graded)} replies of {lm.name} is a grade; the first is {graded[0].reply[:80]!r}; choose "
            "another judge.model, judge.chat or judge.sampling"
        )
    return Judged(lm.name, gradings, _compare(plan, lm))


def _grade(plan: JudgePlan, lm: LM) -> dict[str, list[Grading]]:
    chat = plan.config.judge.chat
    prompts = {
        (name, row): rating_prompt(example, answers[row], chat)
        for name, answers in plan.answers.items()
        for row, example in enumerate(plan.examples)
    }
    replies = _ask(plan.config, "rating", lm, prompts.values())
    gradings: dict[str, list[Grading]] = {name: [] for name in plan.answers}
    for (name, row), prompt in prompts.items():
        example, reply = plan.examples[row], replies[prompt]
        gradings[name].append(Grading(example.id, example.task, name, read_grade(reply, chat), reply))
    return gradings


def _compare(plan: JudgePlan, lm: LM) -> dict[str, list[PairwiseComparison]]:
    """Ask for every pair of answers that differ, once in each order."""
    chat = plan.config.judge.chat
    prompts: dict[tuple[str, int], tuple[str, str]] = {}
    for name, answers in plan.answers.items():
        for row, example in enumerate(plan.examples):
            one, other = answers[row], plan.against[row]
            if name != plan.config.judge.against and one.strip() != other.strip():
                prompts[name, row] = (
                    pairwise_prompt(example, one, other, chat),
                    pairwise_prompt(example, other, one, chat),
                )
    replies = _ask(plan.config, "pairwise", lm, (prompt for both in prompts.values() for prompt in both))
    pairs: dict[str, list[PairwiseComparison]] = {}
    for name, answers in plan.answers.items():
        if name == plan.config.judge.against:
            continue
        pairs[name] = []
        for row, e in enumerate(plan.examples):
            longer_by = len(answers[row].strip()) - len(plan.against[row].strip())
            both = prompts.get((name, row))
            said = (replies[both[0]], replies[both[1]]) if both else None
            choices = (read_choice(said[0], chat), read_choice(said[1], chat)) if said else (TIE, TIE)
            pairs[name].append(PairwiseComparison(e.id, e.task, name, longer_by, choices, said))
    return pairs


def _ask(config: Config, kind: str, lm: LM, prompts: Iterable[str]) -> dict[str, str]:
    """Return the reply to every prompt, each asked once."""
    settings = config.judge
    requests = {}
    for prompt in prompts:
        sha256 = text_sha256(prompt)
        requests[prompt] = Request(
            f"{kind}-{sha256[:16]}", prompt, derive_seed(config.seed, "judge", kind, sha256), settings.chat
        )
    header = journal_header(config, kind, lm.name)
    # each judge and question has a journal of its own, so that trying another one needs no new run
    name = f"judge-{kind}-{text_sha256(json.dumps(header, sort_keys=True))[:8]}.jsonl"
    with Journal.open(Path(config.run_dir) / "journal" / name, header) as journal:
        num_stored = sum(request.id in journal for request in requests.values())
        logger.info("%s: %d questions, %d of them answered before", kind, len(requests), num_stored)
        questions = Questions(f"judge, {kind}", list(requests.values()), settings.sampling, "questions")
        completions = ask(config, settings.model, lm, journal, questions)
    return dict(zip(requests, map(_reply, completions), strict=True))


def journal_header(config: Config, kind: str, lm_name: str) -> dict[str, Any]:
    """What the judge's replies depend on, but for the texts."""
    settings = config.judge
    return {
        "stage": f"judge-{kind}",
        "lm": lm_name,
        "set": settings.set,
        "seed": config.seed,
        "chat": settings.chat,
        "template_sha256": template_sha256(kind, settings.chat),
        "sampling": asdict(settings.sampling),
    }


def template_sha256(kind: str, chat: bool) -> str:
    """Return the checksum of a question's template, as journals and judge.json hold it."""
    return text_sha256(TEMPLATES[kind](chat))


def _reply(completion: Completion) -> str:
    return completion.text.strip()


def _check_known(setting: str, names: Sequence[str], answers: dict[str, list[str]]) -> None:
    for name in names:
        if name not in answers:
            raise ValueError(f"{setting}: there are no answers of {name!r}; known are {', '.join(map(repr, answers))}")
