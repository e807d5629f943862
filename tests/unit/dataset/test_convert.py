"""Other people's instruction data as rows: who gets in, who never does, how many of each, always the same."""

import json
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from selfinstruct_train.dataset.convert import convert_p3, convert_superni, write_converted
from selfinstruct_train.dataset.origin import read_origin
from selfinstruct_train.dataset.rows import read_rows
from selfinstruct_train.sources.natural_instructions import OFFICIAL_NUMBERS
from tests.support.cli import run_cli
from tests.support.paths import ROOT

SHARED = ROOT.parent / "shared" / "data"


def task(number: int, **changes) -> dict:
    instances = [{"id": f"i{n}", "input": f"in {n}", "output": [f"out {n}"]} for n in range(number)]
    examples = [{"input": "a", "output": "b", "explanation": ""}, {"input": "c", "output": "d", "explanation": ""}]
    plain = {"Definition": ["Do it."], "Categories": ["Doing"], "Positive Examples": examples, "Instances": instances}
    return plain | changes


@pytest.fixture
def tasks(tmp_path):
    """Write tasks and a split's lists: tasks({name: content}, train=[...], test=[...]) -> folder."""

    def write(contents: dict, split: str = "mine", **lists) -> str:
        root = tmp_path / "ni"
        for name, content in contents.items():
            path = root / "tasks" / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")
        for part, names in lists.items():
            path = root / "splits" / split / f"{part}_tasks.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        return str(root)

    return write


