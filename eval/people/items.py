"""What is put before people: items of cells, each cell one choice, and in which order a rater sees them.

Of the job "answers" an item is an example and its cells are the different answers to it, shown blind: two systems that
answered alike share a cell and its grade. Of the job "data" an item is a generated instance and its cells are the three
questions. The items of a run stand in one shuffled order, the same for every rater: those who stop midway have rated
the same ones, which are a random sample of all.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfinstruct_train.config import Config
from selfinstruct_train.core.names import BASE_CUT
from selfinstruct_train.core.row_files import read_records
from selfinstruct_train.core.seeding import derive_seed

from ..examples import Example
from ..predict import fingerprint_answers, read_answers
from ..tasks import load_sets
from .ratings import COMMENT, GRADE, REFERENCES_SHOWN, Field, answer_fingerprint, fingerprint
from .rubric import GRADES, QUESTIONS

DATA = "data"
"""The set's name where generated data are reviewed."""
YES, NO = "yes", "no"


@dataclass(frozen=True)
class Cell:
    """One choice to make; `id` names it to a browser and tells nothing of `systems`, whose answer it is."""

    id: str
    text: str
    about: Field
    systems: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """What stands together on the page; `output` is None where answers are rated."""

    id: str
    task: str
    instruction: str
    input: str
    output: str | None
    references: tuple[str, ...]
    cells: tuple[Cell, ...]

    def note(self, field: str) -> Field:
        """Where a remark on the whole item is filed: COMMENT or REFERENCES_SHOWN."""
        assert field in (COMMENT, REFERENCES_SHOWN)
        return Field(self.id, fingerprint(self.instruction, self.input, self.output or ""), field)


@dataclass(frozen=True)
class Work:
    """All that a run asks of its raters; `systems` is empty where data are reviewed."""

    set: str
    options: tuple[str, ...]
    systems: tuple[str, ...]
    items: tuple[Item, ...]
    fingerprints: dict[str, str] = field(default_factory=dict)
    """Of each system's answers, those that were not drawn among them."""


def load_work(config: Config) -> Work:
    """Read what `annotate.job` is about.

    Raises:
        ValueError: there are no answers or no dataset yet, or a system is unknown.
    """
    return _data_work(config) if config.annotate.job == "data" else _answers_work(config)


def answer_items(examples: Sequence[Example], answers: Mapping[str, Sequence[str]]) -> tuple[Item, ...]:
    """Return an item for each example, its cells in the order in which the systems first gave each answer.

    Space around an answer is left out: whether there is a leading one tells whose it is.
    """
    items = []
    for row, example in enumerate(examples):
        cells: dict[str, list[str]] = {}
        for system, texts in answers.items():
            cells.setdefault(texts[row].strip(), []).append(system)
        items.append(
            Item(
                id=example.id,
                task=example.task,
                instruction=example.instruction,
                input=example.input,
                output=None,
                references=example.references,
                cells=tuple(_answer_cell(example, text, systems) for text, systems in cells.items()),
            )
        )
    return tuple(items)


def draw_order(number: int, seed: int, set_name: str) -> list[int]:
    """Return 0 to `number` - 1 shuffled: who rates or judges only some examples of a set takes the first of these."""
    rows = list(range(number))
    random.Random(derive_seed(seed, "annotate", set_name, "items")).shuffle(rows)
    return rows


def shown_order(item: Item, rater: str, seed: int) -> list[Cell]:
    """Return an answer item's cells as this rater sees them, always the same; questions keep their order."""
    cells = list(item.cells)
    if item.output is None:
        random.Random(derive_seed(seed, "annotate", rater, item.id)).shuffle(cells)
    return cells


def _answer_cell(example: Example, text: str, systems: Sequence[str]) -> Cell:
    name = answer_fingerprint(example, text)
    return Cell(name, text, Field(example.id, name, GRADE), tuple(systems))


def _answers_work(config: Config) -> Work:
    settings = config.annotate
    sets = load_sets(config.eval)
    answers = read_answers(config, sets, settings.set)
    systems = settings.systems or tuple(s for s in answers if s != BASE_CUT)
    for system in systems:
        if system not in answers:
            raise ValueError(
                f"annotate.systems: {system!r} has no answers in this run; known: {', '.join(map(repr, answers))}"
            )
    examples = sets[settings.set]
    answers = {system: answers[system] for system in dict.fromkeys(systems)}
    items = answer_items(examples, answers)
    chosen = _draw(items, settings.max_examples, config.seed, settings.set)
    fingerprints = {system: fingerprint_answers(examples, texts) for system, texts in answers.items()}
    return Work(settings.set, tuple(GRADES), tuple(answers), chosen, fingerprints)


def _data_work(config: Config) -> Work:
    path = Path(config.run_dir) / "dataset" / "train.parquet"
    if not path.is_file():
        raise ValueError(f"{path}: no such file; run `selfinstruct generate` with the same settings first")
    by_instruction: dict[str, list[Item]] = {}
    for location, row in read_records(path, ("id", "source")):
        if row.get("source") == "generated":
            item = _instance(str(row.get("id", location)), row["instruction"], row["input"], row["output"])
            by_instruction.setdefault(item.instruction, []).append(item)
    if not by_instruction:
        raise ValueError(f"{path}: holds no generated row, so there is nothing to review")
    rng = random.Random(derive_seed(config.seed, "annotate", DATA, "instances"))
    instances = [rng.choice(rows) for rows in by_instruction.values()]
    chosen = _draw(instances, config.annotate.num_reviewed, config.seed, DATA)
    return Work(DATA, (YES, NO), (), chosen)


def _instance(id: str, instruction: str, input: str, output: str) -> Item:
    shown = fingerprint(instruction, input, output)
    cells = tuple(Cell(q.field, q.text, Field(id, shown, q.field), ()) for q in QUESTIONS)
    return Item(id, "", instruction, input, output, (), cells)


def _draw(items: Sequence[Item], number: int | None, seed: int, set_name: str) -> tuple[Item, ...]:
    """Shuffle, and take the first: a larger number adds items and takes none away."""
    return tuple(items[row] for row in draw_order(len(items), seed, set_name)[:number])
