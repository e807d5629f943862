"""Rows of any dataset: what is filled in, what is refused, and that written rows come back."""

import json

import pytest

from selfinstruct_train.config import Config
from selfinstruct_train.dataset.rows import find_dataset, read_rows, run_dataset, write_rows

BARE = [
    {"instruction": "Add one.", "input": "1", "output": "2"},
    {"instruction": "Name a fruit.", "input": None, "output": "pear"},
    {"instruction": "Add one.", "input": "4", "output": "5", "unknown": [1]},
]


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_what_a_file_does_not_say_is_filled_in(tmp_path):
    rows = read_rows(write(tmp_path / "rows.jsonl", BARE))
    assert [row.id for row in rows] == ["row-0", "row-1", "row-2"]
    assert [row.instruction_id for row in rows] == ["row-0", "row-1", "row-0"]
    assert [row.input for row in rows] == ["1", "", "4"]
    assert {(row.source, row.is_classification, row.parents, row.request_id) for row in rows} == {
        ("generated", False, (), "")
    }


def test_written_rows_come_back_the_same(tmp_path):
    told = {"id": "a-0", "instruction_id": "a", "source": "seed", "is_classification": True, "parents": ["s1", "s2"]}
    rows = read_rows(write(tmp_path / "rows.jsonl", [{**BARE[0], **told}, BARE[1]]))
    assert (rows[0].id, rows[0].instruction_id, rows[0].source, rows[0].parents) == ("a-0", "a", "seed", ("s1", "s2"))
    path = write_rows(tmp_path / "out", rows)
    assert path == tmp_path / "out" / "train.parquet"
    assert read_rows(tmp_path / "out") == read_rows(path) == rows


def test_json_and_parquet_are_read_like_jsonl(tmp_path):
    (tmp_path / "rows.json").write_text(json.dumps(BARE))
    assert read_rows(tmp_path / "rows.json") == read_rows(write(tmp_path / "rows.jsonl", BARE))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"id": 3}, r"rows.jsonl:2: 'id' is 3; it must be a string, not empty"),
        ({"id": "row-0"}, r"rows.jsonl:2: id 'row-0' has a row already"),
        ({"source": "web"}, r"""rows.jsonl:2: 'source' is 'web'; it must be "seed" or "generated"$"""),
        ({"is_classification": 1}, r"rows.jsonl:2: 'is_classification' is 1; it must be true or false"),
        ({"parents": "s1"}, r"rows.jsonl:2: 'parents' is 's1'; it must be a list of strings"),
        ({"output": None}, r"rows.jsonl:2: 'output' is None; it must be a string"),
        ({"output": "2\ud800"}, r"rows.jsonl:2: 'output' holds half a surrogate pair, which is no text; mend the row"),
    ],
)
def test_a_broken_row_is_named_with_its_line(tmp_path, record, message):
    with pytest.raises(ValueError, match=message):
        read_rows(write(tmp_path / "rows.jsonl", [BARE[0], {**BARE[1], **record}]))


def test_prompt_and_completion_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"rows.jsonl:1: column 'instruction' is missing"):
        read_rows(write(tmp_path / "rows.jsonl", [{"prompt": "a", "completion": "b"}]))


def test_a_missing_or_empty_dataset_says_what_to_do(tmp_path):
    config = Config(run_dir=str(tmp_path))
    assert run_dataset(config) == tmp_path / "dataset"
    with pytest.raises(
        ValueError, match=r"dataset: no dataset there; run `selfinstruct generate` first, or set relabel"
    ):
        find_dataset(config, "relabel.dataset", None)
    with pytest.raises(ValueError, match=r"no.jsonl: no dataset there; mend relabel.dataset"):
        find_dataset(config, "relabel.dataset", str(tmp_path / "no.jsonl"))
    with pytest.raises(ValueError, match=r"no.jsonl: no such file or folder"):
        read_rows(tmp_path / "no.jsonl")
    with pytest.raises(ValueError, match=r"rows.jsonl: holds no row"):
        read_rows(write(tmp_path / "rows.jsonl", []))
