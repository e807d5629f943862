"""Judge the answers of a run again at other thresholds, without a model: a pure replay of its journals.

The answers of stage 1 are filtered in the order in which they were asked for. Their prompts are not drawn again: they
showed the pool as it was under the old thresholds, and a new run would show another. Classes and instances come from
the journals where they are; instructions that have none there are counted, not asked about.

May differ from the run: rouge_l_threshold, language, near_duplicates, contamination, and a smaller max_instances.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ..config import GenerateConfig, NearDuplicateConfig
from ..core.journal import Journal, read_header
from ..core.journal_lines import header_differences
from ..core.names import STAGES, Stage
from ..core.records import Completion, EvaluationExample, Instruction, Request, Sampling
from ..lm.base import OnAnswer
from ..lm.budget import FREE, Meter, Usage, usage_of
from .funnel import Funnel, funnel_from_json
from .gate import gate
from .outputs import Generated, write_ledger, write_outputs
from .self_instruct.classify import ClassificationOutcome, classification_request, label_outcome
from .self_instruct.instances import InstanceOutcome, instance_outcomes, instance_requests
from .self_instruct.instructions import CandidateFilter, InstructionStage, generate_instructions
from .self_instruct.journals import journal_header
from .session import Plan, Session, journal_path

FOLDER = "refiltered"


@dataclass(frozen=True)
class Missing:
    """What a model would have to be asked to complete the outcome; `usage` is estimated from the answers there are."""

    num_labels: int
    num_instances: int
    usage: Usage


@dataclass(frozen=True)
class Refiltered:
    """The outcome at other thresholds; `before` is the run's own funnel, None if the run did not come so far."""

    generated: Generated
    before: Funnel | None
    missing: Missing


class _NoLM:
    """Stands where a model would: a replay must find every answer in the journal."""

    name = "none"
    chunk_size = sys.maxsize

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        raise AssertionError(f"{requests[0].id} is not in the journal")


