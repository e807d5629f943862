"""A missing file of the paper's own material names the command that gets it, wherever it is missed."""

from pathlib import Path

import pytest

from selfinstruct_eval.tasks import load_user_oriented
from selfinstruct_train.core.paper_material import how_to_get
from selfinstruct_train.generate.seeds import read_seed_tasks
from selfinstruct_train.generate.self_instruct.prompts import read_templates
from selfinstruct_train.sources.natural_instructions.source import open_tasks
from selfinstruct_train.sources.official import self_instruct_files, split_file


def test_the_command_names_the_data_folder_where_it_is_another_one():
    assert how_to_get("data/self-instruct/seed_tasks.jsonl") == "`selfinstruct data` gets it"
    assert how_to_get("data/natural-instructions") == "`selfinstruct data` gets it"
    assert how_to_get("/big/disk/self-instruct/templates") == "`selfinstruct data --data /big/disk` gets it"
    assert how_to_get("my_seeds.jsonl") == ""
    assert how_to_get("/home/u/self-instruct/my_seeds.jsonl") == ""
    assert how_to_get("data/self-instruct/human_eval/mine.jsonl") == ""
    assert how_to_get("data/self-instruct/human_eval") == "`selfinstruct data` gets it"
    assert how_to_get("runs/natural-instructions/templates/input_first.txt") == ""
    assert how_to_get("/home/u/My Data/self-instruct") == "`selfinstruct data --data '/home/u/My Data'` gets it"


def test_every_pinned_file_and_its_folder_has_the_remedy():
    files = [file.path for file in [*self_instruct_files(), split_file()]]
    assert len(files) == 13
    for path in [*files, "natural-instructions/tasks/task1.json", "self-instruct/templates/input_first.txt"]:
        for known in (Path("data", path), Path("data", path).parent):
            assert how_to_get(known) == "`selfinstruct data` gets it"


@pytest.mark.parametrize(
    ("read", "path", "also"),
    [
        (read_seed_tasks, "data/self-instruct/seed_tasks.jsonl", "or set generate.seed_tasks to a jsonl file"),
        (read_templates, "data/self-instruct/templates", "generate.templates must be a folder"),
        (open_tasks, "data/natural-instructions", "tasks are a folder that holds tasks/ and splits/"),
        (load_user_oriented, "data/self-instruct/human_eval/user_oriented_instructions.jsonl", "no such file"),
    ],
)
def test_whoever_misses_a_file_says_so(read, path, also, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="`selfinstruct data` gets it") as told:
        read(path)
    assert also in str(told.value)
    with pytest.raises(ValueError, match="no such") as told:
        read(path.replace("self-instruct", "own").replace("natural-instructions", "own"))
    assert "selfinstruct data" not in str(told.value)
