"""A missing file of the paper's own material names the command that gets it, wherever it is missed."""

import pytest

from selfinstruct_eval.tasks import load_user_oriented
from selfinstruct_train.core.paper_material import how_to_get
from selfinstruct_train.generate.seeds import read_seed_tasks
from selfinstruct_train.generate.self_instruct.prompts import read_templates
from selfinstruct_train.sources.natural_instructions.source import open_tasks


def test_the_command_names_the_data_folder_where_it_is_another_one():
    assert how_to_get("data/self-instruct/seed_tasks.jsonl") == "`selfinstruct data` gets it"
    assert how_to_get("data/natural-instructions") == "`selfinstruct data` gets it"
    assert how_to_get("/big/disk/self-instruct/templates") == "`selfinstruct data --data /big/disk` gets it"
    assert how_to_get("my_seeds.jsonl") == ""
    assert how_to_get("/home/u/self-instruct/my_seeds.jsonl") == ""
    assert how_to_get("runs/natural-instructions/templates/input_first.txt") == ""
    assert how_to_get("/home/u/My Data/self-instruct") == "`selfinstruct data --data '/home/u/My Data'` gets it"


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
