import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from selfinstruct_eval.examples import Example
from selfinstruct_eval.tasks import load_sets, load_tasks, load_user_oriented
from selfinstruct_train.config import EvalConfig
from tests.support.ni_tasks import ni_task


def test_tasks_come_in_listed_order_with_their_first_instances(write_tasks: Callable[..., Path]):
    other = ni_task(Categories=["Labels"], Distance="far", Instances=[{"id": "b-0", "input": "x", "output": ["y"]}])
    root = write_tasks(task002_b=other, task001_a=ni_task())
    examples = load_tasks(str(root), max_instances=2)
    assert [e.id for e in examples] == ["b-0", "a-0", "a-1"]
    assert (examples[0].task, examples[0].category, examples[0].distance) == ("task002_b", "Labels", "far")
    assert examples[1].instruction == "Name the animal in the sentence."
    assert (examples[1].input, examples[1].references, examples[1].distance) == ("A cow eats.", ("cow", "the cow"), "")


def test_positive_examples_follow_the_definition(write_tasks: Callable[..., Path]):
    root = write_tasks(task001_a=ni_task())
    one = load_tasks(str(root), encoding=EvalConfig(num_positive_examples=1))[0].instruction
    assert one == "Name the animal in the sentence.\n\nPositive Example 1\nInput: A dog barks.\nOutput: dog"
    both = load_tasks(str(root), encoding=EvalConfig(num_positive_examples=5))[0].instruction
    assert both.count("Positive Example") == 2


def test_an_instance_without_an_id_is_named_after_its_task(write_tasks: Callable[..., Path]):
    root = write_tasks(task001_a=ni_task(Instances=[{"input": "x", "output": ["y"]}, {"input": "z", "output": ["y"]}]))
    assert [e.id for e in load_tasks(str(root))] == ["task001_a-0", "task001_a-1"]


