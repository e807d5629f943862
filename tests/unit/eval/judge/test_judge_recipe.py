"""`selfinstruct judge` from end to end: a judge behind a server, files and report; one line where it cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from selfinstruct_eval.examples import ExampleSet
from selfinstruct_eval.scores import evaluate_predictions, to_json
from selfinstruct_eval.tasks import load_sets
from selfinstruct_train.config import EvalConfig
from selfinstruct_train.core.storage import write_json
from tests.support.cli import run_cli
from tests.support.judge_server import JudgeServer
from tests.support.judges import mostly_knows, world
from tests.support.ni_tasks import ni_task
from tests.support.paths import ROOT


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    server = JudgeServer(mostly_knows)
    yield server
    server.stop()


@pytest.fixture
def config_file(run_with_answers, add_answers, write_tasks, tmp_path) -> Path:
    """A run that is evaluated on two sets, both of them small."""
    folder = write_tasks(task1_animal=ni_task())
    tasks = load_sets(EvalConfig(tasks=str(folder)))["tasks"]
    add_answers("tasks", tasks, world(tasks))
    examples = load_sets(EvalConfig(tasks=str(folder), user_oriented="builtin:tiny"))
    scores = [
        to_json(evaluate_predictions(ExampleSet(name, "", examples[name]), world(examples[name]), 1, 50))
        for name in ("tasks", "user_oriented")
    ]
    write_json(run_with_answers / "eval/scores.json", scores)
    config = {
        "run_dir": str(run_with_answers),
        "train": {"mixtures": ["seeds", "seeds+generated"]},
        "eval": {"tasks": str(folder), "user_oriented": "builtin:tiny", "bootstrap_samples": 100},
    }
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


def test_a_judge_behind_a_server_grades_a_run_once_and_the_report_tells(config_file, run_with_answers, server):
    http = ["--judge.model.path", "judge-8b", "--judge.model.backend", "http"]
    http += ["--judge.model.server.base_urls", json.dumps([server.url])]
    done = run_cli("judge", config_file, *http)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:6] == ["grades", "A", "B", "C", "D", "unread"]
    assert any(line.strip() == "better than base" for line in lines)
    figures = json.loads((run_with_answers / "eval/judge.json").read_text())
    assert figures["lm"].startswith("judge-8b@served http")
    assert figures["pairwise"]["systems"]["seeds+generated"]["verdict"] == "better"
    assert str(run_with_answers / "eval/judgments.jsonl") in lines
    assert str(run_with_answers / "report.html") in lines
    assert "judge-8b" in (run_with_answers / "report.html").read_text()
    num_asked = server.num_asked
    assert num_asked > 200
    again = run_cli("judge", config_file, *http)
    assert again.returncode == 0 and again.stdout == done.stdout
    assert server.num_asked == num_asked


def test_the_tiny_model_is_no_judge_and_says_so_in_one_line(config_file, run_with_answers):
    tiny = ROOT / "selfinstruct_train/assets/models/tiny"
    done = run_cli(
        "judge", config_file, "--judge.model.path", str(tiny), "--judge.chat", "false", "--judge.max_examples", "4"
    )
    error = done.error()
    assert error.startswith("error: none of 12 replies of ") and "is a grade; the first is" in error
    assert not (run_with_answers / "eval/judge.json").exists()


def test_a_run_without_a_judge_is_one_line(config_file, run_with_answers):
    done = run_cli("judge", config_file)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "error: judge.model.path names no model; give the language model that is to judge"
    )
    assert not (run_with_answers / "journal").exists()
