"""Examples and every system's answer side by side: drawn by the run's seed, not picked, and light enough for a page.

Every category comes once before a task comes twice, and every task before an example of the same one. The page's script
filters them (data/samples.js); the first few are also written as plain text, for readers without it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from selfinstruct_train.core.names import BASE, BASE_CUT, METRICS, ROUGE_L
from selfinstruct_train.core.seeding import derive_seed

from ..scores import Evaluation
from .looks import Look
from .templates import shorten

MAX_SAMPLES = 300
_MAX_BYTES = 1_500_000  # of all samples of a page as they stand in it: the page itself stays below 3 MB
_MAX_INSTRUCTION = 1200
_ROUGE_L = METRICS.index(ROUGE_L)


@dataclass(frozen=True)
class Answer:
    """One system's answer to an example, with its ROUGE-L."""

    system: str
    text: str
    rouge_l: float


@dataclass(frozen=True)
class Sample:
    """An example and every system's answer; long texts are cut."""

    set: str
    id: str
    task: str
    category: str
    distance: str
    instruction: str
    input: str
    reference: str
    num_references: int
    answers: tuple[Answer, ...]


def draw_samples(evaluations: Sequence[Evaluation], seed: int) -> list[list[Sample]]:
    """Return the samples of each evaluation, in the order drawn; fewer than an equal share where they are long."""
    share, room = MAX_SAMPLES // len(evaluations), _MAX_BYTES // len(evaluations)
    return [_draw(evaluation, seed, share, room) for evaluation in evaluations]


def embed(
    samples: Sequence[Sequence[Sample]],
    sets: Sequence[dict[str, Any]],
    systems: Sequence[str],
    look: Callable[[str], Look],
) -> dict[str, Any]:
    """Return what the page's script reads: the systems, the sets, and of each sample the answers by system's number."""
    number = {system: i for i, system in enumerate(systems)}
    looks = [look(system) for system in systems]
    return {
        "systems": [{"label": one.label, "color": one.color} for one in looks],
        "base": number.get(BASE),
        "subject": number.get(sets[0]["subject"]),
        "sets": [{"name": view["name"], "title": view["title"]} for view in sets],
        "samples": [
            {key: value for key, value in asdict(sample).items() if key not in ("id", "answers")}
            | {"answers": [[number[a.system], a.text, a.rouge_l] for a in sample.answers]}
            for part in samples
            for sample in part
        ],
    }


def _draw(evaluation: Evaluation, seed: int, number: int, room: int) -> list[Sample]:
    from jinja2.utils import htmlsafe_json_dumps

    rng = random.Random(derive_seed(seed, "eval", "report", "shown", evaluation.name))
    samples: list[Sample] = []
    for row in _spread(evaluation, rng.sample(range(len(evaluation.examples)), len(evaluation.examples)))[:number]:
        sample = _sample(evaluation, row)
        room -= len(htmlsafe_json_dumps(asdict(sample)))
        if room < 0 and samples:
            break
        samples.append(sample)
    return samples


def _spread(evaluation: Evaluation, order: list[int]) -> list[int]:
    """Put the first of each category before the first of each task, and those before the rest."""
    chosen: dict[int, None] = {}
    for field in ("category", "task", "id"):
        seen = {getattr(evaluation.examples[row], field) for row in chosen}
        for row in order:
            value = getattr(evaluation.examples[row], field)
            if row not in chosen and value not in seen:
                seen.add(value)
                chosen[row] = None
    return list(chosen)


def _sample(evaluation: Evaluation, row: int) -> Sample:
    e = evaluation.examples[row]
    answers = tuple(
        Answer(system, shorten(texts[row].strip()), round(float(evaluation.metrics[system][row, _ROUGE_L]), 1))
        for system, texts in evaluation.predictions.items()
        if system != BASE_CUT
    )
    return Sample(
        evaluation.name,
        e.id,
        e.task,
        e.category,
        e.distance,
        shorten(e.instruction.strip(), _MAX_INSTRUCTION),
        shorten(e.input.strip()),
        shorten(e.references[0].strip()),
        len(e.references),
        answers,
    )
