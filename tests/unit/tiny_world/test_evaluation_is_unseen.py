"""Nothing of the tiny evaluation stands in what the tiny model reads: seed tasks, few-shot prompts, pages."""

import json
from itertools import islice
from random import Random

import pytest

from selfinstruct_eval.evaluation_data import open_evaluation_data
from selfinstruct_eval.tasks import load_tasks
from selfinstruct_train.config import Config, ContaminationConfig, EvalConfig
from selfinstruct_train.core.records import Row
from selfinstruct_train.generate.contamination import find_overlaps
from tiny_world import assets
from tiny_world.contamination import Finder
from tiny_world.corpus import FORBIDDEN, documents
from tiny_world.kind import Verdict, is_held_out, normalize
from tiny_world.kinds import BY_NAME
from tiny_world.user_tasks import USER_TASKS as USER_TASKS_BY_KIND

TASKS = assets.read_tasks("test_tasks.txt")
TRAINING_TASKS = assets.read_tasks("train_tasks.txt")
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
    splits = assets.EVALUATION / "splits" / "default"
    listed = [name for file in ("test_tasks.txt", "train_tasks.txt") for name in (splits / file).read_text().split()]
    assert listed == sorted(p.stem for p in (assets.EVALUATION / "tasks").glob("*.json"))


def test_the_evaluation_asks_its_56_tasks_and_none_of_the_training_tasks():
    asked = {example.task for example in load_tasks("builtin:tiny")}
    assert len(asked) == len(TASKS) == 56
    assert not {task.partition("_")[2] for task in asked} & {task["Name"] for task in TRAINING_TASKS}


def test_training_tasks_ask_other_kinds_and_hold_nothing_of_the_evaluation():
    assert [len(TRAINING_TASKS), {len(t["Instances"]) for t in TRAINING_TASKS}] == [30, {40}]
    names = {task["Name"] for task in TRAINING_TASKS}
    assert not names & ({task["Name"] for task in TASKS} | {name for name, _, _ in USER_TASKS_BY_KIND})
    rows = [
        Row(task["Name"], task["Definition"][0], pair["input"], pair["output"][0])
        for task in TRAINING_TASKS
        for pair in (*task["Instances"], *({**e, "output": [e["output"]]} for e in task["Positive Examples"]))
    ]
    evaluation_data = open_evaluation_data(Config(eval=EvalConfig(user_oriented="builtin:tiny")))
    settings = ContaminationConfig(rouge_l_threshold=1.0)  # as in configs/tiny.yaml
    assert [overlap for overlap in find_overlaps(rows, evaluation_data, settings) if overlap] == []
    finder = Finder(TASKS)
    assert [found for row in rows for found in finder.find(f"{row.instruction}\n{row.input}\n{row.output}")] == []


def test_the_overlap_test_sees_an_evaluation_instance_among_training_rows():
    task = TASKS[0]
    instance = task["Instances"][0]
    row = Row("x", "Do it.", instance["input"], instance["output"][0])
    evaluation_data = open_evaluation_data(Config(eval=EvalConfig(user_oriented="builtin:tiny")))
    assert find_overlaps([row], evaluation_data, ContaminationConfig(rouge_l_threshold=1.0))[0] is not None


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
    assert assets.training_tasks(TASKS) == TRAINING_TASKS
