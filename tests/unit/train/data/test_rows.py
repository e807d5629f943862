"""Reading training rows: each kind of file, the mixtures, and one line for each kind of fault."""

import json
from dataclasses import replace

import pytest

from selfinstruct_train.config import Config, TrainConfig
from selfinstruct_train.core.records import Row
from selfinstruct_train.train.data.rows import read_training_rows

RECORDS = [
    {"instruction": "a", "input": "b", "output": "c", "source": "seed", "extra": 1},
    {"instruction": "d", "input": "", "output": "e", "source": "generated", "extra": 2},
]
ROWS = [Row("", "a", "b", "c", source="seed"), Row("", "d", "", "e", source="generated")]


def write(path, records=RECORDS):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(records))
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def read(path, mixture="seeds+generated"):
    return read_training_rows(Config(train=TrainConfig(dataset=str(path))), mixture)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.parquet"])
def test_each_kind_of_file_and_its_folder_give_the_same_rows(tmp_path, name):
    file = write(tmp_path / "data" / name)
    assert read(file) == read(tmp_path / "data") == ROWS


def test_the_runs_own_dataset_is_read_by_default(tmp_path):
    write(tmp_path / "dataset" / "train.parquet")
    assert read_training_rows(Config(run_dir=str(tmp_path)), "seeds+generated") == ROWS


def test_mixture_seeds_takes_seeds_only(tmp_path):
    assert read(write(tmp_path / "rows.jsonl"), "seeds") == ROWS[:1]


def test_an_input_of_null_is_an_empty_input(tmp_path):
    file = write(tmp_path / "rows.jsonl", [{"instruction": "a", "input": None, "output": "c"}])
    assert read(file) == [Row("", "a", "", "c")]


def test_hidden_files_of_a_folder_are_not_read(tmp_path):
    write(tmp_path / "rows.jsonl")
    write(tmp_path / ".cache" / "other.jsonl")
    assert read(tmp_path) == ROWS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"instruction": "a", "input": "b", "output": "c"}\n{"instruction": ', r"rows.jsonl:2: not JSON"),
        ("[1]\n", r"rows.jsonl:1: not an object"),
        ('{"instruction": "a", "input": "b"}\n', r"rows.jsonl:1: column 'output' is missing"),
        ('{"instruction": "a", "input": "b", "output": 3}\n', r"rows.jsonl:1: 'output' is 3; it must be a string"),
        ("\n\n", r"the dataset is empty"),
    ],
)
def test_a_broken_line_is_named(tmp_path, text, message):
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "rows.jsonl")


def test_a_missing_dataset_says_how_to_get_one(tmp_path):
    config = Config(run_dir=str(tmp_path))
    with pytest.raises(ValueError, match="run `selfinstruct generate` first"):
        read_training_rows(config, "seeds")
    with pytest.raises(ValueError, match="correct train.dataset"):
        read_training_rows(replace(config, train=TrainConfig(dataset=str(tmp_path / "no.jsonl"))), "seeds")


def test_unreadable_places_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no \.parquet, \.jsonl, \.json file in this folder"):
        read(tmp_path / "empty")
    (tmp_path / "rows.txt").write_text("x")
    with pytest.raises(ValueError, match=r"\.txt suffix"):
        read(tmp_path / "rows.txt")
    (tmp_path / "bad.parquet").write_text("x")
    with pytest.raises(ValueError, match=r"bad.parquet: cannot be read as parquet"):
        read(tmp_path / "bad.parquet")
    (tmp_path / "object.json").write_text("{}")
    with pytest.raises(ValueError, match="not a list of rows"):
        read(tmp_path / "object.json")
    with pytest.raises(ValueError, match="files of several kinds"):
        read(tmp_path)


def test_seeds_of_a_dataset_without_sources_are_refused(tmp_path):
    file = write(tmp_path / "rows.jsonl", [{"instruction": "a", "input": "b", "output": "c"}])
    with pytest.raises(ValueError, match='no row has source "seed"'):
        read(file, "seeds")
