"""Make what the tiny run reads besides its model: seed tasks, few-shot prompts, evaluation tasks. All from the world, by seed.

The seed tasks cover a small part of the world's kinds, as the paper's 175 cover a small part of ours. The evaluation draws its kinds and
instances with a seed of its own, from the held-out side; `near` kinds are worded in the pretraining text but are not among
the seeds, `far` kinds are never worded as an instruction. After a change of the world: pretrain again, then run this with --text, which leaves out of the evaluation
what stands in the pretraining text (without it nothing is left out). The training split, a small counterpart of the
official one, has kinds that the evaluation does not ask, with instances from the open side; --training-split alone makes it anew.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path
from random import Random
from typing import Any

from tqdm import tqdm

from selfinstruct_train.config import ContaminationConfig
from selfinstruct_train.core.records import EvaluationExample, Row
from selfinstruct_train.generate.contamination import find_overlaps
from tiny_world.contamination import Finder
from tiny_world.corpus import input_first, instruct, label_first
from tiny_world.kind import Example, Kind, draw_example
from tiny_world.kinds import BY_NAME, FAR, NEAR
from tiny_world.tokens import pages
from tiny_world.user_tasks import USER_TASKS

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "selfinstruct_train" / "assets" / "seed_tasks" / "tiny.jsonl"
TEMPLATES = ROOT / "selfinstruct_train" / "assets" / "templates" / "tiny"
EVALUATION = ROOT / "eval" / "data" / "tiny"

SEED, EVALUATION_SEED, TRAINING_SEED = 2212, 10560, 7705  # digits of arXiv numbers: 2212.10560, 2204.07705
SEED_KINDS = (
    "opposite", "plural", "english_to_spanish", "capital", "animal_home", "sentiment", "urgency", "living_or_not", "add",
    "larger_number", "first_letter", "who_did_it", "which_colour", "name_members", "alphabetical", "animal_story", "note",
    "slogan", "capitals", "calendar",
)  # fmt: skip
TASKS_PER_SEED_KIND = 2
NUM_NEAR_TASKS = 36
INSTANCES_PER_TASK = 25
POSITIVE_EXAMPLES = 2
NUM_TRAINING_TASKS, INSTANCES_PER_TRAINING_TASK = 30, 40


def seed_tasks() -> list[dict[str, Any]]:
    """Two tasks of each seed kind, differently worded, with one instance each (the paper's seeds have one each)."""
    rng = Random(SEED)
    tasks: list[dict[str, Any]] = []
    for name in SEED_KINDS:
        kind = BY_NAME[name]
        for number in range(TASKS_PER_SEED_KIND):
            example = draw_example(kind, rng, held_out=False)
            instruction, input = instruct(kind, example, rng)
            while instruction in [t["instruction"] for t in tasks]:
                instruction, input = instruct(kind, example, rng)
            tasks.append(
                {
                    "id": f"seed_{len(tasks)}",
                    "name": f"{name}_{number}",
                    "instruction": instruction,
                    "instances": [{"input": input, "output": example.output}],
                    "is_classification": kind.is_classification,
                }
            )
    return tasks


def few_shot_prompts() -> dict[str, str]:
    """The three prompts of stages 2 and 3, short enough for the tiny model's context."""
    rng = Random(SEED + 1)
    labelled = [k for k in NEAR if k.is_classification and k.wordings]
    free = [k for k in NEAR if not k.is_classification and k.wordings]
    with_input = [k for k in free if draw_example(k, Random(0), held_out=False).input]
    without_input = [k for k in free if k not in with_input]

    sorting = [(k, "Yes") for k in rng.sample(labelled, 8)] + [(k, "No") for k in rng.sample(free, 12)]
    rng.shuffle(sorting)
    blocks = []
    for kind, answer in sorting:
        instruction = instruct(kind, draw_example(kind, rng, held_out=False), rng, inline=False)[0]
        blocks.append(f"Task: {instruction}\nIs it classification? {answer}")
    shown = rng.sample(with_input, 4) + rng.sample(without_input, 2)
    rng.shuffle(shown)
    worked = [input_first(rng, kind, "Task: ", True, ("Input: ", "Output: ")) for kind in shown]
    first = [label_first(rng, kind, "Task: ", "Class label", "") for kind in rng.sample(labelled, 4)]
    return {
        name: "\n\n".join([*parts, "Task:"])
        for name, parts in (("classification", blocks), ("input_first", worked), ("output_first", first))
    }


def _field(example: Example) -> str:
    """The input of an evaluation instance: the input, then the values of the slots that no wording gives here."""
    return "\n".join(filter(None, [example.input, ", ".join(example.slots.values())]))


def _different(kind: Kind, rng: Random, count: int, held_out: bool, seen: Set[str] = frozenset()) -> list[Example]:
    """The first `count` different examples of one side of the kind's own sequence that are not in `seen`; fewer if it runs dry."""
    found: dict[str, Example] = {}
    for _ in range(count * 12):
        if len(found) == count:
            break
        try:
            example = draw_example(kind, rng, held_out, tries=100)
        except ValueError:
            break
        if f"{kind.name}: {_field(example)!r}" not in seen:
            found.setdefault(_field(example), example)
    return list(found.values())


def _held_out(kind: Kind, count: int, seen: Set[str]) -> list[Example]:
    return _different(kind, Random(f"{EVALUATION_SEED} {kind.name}"), count, held_out=True, seen=seen)


def _natural_instructions(kind: Kind, examples: list[Example]) -> dict[str, Any]:
    pairs = [{"input": _field(e), "output": [e.output, *e.also]} for e in examples]
    shown, instances = pairs[:POSITIVE_EXAMPLES], pairs[POSITIVE_EXAMPLES:]
    return {
        "Name": kind.name,
        "Contributors": ["selfinstruct-train"],
        "Source": ["the tiny world of selfinstruct-train"],
        "Categories": [kind.category],
        "Distance": "far" if kind.far else "near",
        "Definition": [kind.definition],
        "Input_language": ["English"],
        "Output_language": ["English"],
        "Instruction_language": ["English"],
        "Positive Examples": [{"input": p["input"], "output": p["output"][0], "explanation": ""} for p in shown],
        "Negative Examples": [],
        "Instances": [{"id": f"{kind.name}-{i}", **p} for i, p in enumerate(instances)],
    }


def evaluation_tasks(seen: Set[str] = frozenset(), num_instances: int = INSTANCES_PER_TASK) -> list[dict[str, Any]]:
    """Every far kind, and near kinds drawn evenly over the categories, none of them among the seeds'.

    Args:
        seen: instances, as the Finder names them, that stand in some text and must not be used.
        num_instances: wanted per task; a task needs at least INSTANCES_PER_TASK.
    """
    count = num_instances + POSITIVE_EXAMPLES
    enough = INSTANCES_PER_TASK + POSITIVE_EXAMPLES

    def task(kind: Kind) -> dict[str, Any] | None:
        examples = _held_out(kind, count, seen)
        return _natural_instructions(kind, examples) if len(examples) >= enough else None

    near = [kind for kind in NEAR if kind.name not in SEED_KINDS]
    tasks = _drawn_evenly(near, Random(EVALUATION_SEED), NUM_NEAR_TASKS, task)
    return [*tasks, *filter(None, map(task, FAR))]


def _drawn_evenly(
    kinds: Sequence[Kind], rng: Random, number: int, task: Callable[[Kind], dict[str, Any] | None]
) -> list[dict[str, Any]]:
    """Tasks of the first kinds that give one, the categories in turn."""
    by_category: dict[str, list[Kind]] = {}
    for kind in kinds:
        by_category.setdefault(kind.category, []).append(kind)
    for members in by_category.values():
        rng.shuffle(members)
    drawn: list[dict[str, Any]] = []
    while len(drawn) < number and any(by_category.values()):
        for category in sorted(by_category):
            while by_category[category]:
                if found := task(by_category[category].pop()):
                    drawn.append(found)
                    break
    return drawn[:number]


def training_tasks(evaluated: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tasks to train on: kinds that neither these evaluation tasks nor the users' ask, no row overlapping them by the run's own rules."""
    asked = {task["Name"] for task in evaluated} | {name for name, _, _ in USER_TASKS}
    held = [
        EvaluationExample("eval", i["id"], task["Definition"][0], i["input"], tuple(i["output"]))
        for task in evaluated
        for i in (
            *task["Instances"],
            *({"id": "shown", **e, "output": [e["output"]]} for e in task["Positive Examples"]),
        )
    ]
    held += [
        EvaluationExample(
            "eval", row["id"], row["instruction"], row["instances"][0]["input"], (row["instances"][0]["output"],)
        )
        for row in user_oriented()
    ]
    count = INSTANCES_PER_TRAINING_TASK + POSITIVE_EXAMPLES

    def task(kind: Kind) -> dict[str, Any] | None:
        examples = _different(kind, Random(f"{TRAINING_SEED} {kind.name}"), 2 * count, held_out=False)
        rows = [Row(kind.name, kind.definition, _field(e), e.output) for e in examples]
        overlaps = find_overlaps(rows, held, ContaminationConfig(rouge_l_threshold=1.0))
        free = [e for e, overlap in zip(examples, overlaps, strict=True) if overlap is None][:count]
        if len(free) < count:
            return None
        return {key: value for key, value in _natural_instructions(kind, free).items() if key != "Distance"}

    others = [kind for kind in NEAR if kind.name not in asked]
    return _drawn_evenly(others, Random(TRAINING_SEED), NUM_TRAINING_TASKS, task)


def user_oriented() -> list[dict[str, Any]]:
    """Tasks as users put them, in the released user_oriented_instructions.jsonl format, with held-out instances."""
    rng = Random(EVALUATION_SEED + 1)
    rows = []
    for i, (name, application, instruction) in enumerate(USER_TASKS):
        example = draw_example(BY_NAME[name], rng, held_out=True)
        rows.append(
            {
                "id": f"user_oriented_task_{i}",
                "motivation_app": application,
                "instruction": instruction,
                "instances": [{"input": _field(example), "output": example.output}],
            }
        )
    return rows


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def seen_in(work: Path) -> set[str]:
    """What of the possible evaluation stands in the pretraining text of this work folder."""
    finder = Finder(evaluation_tasks(num_instances=2 * INSTANCES_PER_TASK))
    found = Counter(what for page in tqdm(pages(work), desc="pages", unit="") for what in finder.find(page))
    definitions = [what for what in found if what.endswith(": definition")]
    assert not definitions, definitions
    print(f"{len(found)} possible instances stand in the pretraining text; they are left out of the evaluation")
    return set(found)


def _write_tasks(tasks: Sequence[dict[str, Any]], list_file: str, first_number: int) -> None:
    names = [f"task{number:03d}_{task['Name']}" for number, task in enumerate(tasks, first_number)]
    for name, task in zip(names, tasks, strict=True):
        _write(EVALUATION / "tasks" / f"{name}.json", json.dumps(task, indent=1, ensure_ascii=False) + "\n")
    _write(EVALUATION / "splits" / "default" / list_file, "\n".join(names) + "\n")


def read_tasks(list_file: str) -> list[dict[str, Any]]:
    """The tasks of test_tasks.txt or train_tasks.txt, as they are written."""
    names = (EVALUATION / "splits" / "default" / list_file).read_text(encoding="utf-8").split()
    return [json.loads((EVALUATION / "tasks" / f"{name}.json").read_text(encoding="utf-8")) for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="pretrain.py's work folder: instances in its text are left out")
    parser.add_argument("--training-split", action="store_true", help="write the training tasks alone")
    arguments = parser.parse_args()
    if not arguments.training_split:
        seen = seen_in(arguments.text) if arguments.text else set()
        _write(SEEDS, _lines(seed_tasks()))
        for name, text in few_shot_prompts().items():
            _write(TEMPLATES / f"{name}.txt", text)
        for old in (EVALUATION / "tasks").glob("*.json"):
            old.unlink()
        _write_tasks(evaluation_tasks(seen), "test_tasks.txt", 1)
        _write(EVALUATION / "user_oriented.jsonl", _lines(user_oriented()))
    evaluated = read_tasks("test_tasks.txt")
    training = training_tasks(evaluated)
    _write_tasks(training, "train_tasks.txt", len(evaluated) + 1)
    print(
        f"{len(SEED_KINDS) * TASKS_PER_SEED_KIND} seed tasks, {len(evaluated)} evaluation tasks, {len(USER_TASKS)} user tasks, "
        f"{len(training)} training tasks"
    )


if __name__ == "__main__":
    main()
