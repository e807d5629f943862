"""Rows as Muennighoff/natural-instructions has them, in a local folder of parquet: load_dataset reads both alike."""

import json
from pathlib import Path

import pytest

from selfinstruct_train.sources.natural_instructions import OFFICIAL_NUMBERS, open_tasks


def row(task="task1_a", id="task1-0", definition="Name the animal.", inputs="A cow eats.", targets="cow", **other):
    return {"task_name": task, "id": id, "definition": definition, "inputs": inputs, "targets": targets, **other}


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    def write(**splits: list[dict[str, object]]) -> str:
        root = tmp_path / "rows"
        for split, rows in splits.items():
            datasets.Dataset.from_list(rows).to_parquet(root / f"{split}.parquet")
        return f"hub:{root}"

    return write


def test_rows_of_one_id_are_references_of_one_instance(dataset):
    rows = [
        row(),
        row(targets="the cow"),
        row(id="task1-1", inputs="A hen.", targets="hen"),
        row(task="task2_b", id="b"),
    ]
    tasks = open_tasks(dataset(test=rows, train=[row(task="task3_c")]))
    assert tasks.split("default") == tasks.split("test") == ["task1_a", "task2_b"]
    assert tasks.split("default", "train") == ["task3_c"]
    assert tasks.read("task1_a") == {
        "Definition": ["Name the animal."],
        "Categories": [""],
        "Instances": [
            {"id": "task1-0", "input": "A cow eats.", "output": ["cow", "the cow"]},
            {"id": "task1-1", "input": "A hen.", "output": ["hen"]},
        ],
    }
    assert tasks.read("task3_c")["Instances"][0]["output"] == ["cow"]


def test_a_task_in_several_splits_is_read_from_the_one_that_was_asked_for(dataset):
    source = dataset(train=[row(id="seen")], validation=[row(id="new")])
    tasks = open_tasks(source)
    assert tasks.split("validation") == ["task1_a"]
    assert [instance["id"] for instance in tasks.read("task1_a")["Instances"]] == ["new"]


def test_one_file_of_json_lines_a_task_is_read_too(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    for split, task in (("test", "task1_a"), ("test", "task2_b"), ("train", "task3_c")):
        (tmp_path / "rows" / split).mkdir(parents=True, exist_ok=True)
        (tmp_path / "rows" / split / f"{task}.jsonl").write_text(json.dumps(row(task)) + "\n")
    tasks = open_tasks(f"hub:{tmp_path}/rows")
    assert (tasks.split("default"), tasks.split("default", "train")) == (["task1_a", "task2_b"], ["task3_c"])


def test_its_test_tasks_must_be_the_official_ones_under_their_name(dataset):
    numbers = sorted(OFFICIAL_NUMBERS["default"])
    source = dataset(test=[row(task=f"task{n}_x", id=str(n)) for n in numbers[:-1]])
    with pytest.raises(ValueError, match=r"118 tasks, but the official split 'default' has 119 \(it lacks task1728\)"):
        open_tasks(source).split("default")
    assert len(open_tasks(source).split("test")) == 118


def test_what_a_dataset_lacks_is_told_in_one_line(dataset, tmp_path):
    tasks = open_tasks(dataset(test=[row()]))
    with pytest.raises(ValueError, match=r"has no split 'xlingual'; eval.split may be: default, test$"):
        tasks.split("xlingual")
    with pytest.raises(ValueError, match=r"has no split 'train'; it has: test$"):
        tasks.split("default", "train")
    with pytest.raises(ValueError, match=r"rows: task9_z: no row has this task_name"):
        tasks.read("task9_z")
    with pytest.raises(
        ValueError, match=r"its split 'test' lacks the columns definition, targets; it has task_name, id"
    ):
        open_tasks(dataset(test=[{"task_name": "t", "id": "0", "inputs": "x"}]))
    with pytest.raises(ValueError, match=r"^hub:.*nowhere: cannot be loaded \(\w+: ") as error:
        open_tasks(f"hub:{tmp_path}/nowhere")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (row(definition="Else."), r"task1_a: its rows have two definitions \(id 'task1-0'\)"),
        (row(inputs="Else."), r"task1_a: its rows have two inputs of one id"),
        (row(targets=None), r"task1_a: targets is None in a row, where text must be"),
    ],
)
def test_rows_that_contradict_one_another_are_refused(dataset, other, message):
    with pytest.raises(ValueError, match=message):
        open_tasks(dataset(test=[row(), other])).read("task1_a")