BROKEN = {
    "not JSON": ("{", "not JSON"),
    "a list": ([1], "a list, where one JSON object must be"),
    "a seed task": ({"instruction": "x", "instances": []}, '"Definition" is missing; it has instruction, instances'),
    "no categories": (ni_task(Categories=[]), '"Categories" must be a list with at least one item'),
    "definition is text": (ni_task(Definition="Do it."), '"Definition" must be a list'),
    "blank definition": (ni_task(Definition=[" "]), '"Definition" must hold text'),
    "no instances": (ni_task(Instances=[]), '"Instances" must be a list with at least one item'),
    "an instance is text": (ni_task(Instances=["x"]), "instance 0 is a str, where an object"),
    "no reference": (ni_task(Instances=[{"id": "a", "input": "x", "output": []}]), "instance 0 has no reference"),
    "output is text": (
        ni_task(Instances=[{"id": "a", "input": "x", "output": "y"}]),
        '"output" must be a list of texts',
    ),
    "no input": (ni_task(Instances=[{"id": "a", "output": ["y"]}]), 'instance 0: "input" is missing'),
    "input is a number": (ni_task(Instances=[{"id": "a", "input": 3, "output": ["y"]}]), '"input" is 3, where text'),
    "half a character": (
        ni_task(Instances=[{"input": "\ud800" * 99, "output": ["y"]}]),
        r"is '\\ud800.{1,60}, where text",
    ),
    "half in an output": (
        ni_task(Instances=[{"input": "x", "output": ["\ud800"]}]),
        '"output" must be a list of texts',
    ),
    "endless number": ('{"Definition": ' + "9" * 5000 + "}", "not JSON"),
    "odd distance": (ni_task(Distance="middle"), "\"Distance\" is 'middle'"),
    "same id twice": (
        ni_task(Instances=[{"id": "a", "input": "x", "output": ["y"]}] * 2),
        "have the id 'a' \\(task001_a\\)",
    ),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_task_is_refused_in_one_line(write_tasks: Callable[..., Path], content, message):
    root = write_tasks(task001_a=content)
    with pytest.raises(ValueError, match=message) as error:
        load_tasks(str(root))
    assert str(root) in str(error.value) and "\n" not in str(error.value)


def test_missing_folder_split_and_task_are_named(write_tasks: Callable[..., Path], tmp_path: Path):
    root = write_tasks(task001_a=ni_task())
    with pytest.raises(ValueError, match="nowhere: no such folder"):
        load_tasks(str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=r"xlingual/test_tasks.txt: no such file; eval.split may be: default"):
        load_tasks(str(root), split="xlingual")
    (root / "tasks" / "task001_a.json").unlink()
    with pytest.raises(ValueError, match=r"task001_a.json: no such file, but splits/default/test_tasks.txt lists it"):
        load_tasks(str(root))
    (root / "splits" / "default" / "test_tasks.txt").write_text("t\nt\n")
    with pytest.raises(ValueError, match="lists 't' twice"):
        load_tasks(str(root))
    (root / "splits" / "default" / "test_tasks.txt").write_text("\n")
    with pytest.raises(ValueError, match="the file is empty"):
        load_tasks(str(root))
    with pytest.raises(ValueError, match="'builtin:big' is not built in; known: builtin:tiny"):
        load_tasks("builtin:big")


def test_a_dataset_of_the_hub_has_no_worked_examples_and_no_categories(tmp_path: Path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    row = {"task_name": "task1_a", "id": "0", "definition": "Name it. ", "inputs": "A cow.", "targets": "cow"}
    datasets.Dataset.from_list([row, {**row, "targets": "the cow"}]).to_parquet(tmp_path / "rows/test.parquet")
    source = f"hub:{tmp_path}/rows"
    assert load_tasks(source) == [Example("0", "task1_a", "", "Name it.", "A cow.", ("cow", "the cow"))]
    with pytest.raises(ValueError, match="its rows have no worked examples; set eval.num_positive_examples and"):
        load_tasks(source, encoding=EvalConfig(num_positive_examples=2))


def test_an_archive_is_evaluated_like_its_folder(shared_data: Path, tmp_path: Path):
    folder = shared_data / "natural_instructions"
    archive = shutil.make_archive(str(tmp_path / "ni"), "gztar", folder.parent, folder.name)
    assert load_tasks(archive, "real_subset") == load_tasks(str(folder), "real_subset")


def test_the_official_split_without_its_tasks_is_refused(shared_data: Path):
    with pytest.raises(ValueError, match="117 of the 119 tasks that splits/default/test_tasks.txt lists are missing"):
        load_tasks(str(shared_data / "natural_instructions"))


def user_line(**changes: object) -> str:
    row = {"id": "u0", "motivation_app": "Mail", "instruction": "Greet.", "instances": [{"input": "", "output": "Hi"}]}
    return json.dumps({**row, **changes})


def test_a_user_oriented_line_is_a_task_of_its_own(tmp_path: Path):
    file = tmp_path / "user.jsonl"
    two = [{"input": "a", "output": "b"}, {"input": "c", "output": "d"}]
    file.write_text(user_line() + "\n\n" + user_line(id="u1", instances=two) + "\n")
    examples = load_user_oriented(str(file))
    assert [(e.id, e.task, e.category) for e in examples] == [
        ("u0", "u0", "Mail"),
        ("u1-0", "u1", "Mail"),
        ("u1-1", "u1", "Mail"),
    ]
    assert (examples[0].instruction, examples[0].input, examples[0].references) == ("Greet.", "", ("Hi",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "user.jsonl: the file is empty"),
        (user_line() + "\n{", "user.jsonl:2: not JSON"),
        ("[]", "user.jsonl:1: a list, where each line must be a JSON object"),
        ('{"id": "x"}', 'user.jsonl:1: no user_oriented_instructions.jsonl line: "instruction" is missing'),
        (user_line(instances=[]), '"instances" must be a list with at least one'),
        (user_line(instances=[{"input": "x"}]), 'user.jsonl:1: "output" is missing'),
        (user_line() + "\n" + user_line(), "two instances have the id 'u0'"),
    ],
)
def test_a_broken_user_oriented_file_is_refused_in_one_line(tmp_path: Path, text, message):
    file = tmp_path / "user.jsonl"
    file.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        load_user_oriented(str(file))
    assert "\n" not in str(error.value)


def test_the_six_real_tasks_and_the_252_load(shared_data: Path):
    config = EvalConfig(
        tasks=str(shared_data / "natural_instructions"),
        split="real_subset",
        user_oriented=str(shared_data / "official" / "human_eval" / "user_oriented_instructions.jsonl"),
    )
    sets = load_sets(config)
    assert list(sets) == ["tasks", "user_oriented"]
    # 44 + 35 + 47 + 47 + 65 + 28 instances
    assert (len(sets["tasks"]), len({e.task for e in sets["tasks"]})) == (266, 6)
    assert (len(sets["user_oriented"]), sets["user_oriented"][0].category) == (252, "Grammarly")


def test_a_limit_per_task_cuts_each_task(shared_data: Path):
    examples = load_tasks(str(shared_data / "natural_instructions"), "real_subset", max_instances=10)
    assert len(examples) == 60


def test_the_official_split_lists_119_tasks(shared_data: Path):
    listed = (shared_data / "natural_instructions" / "splits" / "default" / "test_tasks.txt").read_text().split()
    assert len(set(listed)) == 119