def refilter(plan: Plan, evaluation_data: Iterable[EvaluationExample] = ()) -> Refiltered:
    """Rebuild pool, dataset, ledger and funnel in <run_dir>/refiltered by the plan's thresholds.

    Raises:
        ValueError: there is no run, another process is using it, or settings differ that need new answers.
    """
    with ExitStack() as stack:
        headers = {stage: _header(plan, stage) for stage in STAGES}
        _check(plan, headers)
        journals = {
            stage: stack.enter_context(Journal.open(journal_path(plan.run_dir, stage), headers[stage]))
            for stage in STAGES
        }
        stage1 = _instructions(plan, headers["instructions"], journals["instructions"])
        labels = _labels(plan, stage1.accepted, journals["classification"])
        outcomes, num_unanswered = _instances(plan, stage1.accepted, labels, journals["instances"])
        folder = plan.run_dir / FOLDER
        write_ledger(folder, "instructions", stage1.outcomes)
        write_ledger(folder, "classification", labels)
        outcomes, contamination = gate(
            plan.seeds, stage1.accepted, outcomes, evaluation_data, plan.config.generate.contamination
        )
        generated = write_outputs(folder, plan.seeds, stage1, labels, outcomes, contamination)
        path = plan.run_dir / "funnel.json"
        before = funnel_from_json(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
        num_unlabelled = len(stage1.accepted) - len(labels)
        price = plan.config.budget.prices.get(plan.config.model.path, FREE)
        usages = {s: usage_of(journals[s].completions(), price) for s in ("classification", "instances")}
        usage = _times(usages["classification"], num_unlabelled) + _times(usages["instances"], num_unanswered)
        return Refiltered(generated, before, Missing(num_unlabelled, num_unanswered, usage))


def _header(plan: Plan, stage: Stage) -> dict[str, Any]:
    path = journal_path(plan.run_dir, stage)
    header = read_header(path) if path.is_file() else {}
    if not header:
        raise ValueError(f"{path}: no journal there; `selfinstruct generate` begins one")
    return {key: value for key, value in header.items() if key != "format"}


def _check(plan: Plan, headers: dict[Stage, dict[str, Any]]) -> None:
    """Refuse settings that differ from the run's and cannot be replayed."""
    differing = []
    for stage in STAGES:
        stored = headers[stage]
        settings = _settings_of_the_run(plan.config.generate, headers)
        as_the_run = plan.with_settings(settings)
        differing += header_differences(stored, {**journal_header(as_the_run, stage), "lm": stored["lm"]})
    max_instances = headers["instances"]["max_instances"]
    if plan.config.generate.max_instances > max_instances:
        differing.append(f"max_instances: {max_instances} there, {plan.config.generate.max_instances} now")
    if differing:
        raise ValueError(
            f"{plan.run_dir}: its answers cannot be filtered by these settings, which need new ones "
            f"({'; '.join(dict.fromkeys(differing))}); give the run's own, or begin a run in another run_dir"
        )


def _settings_of_the_run(settings: GenerateConfig, headers: dict[Stage, dict[str, Any]]) -> GenerateConfig:
    """The settings with those thresholds that the run had."""
    stored = headers["instructions"]
    return dataclasses.replace(
        settings,
        rouge_l_threshold=stored["rouge_l_threshold"],
        language=stored["language"],
        near_duplicates=NearDuplicateConfig(**stored["near_duplicates"]),
        max_instances=headers["instances"]["max_instances"],
    )


def _instructions(plan: Plan, header: dict[str, Any], journal: Journal) -> InstructionStage:
    """Stage 1 again: first as the run filtered, which tells what each prompt showed, then by the plan's thresholds."""
    settings = plan.config.generate
    own = dataclasses.replace(
        settings,
        rouge_l_threshold=header["rouge_l_threshold"],
        language=header["language"],
        near_duplicates=NearDuplicateConfig(**header["near_duplicates"]),
        num_instructions=sys.maxsize,
        max_requests=_num_in_order(journal, settings.requests_per_round),
    )
    parents: dict[str, tuple[str, ...]] = {}
    meter = Meter(plan.config.budget, FREE, Usage())
    session = Session(plan.with_settings(own), _NoLM(), meter, {"instructions": journal})
    replayed = generate_instructions(session)
    for outcome in replayed.outcomes:
        parents[outcome.request_id] = outcome.parents
    candidates = CandidateFilter(plan.seeds, settings)
    for request_id, shown in parents.items():
        candidates.filter(journal[request_id], shown)
    return InstructionStage(candidates.accepted, candidates.outcomes, replayed.num_requests)


def _num_in_order(journal: Journal, requests_per_round: int) -> int:
    """How many requests are answered without a gap from the first on; a killed run may have answered later ones too."""
    number = 0
    while f"instructions-{number // requests_per_round:06d}-{number % requests_per_round:02d}" in journal:
        number += 1
    return number


def _labels(plan: Plan, accepted: Sequence[Instruction], journal: Journal) -> list[ClassificationOutcome]:
    labels = []
    for instruction in accepted:
        answer = journal.find(classification_request(plan, instruction))
        if answer is not None:
            labels.append(label_outcome(instruction, answer, plan.settings))
    return labels


def _instances(
    plan: Plan, accepted: Sequence[Instruction], labels: Sequence[ClassificationOutcome], journal: Journal
) -> tuple[list[InstanceOutcome], int]:
    """The instances of all that have a label and an answer; and how many have not both."""
    is_label_first = {outcome.instruction_id: outcome.is_classification for outcome in labels}
    flags = [is_label_first.get(instruction.id, False) for instruction in accepted]
    requests = instance_requests(plan, accepted, flags)
    outcomes: list[InstanceOutcome] = []
    num_unanswered = 0
    for instruction, flag, request in zip(accepted, flags, requests, strict=True):
        answer = journal.find(request) if instruction.id in is_label_first else None
        if answer is None:
            num_unanswered += 1
        else:
            outcomes += instance_outcomes(plan, instruction, flag, answer)
    return outcomes, num_unanswered


def _times(usage: Usage, number: int) -> Usage:
    """What `number` requests take if they are like those of `usage`."""
    share = number / max(1, usage.num_requests)
    return Usage(number, round(usage.prompt_tokens * share), round(usage.completion_tokens * share), usage.cost * share)
