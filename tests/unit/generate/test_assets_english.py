"""The built-in English seed tasks and few-shot prompts: counts, format, novelty.

The answers were checked by hand and the code in them was run; here stands what a later edit could break.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from selfinstruct_train.core.builtin import resolve
from selfinstruct_train.core.names import KEPT
from selfinstruct_train.generate.heuristics import instance_verdict, instruction_verdict
from selfinstruct_train.generate.novelty import NoveltyIndex
from selfinstruct_train.generate.seeds import read_seed_tasks
from selfinstruct_train.generate.self_instruct.parse import instance_candidates
from selfinstruct_train.generate.self_instruct.prompts import read_templates
from tests.support.paths import SHARED

SEEDS = Path(resolve("builtin:english", "seed_tasks"))
RECORDS = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()]
TASKS = read_seed_tasks(SEEDS)
TEMPLATES = read_templates(resolve("builtin:english", "templates"))
OFFICIAL = SHARED / "official"


def _examples(template: str) -> list[tuple[str, str]]:
    """The worked tasks of a template, each as its instruction and the lines below it."""
    tasks = re.split(r"(?:^|\n\n)Task:", template)[1:]
    assert tasks.pop() == ""  # the file ends with the "Task:" that the new instruction follows
    return [(instruction.strip(), rest) for instruction, _, rest in (task.partition("\n") for task in tasks)]


CLASSIFICATION = _examples(TEMPLATES.classification)
INPUT_FIRST = _examples(TEMPLATES.input_first)
OUTPUT_FIRST = _examples(TEMPLATES.output_first)
SHOWN = [instruction for part in (CLASSIFICATION, INPUT_FIRST, OUTPUT_FIRST) for instruction, _ in part]


def test_there_are_175_seed_tasks_of_which_25_are_classification() -> None:
    assert len(TASKS) == 175
    assert sum(task.is_classification for task in TASKS) == 25


def test_records_have_the_released_keys_and_one_instance_each() -> None:
    for record in RECORDS:
        assert list(record) == ["id", "name", "instruction", "instances", "is_classification"], record["id"]
        assert [list(instance) for instance in record["instances"]] == [["input", "output"]], record["id"]


def test_ids_count_up_and_names_are_unique_snake_case() -> None:
    assert [task.id for task in TASKS] == [f"seed_{i}" for i in range(175)]
    names = [record["name"] for record in RECORDS]
    assert len(set(names)) == 175
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)] == []


def test_instructions_are_one_line_of_4_to_70_words() -> None:
    lengths = [len(task.instruction.split()) for task in TASKS]
    assert all("\n" not in task.instruction for task in TASKS)
    assert (min(lengths), max(lengths)) == (4, 67)


def test_seeds_pass_the_rules_that_generated_rows_must_pass() -> None:
    refused = [
        (task.id, verdict)
        for task in TASKS
        for verdict in (
            instruction_verdict(task.instruction),
            *(instance_verdict(pair.input, pair.output) for pair in task.instances),
        )
        if verdict != KEPT
    ]
    assert refused == []


def test_no_text_has_white_space_around_it_or_a_marker_of_the_prompts_in_it() -> None:
    for task in TASKS:
        for text in (task.instruction, task.instances[0].input, task.instances[0].output):
            assert text == text.strip(), task.id
            assert not re.search(r"Task:|Example \d|Input:|Output:|Class label:", text), task.id


def test_some_seeds_have_an_input_and_some_have_none() -> None:
    assert sum(task.instances[0].input == "" for task in TASKS) == 61


def test_every_classification_answer_is_short() -> None:
    assert max(len(task.instances[0].output.split()) for task in TASKS if task.is_classification) == 4


def test_instructions_are_novel_to_one_another() -> None:
    index = NoveltyIndex(0.5)
    for instruction in [task.instruction for task in TASKS] + SHOWN:
        assert index.is_novel(instruction), (instruction, index.check(instruction))
        index.add(instruction)


@pytest.mark.skipif(
    not OFFICIAL.is_dir(), reason="needs the official seed tasks and user-oriented tasks in ../shared/data"
)
def test_no_instruction_resembles_an_official_one() -> None:
    index = NoveltyIndex(0.6)
    count = 0
    for name in ("seed_tasks.jsonl", "human_eval/user_oriented_instructions.jsonl"):
        for line in (OFFICIAL / name).read_text(encoding="utf-8").splitlines():
            index.add(json.loads(line)["instruction"])
            count += 1
    assert count == 175 + 252
    for instruction in [task.instruction for task in TASKS] + SHOWN:
        assert index.is_novel(instruction), (instruction, index.check(instruction))


def test_classification_prompt_shows_31_tasks_of_which_12_are_classification() -> None:
    answers = [rest for _, rest in CLASSIFICATION]
    assert len(answers) == 31
    assert answers.count("Is it classification? Yes") == 12
    assert answers.count("Is it classification? No") == 19


def test_input_first_prompt_shows_11_tasks_which_its_own_parser_reads() -> None:
    num_examples = []
    for instruction, rest in INPUT_FIRST:
        candidates = instance_candidates(rest, "stop", is_classification=False, method="paper")
        assert [c.verdict for c in candidates] == [KEPT] * len(candidates), instruction
        assert all(c.input for c in candidates) or len(candidates) == 1, instruction
        num_examples.append(len(candidates))
    assert num_examples == [3, 1, 2, 2, 3, 2, 1, 2, 2, 2, 1]


def test_output_first_prompt_shows_8_tasks_with_a_different_label_each_time() -> None:
    num_labels = []
    for instruction, rest in OUTPUT_FIRST:
        candidates = instance_candidates(rest, "stop", is_classification=True, method="paper")
        assert [c.verdict for c in candidates] == [KEPT] * len(candidates), instruction
        assert len({c.output for c in candidates}) == len(candidates), instruction
        assert all(c.input for c in candidates), instruction
        num_labels.append(len(candidates))
    assert num_labels == [2, 4, 3, 2, 3, 2, 4, 3]


def test_examples_of_stage_3_hold_no_code_and_no_proper_names() -> None:
    """A small model copies what is rare."""
    text = "\n".join(f"{instruction}\n{rest}" for instruction, rest in INPUT_FIRST + OUTPUT_FIRST)
    assert re.findall(r"[{}\[\]<>`|]|\w\(|;$|https?:", text, re.MULTILINE) == []
    capitals = set(re.findall(r"(?<=[a-z0-9,] )[A-Z]\w+", text))
    assert capitals == {"Professor", "May", "Monday", "Wednesday", "Thursday", "Saturday", "Sunday"}