def jsonl(path: Path, rows: list[dict]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def sizes(converted) -> dict[str, int]:
    return dict(Counter(row.id.rpartition("-")[0] for row in converted.rows))


def test_a_row_is_an_instance_written_by_people(tasks):
    source = tasks({"a": task(1), "t": task(1)}, train=["a"], test=["t"])
    (row,) = convert_superni(source, "mine").rows
    assert (row.id, row.instruction, row.input, row.output) == ("a-0", "Do it.", "in 0", "out 0")
    assert (row.source, row.instruction_id, row.parents, row.is_classification) == ("seed", "a-0", (), False)


def test_draws_are_balanced_and_small_tasks_leave_their_share_to_large_ones(tasks):
    source = tasks({"a": task(2), "b": task(50), "c": task(50), "t": task(1)}, train=["a", "b", "c"], test=["t"])
    assert sizes(convert_superni(source, "mine", max_rows=20)) == {"a": 2, "b": 9, "c": 9}
    assert sizes(convert_superni(source, "mine", max_rows=3)) == {"a": 1, "b": 1, "c": 1}
    assert sizes(convert_superni(source, "mine", max_per_task=5)) == {"a": 2, "b": 5, "c": 5}
    assert sizes(convert_superni(source, "mine")) == {"a": 2, "b": 50, "c": 50}


def test_every_instance_is_as_likely_as_any_other(tasks):
    source = tasks({"a": task(6), "t": task(1)}, train=["a"], test=["t"])
    drawn = Counter(
        row.id for seed in range(600) for row in convert_superni(source, "mine", max_rows=2, seed=seed).rows
    )
    assert sorted(drawn) == [f"a-{n}" for n in range(6)]
    # 200 expected of each, standard deviation 11.5 (600 draws at 1/3): five of them
    assert all(142 < count < 258 for count in drawn.values()), drawn


def test_the_same_seed_gives_the_same_file_and_another_seed_another(tasks, tmp_path):
    outputs = ["x", "y", "z"]
    instances = [{"id": f"i{n}", "input": f"in {n}", "output": outputs} for n in range(40)]
    source = tasks({"a": task(0, Instances=instances), "t": task(1)}, train=["a"], test=["t"])

    def content(folder: str, seed: int) -> bytes:
        write_converted(tmp_path / folder, convert_superni(source, "mine", max_rows=20, seed=seed))
        return (tmp_path / folder / "train.parquet").read_bytes()

    assert content("one", 1) == content("two", 1)
    assert content("one", 1) != content("three", 2)
    assert {row.output for row in read_rows(tmp_path / "one")} == {"x", "y", "z"}  # a reference is drawn


def test_worked_examples_follow_the_definition(tasks):
    source = tasks({"a": task(1), "t": task(1)}, train=["a"], test=["t"])
    (row,) = convert_superni(source, "mine", num_positive_examples=1).rows
    assert row.instruction == "Do it.\n\nPositive Example 1\nInput: a\nOutput: b"


def test_a_test_task_never_gets_in(tasks):
    source = tasks({"a": task(1), "t": task(1)}, train=["a", "t"], test=["t"])
    with pytest.raises(ValueError, match="t is a test task too"):
        convert_superni(source, "mine")
    with pytest.raises(
        ValueError, match="1 of 1 tasks are test tasks, the first t; what is evaluated may not be trained on"
    ):
        convert_superni(source, "mine", part="test")


def test_a_test_task_is_known_by_its_number(tasks):
    contents = {"task900_b": task(1), "task901_c": task(1), "task901_renamed": task(1)}
    source = tasks(contents, train=["task900_b", "task901_renamed"], test=["task901_c"])
    with pytest.raises(ValueError, match="1 of 2 tasks are test tasks, the first task901_renamed"):
        convert_superni(source, "mine")


def test_a_split_of_ones_own_may_not_train_on_an_official_test_task(tasks):
    contents = {"task033_a": task(1), "task901_c": task(1)}  # 33 is one of the 119
    with pytest.raises(ValueError, match="1 of 1 tasks are test tasks, the first task033_a"):
        convert_superni(tasks(contents, train=["task033_a"], test=["task901_c"]), "mine")


def test_english_test_tasks_among_the_cross_lingual_training_tasks_are_said(tasks, caplog):
    names = [f"task{n}_x" for n in sorted(OFFICIAL_NUMBERS["xlingual"])]
    contents = {name: task(1) for name in [*names, "task033_a", "task900_b"]}
    source = tasks(contents, "xlingual", train=["task900_b", "task033_a"], test=names)
    assert len(convert_superni(source, "xlingual").rows) == 2
    assert "1 training tasks of split 'xlingual' are test tasks of the English one, the first task033_a" in caplog.text


def test_a_packed_tar_is_not_gone_through_for_each_task(tasks, tmp_path, monkeypatch):
    names = [f"x{n}" for n in range(9)]
    source = tasks({name: task(1) for name in [*names, "t"]}, train=names, test=["t"])
    with tarfile.open(tmp_path / "ni.tar.gz", "w:gz") as packed:
        packed.add(source, "ni")
    opened = []
    original = tarfile.open
    monkeypatch.setattr(tarfile, "open", lambda path: opened.append(path) or original(path))
    assert len(convert_superni(str(tmp_path / "ni.tar.gz"), "mine").rows) == 9
    assert len(opened) == 3  # the lists, the test tasks, the training tasks


def test_without_a_list_of_test_tasks_nothing_is_converted(tasks):
    with pytest.raises(ValueError, match="test_tasks.txt"):
        convert_superni(tasks({"a": task(1)}, train=["a"]), "mine")


def test_fewer_rows_than_tasks_are_refused(tasks):
    source = tasks({"a": task(1), "b": task(1), "t": task(1)}, train=["a", "b"], test=["t"])
    with pytest.raises(ValueError, match="--max-rows is 1, but there are 2 tasks"):
        convert_superni(source, "mine", max_rows=1)
    with pytest.raises(ValueError, match="--max-rows is 0"):
        convert_superni(source, "mine", max_rows=0)


def test_p3_prompts_become_instructions_without_input(tmp_path):
    rows = [
        {
            "inputs_pretokenized": "Is it?\nYes or no\n",
            "targets_pretokenized": "\nYes",
            "inputs": [1, 2],
            "targets": [3],
        },
        {"inputs_pretokenized": "Is it?", "targets_pretokenized": "No", "is_correct": False},
        {"inputs_pretokenized": "Is it?", "targets_pretokenized": "  "},
    ]
    converted = convert_p3([jsonl(tmp_path / "ag_news.jsonl", rows)])
    (row,) = converted.rows
    assert (row.id, row.instruction, row.input, row.output) == ("ag_news-0", "Is it?\nYes or no", "", "Yes")
    assert row.source == "seed"
    assert (converted.num_read, converted.skipped) == (3, {"empty": 1, "wrong answer choice": 1})
    assert converted.origin.license == "other"


@pytest.mark.parametrize(
    "record",
    [{"inputs": "Say hi.", "targets": "hi"}, {"prompt": "Say hi.\n", "completion": "hi<|endoftext|>"}],
    ids=["promptsource", "released finetuning files"],
)
def test_prompts_of_other_forms_are_read_too(tmp_path, record):
    (row,) = convert_p3([jsonl(tmp_path / "x.jsonl", [record])]).rows
    assert (row.instruction, row.input, row.output) == ("Say hi.", "", "hi")


def test_p3_draws_are_balanced_over_files_and_parquet_is_read(tmp_path):
    import pyarrow
    import pyarrow.parquet

    for name, number in (("few", 2), ("many", 30)):
        rows = [{"inputs": f"{name} {n}?", "targets": "x", "weight": 1.0} for n in range(number)]
        path = tmp_path / "p3" / "set" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert sizes(convert_p3([str(tmp_path / "p3")], max_rows=10)) == {"set/few": 2, "set/many": 8}


def test_hub_configurations_are_tasks(monkeypatch):
    import datasets

    asked = []

    def load(path, name, split, revision):
        asked.append((path, name, split, revision))
        return datasets.Dataset.from_list([{"inputs_pretokenized": "Q", "targets_pretokenized": "A", "inputs": [1]}])

    monkeypatch.setattr(datasets, "load_dataset", load)
    converted = convert_p3(["hub:bigscience/P3:ag_news_classify@abc", "hub:owner/plain"])
    assert asked == [("bigscience/P3", "ag_news_classify", "train", "abc"), ("owner/plain", None, "train", None)]
    assert [row.id for row in converted.rows] == ["ag_news_classify-0", "plain-0"]


def test_a_dataset_with_a_loading_script_is_read_from_the_hubs_own_copy(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    for name in ("p3", "other"):  # laid out as that branch is
        rows = datasets.Dataset.from_list([{"prompt": f"of {name}", "completion": "A"}])
        rows.to_parquet(tmp_path / "copy" / name / "train" / "0000.parquet")
    (row,) = convert_p3([f"hub:{tmp_path}/copy:p3@refs/convert/parquet"]).rows
    assert (row.id, row.instruction) == ("p3-0", "of p3")

    (tmp_path / "script").mkdir()
    (tmp_path / "script/script.py").write_text("")
    with pytest.raises(ValueError, match=r"name the Hub's own copy: hub:.*script:p3@refs/convert/parquet$") as error:
        convert_p3([f"hub:{tmp_path}/script:p3"])
    assert "\n" not in str(error.value)


def test_rows_of_tk_instruct_need_the_list_of_test_tasks(tmp_path):
    row = {
        "Task": "task900_b",
        "Definition": ["Do."],
        "Positive Examples": [],
        "Instance": {"input": "i", "output": ["o"]},
    }
    path = jsonl(tmp_path / "train.jsonl", [row])
    with pytest.raises(ValueError, match=r"train.jsonl:1: a row of the task task900_b; name the list of test tasks"):
        convert_p3([path])
    (tmp_path / "test_tasks.txt").write_text("task901_c\n", encoding="utf-8")
    (converted,) = convert_p3([path], test_tasks=str(tmp_path / "test_tasks.txt")).rows
    assert (converted.id, converted.instruction, converted.input, converted.output) == ("task900_b-0", "Do.", "i", "o")
    (tmp_path / "test_tasks.txt").write_text("task900_renamed\n", encoding="utf-8")
    with pytest.raises(ValueError, match="task900_b is a test task"):
        convert_p3([path], test_tasks=str(tmp_path / "test_tasks.txt"))
    (tmp_path / "test_tasks.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match="test_tasks.txt: the file is empty"):
        convert_p3([path], test_tasks=str(tmp_path / "test_tasks.txt"))
    (tmp_path / "test_tasks.txt").write_bytes(b"task900_b\xff\n")
    with pytest.raises(
        ValueError, match=r"test_tasks.txt: not UTF-8 text \(invalid start byte at byte 9\); --test-tasks"
    ):
        convert_p3([path], test_tasks=str(tmp_path / "test_tasks.txt"))
    with pytest.raises(ValueError, match=rf"^{tmp_path}: a folder; --test-tasks names a list"):
        convert_p3([path], test_tasks=str(tmp_path))


def test_worked_examples_are_not_left_out_in_silence(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    for split, task_name in (("train", "task900_b"), ("test", "task901_c")):
        row = {"task_name": task_name, "id": split, "definition": "Do it.", "inputs": "i", "targets": "o"}
        datasets.Dataset.from_list([row]).to_parquet(tmp_path / "rows" / f"{split}.parquet")
    source = f"hub:{tmp_path}/rows"
    assert [row.id for row in convert_superni(source).rows] == ["task900_b-0"]
    with pytest.raises(ValueError, match="its rows have no worked examples; set --num-positive-examples to 0"):
        convert_superni(source, num_positive_examples=1)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "Q"}, "x.jsonl:1: it has question; expected inputs_pretokenized and targets_pretokenized, or"),
        ({"inputs": [1], "targets": "x"}, r"x.jsonl:1: 'inputs' is \[1\], where text must be"),
        ({"Definition": ["D"], "Instance": {"input": "i", "output": "o"}}, "where a list of texts must be"),
    ],
)
def test_a_row_of_another_form_is_told_with_its_place(tmp_path, row, said):
    with pytest.raises(ValueError, match=said):
        convert_p3([jsonl(tmp_path / "x.jsonl", [row])])


