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

from tqdm import tqdm

from ..config import ContaminationConfig
from ..types import HeldOut, Instance, Instruction, SeedTask
from .contamination import RULES, Overlap, find_overlaps
from .heuristics import KEPT
from .instances import InstanceFate

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
    fates: Sequence[InstanceFate],
    held_out: Iterable[HeldOut],
    settings: ContaminationConfig,
) -> tuple[list[InstanceFate], Contamination]:
    """Mark every kept instance that overlaps; where the action is block, its verdict becomes `contaminated`."""
    if settings.action == "off":
        return list(fates), Contamination("off", {}, {}, {})
    text_of = {instruction.id: instruction.text for instruction in instructions}
    kept = [fate for fate in fates if fate.verdict == KEPT]
    rows = [Instance(fate.id, text_of[fate.instruction_id], fate.input, fate.output) for fate in kept]
    pairs = [(f"{task.id}-{item}", task, pair) for task in seeds for item, pair in enumerate(task.instances)]
    rows += [Instance(row_id, task.instruction, pair.input, pair.output) for row_id, task, pair in pairs]
    sets: Counter[str] = Counter()
    examples = _counted(held_out, sets)
    first_example = next(examples, None)
    if first_example is None:  # nothing to compare with: the rows need no index
        return list(fates), Contamination(settings.action, {}, dict.fromkeys(RULES, 0), {})
    compared = itertools.chain([first_example], examples)
    shown = tqdm(compared, desc="evaluation data", unit=" examples", delay=3, disable=None)  # on a terminal only
    found = find_overlaps(rows, shown, settings)
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
        dataclasses.replace(fate, verdict=verdict, overlap=overlaps[fate.id]) if fate.id in overlaps else fate
        for fate in fates
    ]
    by_rule = Counter(overlap.rule for overlap in overlaps.values())
    counts = {rule: by_rule[rule] for rule in RULES}
    return marked, Contamination(settings.action, dict(sets), counts, of_seeds)


def _counted(held_out: Iterable[HeldOut], sets: Counter[str]) -> Iterator[HeldOut]:
    for example in held_out:
        sets[example.set] += 1
        yield example
