"""Seed files: the released format is read, every fault is named with file and line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from selfinstruct_train.core.records import Pair, SeedTask
from selfinstruct_train.generate.seeds import read_seed_tasks

GOOD = {
    "id": "a",
    "name": "ignored",
    "instruction": "Add the numbers.",
    "instances": [{"input": "1 1", "output": "2"}, {"input": "", "output": "0"}],
    "is_classification": False,
}


def write(tmp_path: Path, *lines: str | dict) -> Path:
    path = tmp_path / "seeds.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_a_task_is_read_with_all_its_instances(tmp_path: Path) -> None:
    assert read_seed_tasks(write(tmp_path, GOOD)) == [
        SeedTask("a", "Add the numbers.", (Pair("1 1", "2"), Pair("", "0")), False)
    ]


def test_blank_lines_byte_order_mark_and_missing_last_newline_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf\r\n" + json.dumps(GOOD).encode() + b"\r\n\n" + json.dumps({**GOOD, "id": "b"}).encode()
    )
    assert [t.id for t in read_seed_tasks(path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "b", ', r"seeds.jsonl:2: not JSON .* at column"),
        ("[1, 2]", r"seeds.jsonl:2: a list where a JSON object is needed"),
        ({k: v for k, v in GOOD.items() if k != "instruction"}, r'seeds.jsonl:2: "instruction" is missing'),
        (
            {**GOOD, "id": "b", "instances": []},
            r'seeds.jsonl:2: "instances" is empty; each seed task needs at least one',
        ),
        ({**GOOD, "id": "b", "instances": "x"}, r"""seeds.jsonl:2: "instances" is 'x'; it must be a list"""),
        ({**GOOD, "id": "b", "instances": ["x"]}, r"seeds.jsonl:2: instance 1 is 'x'; it must be an object"),
        ({**GOOD, "id": "b", "instances": [{"input": "x"}]}, r'seeds.jsonl:2: instance 1: "output" is missing'),
        ({**GOOD, "id": "b", "instances": [{"input": 3, "output": "x"}]}, r'seeds.jsonl:2: instance 1: "input" is 3'),
        ({**GOOD, "id": "b", "instances": [{"input": "", "output": " "}]}, r'instance 1: "output" is empty'),
        ({**GOOD, "id": "b", "instruction": 5}, r'seeds.jsonl:2: "instruction" is 5; it must be a string'),
        ({**GOOD, "id": "b", "instruction": " "}, r'seeds.jsonl:2: "instruction" is empty'),
        ({**GOOD, "id": "b", "is_classification": "no"}, r"it must be true or false"),
        (GOOD, r"""seeds.jsonl:2: "id" 'a' stands in line 1 too"""),
    ],
)
def test_a_fault_is_one_line_that_names_file_and_line(tmp_path: Path, line: str | dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        read_seed_tasks(write(tmp_path, GOOD, line))
    assert "\n" not in str(error.value)


def test_text_that_is_not_utf_8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b'\n{"id": "caf\xe9"}\n')
    with pytest.raises(ValueError, match=r"seeds.jsonl:2: not UTF-8"):
        read_seed_tasks(path)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match="holds no seed task"):
        read_seed_tasks(path)


def test_an_absent_file_is_refused_with_the_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no such seed file; set generate\.seed_tasks"):
        read_seed_tasks(tmp_path / "absent.jsonl")


def test_the_official_file_holds_175_tasks_26_of_them_classification(shared_data: Path) -> None:
    path = shared_data / "official/seed_tasks.jsonl"
    digest = "7779004fa198fdf27cf70a159363879d8a26c53329e11b436af17b3941875f48"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    tasks = read_seed_tasks(path)
    assert (len(tasks), sum(t.is_classification for t in tasks)) == (175, 26)
