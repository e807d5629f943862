"""Nothing of the tiny evaluation stands in what the tiny model reads: seed tasks, few-shot prompts, pages."""

import json
from itertools import islice
from random import Random

import assets
import pytest
from contamination import Finder
from corpus import FORBIDDEN, documents
from kind import Verdict, is_held_out, normalize
from kinds import BY_NAME

TASKS = [json.loads(p.read_text(encoding="utf-8")) for p in sorted((assets.EVALUATION / "tasks").glob("*.json"))]
USER_TASKS = [json.loads(line) for line in (assets.EVALUATION / "user_oriented.jsonl").read_text().splitlines()]
SEED_TASKS = [json.loads(line) for line in assets.SEEDS.read_text(encoding="utf-8").splitlines()]


def toy_task(definition: str, input: str, output: str) -> dict:
    return {
        "Name": "toy",
        "Definition": [definition],
        "Instances": [{"id": "1", "input": input, "output": [output]}],
        "Positive Examples": [],
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("In this task, you get a word; write it backwards!", ["toy: definition"]),
        ("In this task you get a word.", []),
        ("Q: Anna gave Tom a red ball.\nA: red", ["toy: 'Anna gave Tom a red ball.'"]),
        ('Which colour? "Anna gave Tom a red ball." Answer: red', ["toy: 'Anna gave Tom a red ball.'"]),
        ("Anna gave Tom a red ball. It was small and Tom was glad, and so was she. The red ball", []),
    ],
)
def test_the_finder_sees_a_definition_and_a_long_instance_with_its_answer(text, found):
    finder = Finder([toy_task("In this task you get a word. Write it backwards.", "Anna gave Tom a red ball.", "red")])
    assert list(finder.find(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Word: hot\nAnswer: cold", True),
        ("hot -> cold", True),
        ("Input: hot\nOutput: cold.", True),
        ("The opposite of hot is cold.", False),
        ("Word: hot\nAnswer: warm", False),
    ],
)
def test_the_finder_sees_a_short_instance_as_a_pair_of_fields(text, found):
    assert bool(list(Finder([toy_task("a definition of five words", "hot", "cold")]).find(text))) == found


def test_the_evaluation_is_as_large_as_promised():
    assert len(TASKS) >= 40
    assert len({t["Categories"][0] for t in TASKS}) >= 10
    assert all(len(t["Instances"]) >= 25 for t in TASKS)
    assert len(USER_TASKS) >= 50
    assert {t["Distance"] for t in TASKS} == {"near", "far"}
    listed = (assets.EVALUATION / "splits" / "default" / "test_tasks.txt").read_text().split()
    assert listed == sorted(p.stem for p in (assets.EVALUATION / "tasks").glob("*.json"))


def test_near_tasks_are_no_seed_kinds_and_far_ones_are_never_worded():
    for task in TASKS:
        kind = BY_NAME[task["Name"]]
        assert kind.name not in assets.SEED_KINDS
        assert task["Definition"] == [kind.definition]
        assert (task["Distance"] == "far") == (not kind.wordings and not kind.inline)


def test_every_evaluation_input_is_from_the_held_out_side_and_its_answer_is_right():
    for task in TASKS:
        kind = BY_NAME[task["Name"]]
        example = kind.draw(Random(0))
        for instance in task["Instances"]:
            if example.input and not example.slots:
                assert is_held_out(instance["input"])
                for output in instance["output"]:
                    assert kind.judge(instance["input"], output, {}) == Verdict(True, True)


def test_the_seeds_cover_a_small_part_of_the_world_from_the_open_side():
    assert len(assets.SEED_KINDS) < 0.15 * len(BY_NAME)
    assert len(SEED_TASKS) == len(assets.SEED_KINDS) * assets.TASKS_PER_SEED_KIND
    assert len({t["instruction"] for t in SEED_TASKS}) == len(SEED_TASKS)
    for task in SEED_TASKS:
        for instance in task["instances"]:
            assert not instance["input"] or not is_held_out(instance["input"]), task


def test_seeds_and_few_shot_prompts_hold_nothing_of_the_evaluation():
    finder = Finder(TASKS)
    for task in SEED_TASKS:
        text = task["instruction"] + "".join(f"\n{i['input']}\n{i['output']}" for i in task["instances"])
        assert list(finder.find(text)) == [], text
    for path in sorted(assets.TEMPLATES.glob("*.txt")):
        assert list(finder.find(path.read_text(encoding="utf-8"))) == [], path
    wordings = {normalize(t["instruction"]) for t in SEED_TASKS}
    assert not wordings & {normalize(t["instruction"]) for t in USER_TASKS}


def test_pretraining_pages_hold_nothing_of_the_evaluation_and_no_prompt_format():
    finder = Finder(TASKS)
    user_instructions = [normalize(t["instruction"]) for t in USER_TASKS]
    for page in islice(documents(0), 1500):  # pretrain.py reads documents(0), (1), ... : the first shard's pages
        assert list(finder.find(page)) == []
        assert not any(word in page for word in FORBIDDEN)
        flat = normalize(page)
        assert not any(instruction in flat for instruction in user_instructions)


def test_the_committed_assets_are_what_the_world_makes():
    assert assets.seed_tasks() == SEED_TASKS
    for name, text in assets.few_shot_prompts().items():
        assert (assets.TEMPLATES / f"{name}.txt").read_text(encoding="utf-8") == text
        assert text.endswith("Task:")
    assert assets.user_oriented() == USER_TASKS
