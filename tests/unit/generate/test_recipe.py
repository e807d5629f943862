"""`selfinstruct generate`: what the user can mend is one line and exit code 2, before a model is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import Done, run_cli


def generate(tmp_path: Path, *args: str) -> Done:
    config = tmp_path / "run.yaml"
    config.write_text(f"run_dir: {tmp_path / 'run'}\nmodel: {{path: {tmp_path / 'no-model'}}}\n")
    return run_cli("generate", config, *args)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--generate.seed_tasks", "absent.jsonl"], "absent.jsonl: no such seed file"),
        (["--generate.seed_tasks", "{folder}/broken.jsonl"], "broken.jsonl:1: not JSON"),
        (["--generate.seed_tasks", "{folder}/empty.jsonl"], "empty.jsonl: holds no seed task"),
        (["--generate.seed_tasks", "{folder}/none.jsonl"], 'none.jsonl:1: "instances" is empty'),
        (["--generate.seed_tasks", "builtin:martian"], "'builtin:martian' is not built in"),
        (["--generate.seed_tasks", "{folder}/good.jsonl", "--generate.templates", "{folder}"], "no such template"),
        (["--generate.num_instrutions", "5"], "num_instructions"),
        (["--generate.num_instructions", "many"], "num_instructions"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2_before_anything_costly(
    tmp_path: Path, args: list[str], message: str
) -> None:
    good = {"id": "a", "instruction": "Add.", "is_classification": False, "instances": [{"input": "", "output": "x"}]}
    (tmp_path / "good.jsonl").write_text(json.dumps(good))
    (tmp_path / "broken.jsonl").write_text('{"id": ')
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "none.jsonl").write_text(json.dumps({**good, "instances": []}))
    assert message in generate(tmp_path, *(a.replace("{folder}", str(tmp_path)) for a in args)).error()


def test_help_names_the_settings_and_asks_for_no_model(tmp_path: Path) -> None:
    result = generate(tmp_path, "--help")
    assert result.returncode == 0
    assert "--generate.num_instructions" in result.stdout
