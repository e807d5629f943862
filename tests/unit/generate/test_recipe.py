"""recipes/generate.py: what the user can mend is one line and exit code 2, before a model is loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT


def recipe(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    config = tmp_path / "run.yaml"
    config.write_text(f"run_dir: {tmp_path / 'run'}\nmodel: {{path: {tmp_path / 'no-model'}}}\n")
    return subprocess.run(
        [sys.executable, str(ROOT / "recipes/generate.py"), "--config", str(config), *args],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        check=False,
        timeout=120,
    )


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
    result = recipe(tmp_path, *(a.replace("{folder}", str(tmp_path)) for a in args))
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert result.returncode == 2, result.stderr
    assert len(errors) == 1 and message in errors[0]
    assert "Traceback" not in result.stderr


def test_help_answers_without_loading_anything_heavy(tmp_path: Path) -> None:
    start = time.monotonic()
    result = recipe(tmp_path, "--help")
    assert result.returncode == 0
    assert "--generate.num_instructions" in result.stdout
    assert time.monotonic() - start < 5  # half a second on an idle machine
