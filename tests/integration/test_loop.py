"""The whole loop on the built-in tiny model, as a user runs it: generate, train, evaluate, kill, resume, break."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.cli import Done, run_cli
from tests.support.paths import ROOT

SMALL = ["--generate.num_instructions", "40", "--generate.max_requests", "64", "--generate.requests_per_round", "16"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def words(verb: str, run_dir: Path, *options: str) -> list[str]:
    return [verb, "tiny", "--run_dir", str(run_dir), *SMALL, *options]


def start(verb: str, run_dir: Path, *options: str) -> subprocess.Popen:
    """Start the command as a process of its own that can be killed with all its children."""
    command = [sys.executable, "-m", "selfinstruct_train", *words(verb, run_dir, *options)]
    return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.DEVNULL, start_new_session=True)


def run(verb: str, run_dir: Path, *options: str) -> Done:
    return run_cli(*words(verb, run_dir, *options))


def dataset_hash(run_dir: Path) -> str:
    return hashlib.sha256((run_dir / "dataset" / "train.parquet").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Path:
    run_dir = tmp_path_factory.mktemp("run")
    done = run("generate", run_dir)
    assert done.returncode == 0, done.stderr
    return run_dir


def test_generation_makes_a_dataset_that_the_library_loads(generated):
    import datasets

    rows = datasets.load_dataset(str(generated / "dataset"), split="train")
    made = [r for r in rows if r["source"] == "generated"]
    assert len(made) > 20
    assert len([r for r in rows if r["source"] == "seed"]) == 40
    for row in made:
        assert row["instruction"]
        assert row["output"]
        assert len(row["parents"]) == 8
        assert row["request_id"].startswith("instructions-")
    funnel = json.loads((generated / "funnel.json").read_text())
    assert funnel["instructions"]["verdicts"]["kept"] >= 40
    assert len(funnel["instructions"]["verdicts"]) > 1


def test_kill_9_at_five_random_moments_and_resume_give_the_same_bytes(generated, tmp_path):
    rng = random.Random(0)
    answers = -1
    for _ in range(5):
        process = start("generate", tmp_path)
        journals = tmp_path / "journal"
        deadline = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < deadline:
            lines = sum(p.read_bytes().count(b"\n") for p in journals.glob("*.jsonl"))
            if lines > answers:  # it has gone on since the last kill
                break
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 2))
        answers = max(answers, sum(p.read_bytes().count(b"\n") for p in journals.glob("*.jsonl")))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = run("generate", tmp_path)
    assert done.returncode == 0, done.stderr
    assert dataset_hash(tmp_path) == dataset_hash(generated)
    for journal in sorted((generated / "journal").glob("*.jsonl")):
        ids = [json.loads(line)["id"] for line in (tmp_path / "journal" / journal.name).read_text().splitlines()[1:]]
        assert len(ids) == len(set(ids)), "an answer was asked for twice"


@pytest.mark.parametrize("batch_size", ["1", "8", "64"])
def test_batch_size_cannot_reach_the_data(generated, tmp_path, batch_size):
    done = run("generate", tmp_path, "--model.batch_size", batch_size)
    assert done.returncode == 0, done.stderr
    assert dataset_hash(tmp_path) == dataset_hash(generated)


def test_train_and_evaluate_go_on_to_a_report_with_three_lines(generated):
    steps = ["--train.max_steps", "6", "--train.batch_size", "4", "--train.allow", "[stops]"]
    done = run("train", generated, *steps)
    assert done.returncode == 0, done.stderr
    for mixture in ("seeds", "seeds+generated"):
        names = {p.name for p in (generated / "model" / mixture).iterdir()}
        assert {"model.safetensors", "tokenizer.json", "log_history.json", "loss.png"} <= names
        assert not [n for n in names if n.endswith((".bin", ".pt"))]
    small = ["--eval.max_instances_per_task", "1", "--eval.sampling.max_new_tokens", "16"]
    done = run("eval", generated, *steps, *small)
    assert done.returncode == 0, done.stderr
    base, tuned, gain = done.stdout.strip().splitlines()[-3:]
    assert base.startswith("base")
    assert tuned.startswith(("tuned", "seeds+generated"))
    assert gain.startswith("gain")
    page = (generated / "report.html").read_text(encoding="utf-8")
    assert page.count("<script") == 2  # the samples and the filters over them, both the page's own
    assert 'src="http' not in page
    assert (generated / "report.md").stat().st_size > 1000


def test_another_configuration_is_refused_with_the_field_that_differs(generated):
    before = dataset_hash(generated)
    done = run("generate", generated, "--seed", "7")
    assert done.returncode == 2
    assert "seed: 42 there, 7 now" in done.stderr.splitlines()[-1]
    assert dataset_hash(generated) == before


def test_a_second_process_on_the_run_is_refused(tmp_path):
    first = start("generate", tmp_path, "--generate.num_instructions", "4000")
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("journal/*.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.1)
        done = run("generate", tmp_path, "--generate.num_instructions", "4000")
        assert done.returncode == 2
        assert "another process is using this run" in done.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()


@pytest.mark.parametrize("verb", ["generate", "train", "eval"])
def test_a_folder_that_holds_no_model_is_one_line_before_anything_costly(tmp_path, verb):
    (tmp_path / "empty").mkdir()
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"instruction": "Say yes.", "input": "", "output": "Yes"}\n')
    options = ["--train.dataset", str(rows), "--train.mixtures", "[seeds+generated]"]
    done = run(verb, tmp_path / "run", "--model.path", str(tmp_path / "empty"), *options)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert str(tmp_path / "empty") in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
