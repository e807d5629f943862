"""`selfinstruct scale`, `distill`, `baselines`: killed and given again, nothing is trained or asked twice."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.train_process import ENVIRONMENT, errors, kill_at

EXAMPLES = 3


@pytest.fixture
def run(base_folder, tmp_path) -> Path:
    """The config of a run that has a dataset of 4 seeds and 8 generated instructions; all in a folder with a space."""
    tmp_path = tmp_path / "my runs"
    colours, animals = ("red", "blue", "green"), ("cat", "dog", "cow", "hen")
    pairs = [(colour, animal) for colour in colours for animal in animals]
    rows = [
        {
            "id": f"r{number}",
            "instruction": f"Name the colour of the {animal}, number {number}.",
            "input": f"{colour} {animal}",
            "output": colour,
            "source": "seed" if number < 4 else "generated",
        }
        for number, (colour, animal) in enumerate(pairs)
    ]
    write_rows(tmp_path / "run/dataset/train.jsonl", rows)
    task = {
        "Definition": ["Name the animal."],
        "Categories": ["Extraction"],
        "Instances": [{"id": f"a{i}", "input": f"white {a}", "output": [a]} for i, a in enumerate(animals[:EXAMPLES])],
    }
    for path, text in {
        "ni/tasks/task001_a.json": json.dumps(task),
        "ni/splits/default/test_tasks.txt": "task001_a\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    settings = {
        "run_dir": str(tmp_path / "run"),
        "model": {"path": str(base_folder), "device": "cpu"},
        "generate": {"contamination": {"rouge_l_threshold": 1.0}},
        "train": {
            "learning_rate": 5e-3,
            "batch_size": 4,
            "per_device_batch_size": 4,
            "max_steps": 8,
            "save_steps": 2,
            "max_length": 128,
            "template": "fixed",
            "allow": ["stops", "repetition", "answers"],
        },
        "eval": {"tasks": str(tmp_path / "ni"), "sampling": {"max_new_tokens": 4}, "bootstrap_samples": 50},
        "experiment": {"sizes": [4, 12]},
    }
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.fixture
def launcher(tmp_path) -> str:
    """A launcher in a folder with a space, as --launch names it."""
    file = tmp_path / "my tools" / "launch"
    file.parent.mkdir()
    file.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    file.chmod(0o755)
    return shlex.quote(str(file))


def write_rows(file: Path, rows: list[dict]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def start(experiment: str, run: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "selfinstruct_train", experiment]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [*command, "--config", str(run), *arguments], env=os.environ | ENVIRONMENT, start_new_session=True, **pipes
    )


def finish(experiment: str, run: Path, *arguments: str) -> subprocess.CompletedProcess:
    process = start(experiment, run, *arguments)
    out, err = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def models(folder: Path) -> dict[str, tuple[int, int]]:
    """When the weights of each arm were written, and under which inode: another training would change both."""
    found = {}
    for file in sorted(folder.glob("arms/*/model/*/model.safetensors")):
        found[file.parents[2].name] = (file.stat().st_ino, file.stat().st_mtime_ns)
    return found


def test_a_killed_experiment_goes_on_and_trains_and_asks_nothing_twice(run, launcher):
    folder = run.parent / "run/scale"
    killed = start("scale", run, "--launch", launcher)
    kill_at(killed, folder / "arms/12 instructions/model/.training-seeds+generated/checkpoint-2")
    before = models(folder)
    assert list(before) == ["4 instructions"] and not (folder / "eval").exists()

    done = finish("scale", run)
    assert done.returncode == 0, done.stderr
    after = models(folder)
    assert list(after) == ["12 instructions", "4 instructions"]
    assert after["4 instructions"] == before["4 instructions"]
    assert "1 of 2: 4 instructions, 4 rows, was trained before" in done.stderr
    lines = done.stdout.splitlines()
    table = next(i for i, line in enumerate(lines) if line.startswith("test tasks: ROUGE-L of 3 examples of 1 task"))
    assert [line.split("  ")[0] for line in lines[table + 2 : table + 5]] == [
        "base",
        "4 instructions",
        "12 instructions",
    ]
    curve = json.loads((folder / "curve.json").read_text())["sets"][0]
    assert [(p["instructions"], p["instances"]) for p in curve["points"]] == [(4, 4), (12, 12)]
    assert curve["plateau"]["words"] in lines
    assert (folder / "report.html").is_file() and (folder / "curve.html").is_file()

    journals = {path.name: path.read_bytes() for path in (folder / "journal").glob("eval-*.jsonl")}
    assert len(journals) == 3  # the base and two arms
    for content in journals.values():
        ids = [json.loads(line)["id"] for line in content.splitlines()[1:]]
        assert len(ids) == len(set(ids)) == EXAMPLES

    # an arm of other data than the one it was trained on is told, and left alone
    rows = [json.loads(line) for line in (run.parent / "run/dataset/train.jsonl").read_text().splitlines()]
    write_rows(run.parent / "run/dataset/train.jsonl", [rows[0] | {"output": "pink"}, *rows[1:]])
    refused = finish("scale", run)
    assert (refused.returncode, len(errors(refused))) == (2, 1)
    assert "holds a model of another training (different: data_sha256)" in errors(refused)[0]
    assert models(folder) == after


@pytest.mark.parametrize(
    ("experiment", "arguments", "message"),
    [
        ("distill", [], "relabelled: no relabelled dataset there; run `selfinstruct relabel` first"),
        ("scale", ["--experiment.sizes", "[4, 13]"], "experiment.sizes names 13, but the dataset has 12 instructions"),
        (
            "scale",
            ["--run_dir", "/absent/run"],
            "/absent/run/dataset: no dataset there; run `selfinstruct generate` first",
        ),
        ("scale", ["--eval.tasks", "/absent/tasks"], "/absent/tasks"),
        ("baselines", ["--experiment.datasets", "{superni: /absent/rows}"], "/absent/rows: no dataset there"),
        ("scale", ["--experiment.datasets", "{GPT3+T0: x}"], "'GPT3+T0' is the name of a published system"),
    ],
)
def test_what_can_be_mended_is_one_line_before_anything_is_trained(run, experiment, arguments, message):
    done = finish(experiment, run, *arguments)
    assert done.returncode == 2 and len(errors(done)) == 1, done.stderr
    assert message in errors(done)[0]
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert not list(run.parent.glob("run/*/arms/*/model"))


def test_what_the_doctor_would_refuse_of_any_arm_is_told_before_the_first_is_trained(run):
    leaked = {"instruction": "What animal is it?", "input": "white cat", "output": "cat", "source": "seed"}
    write_rows(run.parent / "other.jsonl", [leaked] * 3)
    done = finish("baselines", run, "--experiment.datasets", f"{{other: {run.parent / 'other.jsonl'}}}")
    assert done.returncode == 2 and len(errors(done)) == 1, done.stderr
    assert "evaluation_data: other: rows overlap evaluation data" in errors(done)[0]
    assert "duplicates: other: rows equal to an earlier one" in errors(done)[0]
    assert not list(run.parent.glob("run/*/arms/*/model"))