def test_the_official_tasks_stand_under_their_licence_and_keep_the_119_out(tasks):
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data")
    official = (SHARED / "natural_instructions/splits/default/test_tasks.txt").read_text(encoding="utf-8").split()
    real = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((SHARED / "natural_instructions/tasks").glob("*.json"))
    }
    train = [name for name in real if name not in official]
    assert (len(official), len(real), len(train)) == (119, 6, 4)
    source = tasks(dict.fromkeys(official, task(1)) | real, "default", test=official, train=train)
    converted = convert_superni(source)
    assert converted.num_tasks == 4
    assert len(converted.rows) == sum(len(real[name]["Instances"]) for name in train)
    assert converted.origin.license == "apache-2.0"
    first = real[train[0]]
    assert converted.rows[0].instruction == first["Definition"][0].strip()
    assert converted.rows[0].output in [text.strip() for text in first["Instances"][0]["output"]]
    tasks({}, "default", train=list(real))
    with pytest.raises(ValueError, match="is a test task too, listed in splits.default.test_tasks.txt"):
        convert_superni(source)


def test_the_command_converts_the_little_worlds_training_tasks(tmp_path):
    command = ["convert", "superni", "builtin:tiny", "--out", tmp_path / "out"]
    done = run_cli(*command, "--max-rows", "60")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("60 rows of 30 tasks; ")
    assert len(read_rows(tmp_path / "out")) == 60
    assert read_origin(tmp_path / "out").settings["max_rows"] == 60
    refused = run_cli(*command, "--part", "test")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "56 of 56 tasks are test tasks" in refused.stderr


def test_the_command_knows_the_parts_of_a_split_and_which_option_is_for_which_kind():
    superni, p3 = ("convert", "superni", "builtin:tiny", "--out", "nowhere"), ("convert", "p3", "a", "--out", "nowhere")
    assert "invalid choice: 'trian'" in run_cli(*superni, "--part", "trian").error()
    assert "--test-tasks is for p3; leave it out" in run_cli(*superni, "--test-tasks", "list").error()
    assert "--part is for superni; leave it out" in run_cli(*p3, "--part", "train").error()
    assert "superni takes one source, not 2" in run_cli("convert", "superni", "a", "b", "--out", "nowhere").error()
