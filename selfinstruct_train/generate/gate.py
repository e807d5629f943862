"""The contamination gate of a run: hold its rows against evaluation data; block what overlaps, or flag it.

The rows' ledger tells of every overlap, <run_dir>/contamination.json counts them. Seed tasks are the user's own: what
overlaps there is told and stays.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..config import ContaminationConfig
from ..core.names import KEPT
from ..core.progress import Display, shown
from ..core.records import EvaluationExample, Instruction, Row, SeedTask
from .contamination import RULES, Overlap, find_overlaps
from .self_instruct.instances import InstanceOutcome

logger = logging.getLogger(__name__)

CONTAMINATED = "contaminated"


@dataclass(frozen=True)
class Contamination:
    """What was compared and found: examples by evaluation set, overlapping rows by rule, the seeds among them."""

    action: Literal["block", "flag", "off"]
    sets: dict[str, int]
    generated: dict[str, int]
    seeds: dict[str, Overlap]


def gate(
    seeds: Sequence[SeedTask],
    instructions: Sequence[Instruction],
    outcomes: Sequence[InstanceOutcome],
    evaluation_data: Iterable[EvaluationExample],
    settings: ContaminationConfig,
) -> tuple[list[InstanceOutcome], Contamination]:
    """Mark every kept instance that overlaps; where the action is block, its verdict becomes `contaminated`."""
    if settings.action == "off":
        return list(outcomes), Contamination("off", {}, {}, {})
    text_of = {instruction.id: instruction.text for instruction in instructions}
    kept = [outcome for outcome in outcomes if outcome.verdict == KEPT]
    rows = [Row(outcome.id, text_of[outcome.instruction_id], outcome.input, outcome.output) for outcome in kept]
    pairs = [(f"{task.id}-{item}", task, pair) for task in seeds for item, pair in enumerate(task.instances)]
    rows += [Row(row_id, task.instruction, pair.input, pair.output) for row_id, task, pair in pairs]
    sets: Counter[str] = Counter()
    examples = _counted(evaluation_data, sets)
    first_example = next(examples, None)
    if first_example is None:  # nothing to compare with: the rows need no index
        return list(outcomes), Contamination(settings.action, {}, dict.fromkeys(RULES, 0), {})
    compared = itertools.chain([first_example], examples)
    with shown("comparing with evaluation data", "examples") as live:
        found = find_overlaps(rows, _told(compared, live), settings)
    overlaps = {row.id: overlap for row, overlap in zip(kept, found[: len(kept)], strict=True) if overlap}
    of_seeds = {row_id: o for (row_id, _, _), o in zip(pairs, found[len(kept) :], strict=True) if o}
    if of_seeds:
        row_id, first = next(iter(of_seeds.items()))
        logger.warning(
            "%d of %d seed instances overlap evaluation data and stay, being your own (%s: %s, %s of %s); "
            "contamination.json names them",
            *(len(of_seeds), len(pairs), row_id, first.rule, first.id, first.set),
        )
    verdict = CONTAMINATED if settings.action == "block" else KEPT
    marked = [
        dataclasses.replace(outcome, verdict=verdict, overlap=overlaps[outcome.id])
        if outcome.id in overlaps
        else outcome
        for outcome in outcomes
    ]
    by_rule = Counter(overlap.rule for overlap in overlaps.values())
    counts = {rule: by_rule[rule] for rule in RULES}
    return marked, Contamination(settings.action, dict(sets), counts, of_seeds)


def _told(examples: Iterable[EvaluationExample], live: Display) -> Iterator[EvaluationExample]:
    for example in examples:
        live.add(1)
        yield example


def _counted(evaluation_data: Iterable[EvaluationExample], sets: Counter[str]) -> Iterator[EvaluationExample]:
    for example in evaluation_data:
        sets[example.set] += 1
        yield example
