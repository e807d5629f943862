"""What `selfinstruct data` leaves: the real files that are at hand, and a little mirror in place of the rest."""

from __future__ import annotations

import hashlib
import json

import pytest

from selfinstruct_train.generate.seeds import read_seed_tasks
from selfinstruct_train.generate.self_instruct.prompts import classification_prompt, instance_prompt, read_templates
from selfinstruct_train.sources import official
from selfinstruct_train.sources.fetch import Folders
from tests.support.cli import run_cli

# of the same shape as the released files, in our own words
CLASSIFICATION = "template_1 = '''Has this task a few labels?\n\nTask: Name it.\nIs it classification? No\n\nTask:'''\n"
INSTANCES = (
    "import os\n\n"
    "output_first_template_for_clf = '''Label first.\n\nTask: \"A\" or 'B'?\nClass label: A\n\nTask:'''\n\n"
    "input_first_template_for_gen = '''Input first.\n\nTask: Say 85\\u00b0.\nOutput: é\n\nTask:'''\nos.abort()\n"
)


def test_what_is_fetched_is_written_down_file_by_file():
    files = official.self_instruct_files()
    assert len(files) == 12
    assert len({file.path for file in files}) == 12
    assert all(file.sha256 and len(file.sha256) == 64 for file in files)
    assert files[0].origin == ("yizhongw/self-instruct/0b26ccaa415992100fa32df62d41b994cf928e23/data/seed_tasks.jsonl")
    assert official.split_file().origin == (
        "allenai/natural-instructions/b00871c954282e35d14de77c546918ee8b9d90da/splits/default/test_tasks.txt"
    )


def test_the_official_split_asks_for_119_tasks(shared_data):
    split = (shared_data / "natural_instructions/splits/default/test_tasks.txt").read_text()
    assert hashlib.sha256(split.encode()).hexdigest() == official.split_file().sha256
    files = official.task_files(split)
    assert len(files) == 119
    assert "natural-instructions/tasks/task033_winogrande_answer_generation.json" in {f.path for f in files}


def test_a_split_that_does_not_list_them_all_is_one_line():
    with pytest.raises(ValueError, match=r"splits/default/test_tasks.txt lists 2 tasks, not 119; delete it"):
        official.task_files("task001_one\n\ntask002_two\n")


def test_templates_are_read_and_not_run_and_make_the_released_prompts(tmp_path):
    sources = {"clf_task_template.py": CLASSIFICATION, "instance_gen_template.py": INSTANCES}
    texts = official.extract_templates(sources)
    assert texts["input_first"] == "Input first.\n\nTask: Say 85°.\nOutput: é\n\nTask:"
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text + "\n", encoding="utf-8")
    templates = read_templates(tmp_path)
    assert classification_prompt(templates, "Do it. ") == (
        "Has this task a few labels?\n\nTask: Name it.\nIs it classification? No\n\nTask: Do it.\nIs it classification?"
    )
    assert instance_prompt(templates, "Do it.", is_classification=True) == (
        "Label first.\n\nTask: \"A\" or 'B'?\nClass label: A\n\nTask: Do it.\n"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("template_2 = 'x'", r"clf_task_template\.py: assigns no string to template_1; it has template_2"),
        ("template_1 = open('x').read()", "assigns no string to template_1; it has none"),
        ("template_1 = '", r"clf_task_template\.py: not Python \(.* in line 1\)"),
    ],
)
def test_a_file_of_another_shape_is_told(source, message):
    with pytest.raises(ValueError, match=message):
        official.extract_templates({"clf_task_template.py": source, "instance_gen_template.py": INSTANCES})


def test_a_whole_checkout_gives_all_and_a_second_call_reads_nothing(tmp_path, monkeypatch):
    source = tmp_path / "checkout"
    contents = {
        "data/seed_tasks.jsonl": b'{"id": "seed_task_0"}\n',
        "self_instruct/templates/clf_task_template.py": CLASSIFICATION.encode(),
        "self_instruct/templates/instance_gen_template.py": INSTANCES.encode(),
        "splits/default/test_tasks.txt": b"task1\ntask2\n",
        "tasks/task1.json": json.dumps({"Definition": ["d"], "Instances": [{"input": "i"}]}).encode(),
        "tasks/task2.json": json.dumps({"Definition": ["d"], "Instances": [{"input": "i"}]}).encode(),
    }
    for name, content in contents.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    files = [f for f in official.self_instruct_files() if f.source in contents]
    files = [official.PinnedFile(f.path, f.repository, f.commit, f.source, sums[f.source]) for f in files]
    split = official.split_file()
    split = official.PinnedFile(split.path, split.repository, split.commit, split.source, sums[split.source])
    monkeypatch.setattr(official, "self_instruct_files", lambda: files)
    monkeypatch.setattr(official, "split_file", lambda: split)
    monkeypatch.setattr(official, "NUM_TEST_TASKS", 2)

    ready, lacking = official.get_official(tmp_path / "data", Folders([source]))
    assert lacking == []
    assert [str(path.relative_to(tmp_path / "data")) for path in ready] == [
        "self-instruct/seed_tasks.jsonl",
        "self-instruct/templates/classification.txt",
        "self-instruct/templates/input_first.txt",
        "self-instruct/templates/output_first.txt",
        "natural-instructions",
    ]
    assert len(list((tmp_path / "data/natural-instructions/tasks").iterdir())) == 2
    for path in source.rglob("*"):
        path.is_file() and path.write_bytes(b"nobody reads this")
    assert official.get_official(tmp_path / "data", Folders([source])) == (ready, [])

    (source / "tasks/task1.json").write_bytes(b"{}")
    (tmp_path / "data/natural-instructions/tasks/task1.json").unlink()
    with pytest.raises(ValueError, match=r"task1\.json is no Natural Instructions task with Definition and Instances"):
        official.get_official(tmp_path / "data", Folders([source]))


def test_the_command_takes_what_a_folder_has_and_says_what_it_lacks(shared_data, tmp_path):
    done = run_cli("data", "--data", tmp_path, "--from", shared_data)
    assert done.returncode == 2
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"error: 124 files are not in {shared_data}: self-instruct/templates/clf_task_template.py")
    assert "give the same command without --from to download them" in error
    done = run_cli("data", "--data", tmp_path, "--from", shared_data, "--partial")
    assert done.returncode == 0, done.stderr
    assert len(read_seed_tasks(tmp_path / "self-instruct/seed_tasks.jsonl")) == 175
    assert (tmp_path / "natural-instructions/tasks/task033_winogrande_answer_generation.json").is_file()
    assert f"missing: 124 files are not in {shared_data}: self-instruct/templates/" in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--from", "nowhere"], "nowhere: no such folder"),
        (["--from", "configs"], "none of the files is in configs"),
        (["--from", "configs", "--mirror", "http://127.0.0.1:9"], "--from and --mirror: give one of them"),
        (["--mirror", "127.0.0.1:9"], "--mirror 127.0.0.1:9: no http address"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_exit_code_2(args, message, tmp_path):
    done = run_cli("data", "--data", tmp_path, *args)
    errors = [line for line in done.stderr.replace("\r", "\n").splitlines() if line.startswith("error")]
    assert (done.returncode, len(errors)) == (2, 1)
    assert message in errors[0]
