"""A short loop on real models, by the commands: generate, a LoRA of ten steps, evaluate 20 of the 252 user's tasks."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from tests.support.cli import run_cli
from tests.support.ni_tasks import a_task

NUM_TASKS = 20
SETTINGS = {
    "generate": {
        "seed_tasks": "builtin:english",
        "templates": "builtin:english",
        "num_instructions": 20,
        "max_requests": 24,
        "requests_per_round": 4,
        "instruction_sampling": {"max_new_tokens": 256},
        "instance_sampling": {"max_new_tokens": 128},
    },
    "train": {
        "method": "lora",
        "max_steps": 10,
        "batch_size": 4,
        "per_device_batch_size": 4,
        "max_length": 256,
        "learning_rate": 1e-3,
        "allow": ["stops", "repetition", "answers"],  # ten steps teach little
    },
    "eval": {"sampling": {"max_new_tokens": 64}, "bootstrap_samples": 100},
}


@pytest.fixture
def config(real_model: str, shared_data: Path, write_tasks, tmp_path: Path) -> Path:
    """The config of a run; of the 252 tasks every twelfth is asked, and one small task of the other set."""
    lines = (shared_data / "official/human_eval/user_oriented_instructions.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 252
    user_oriented = tmp_path / "user_oriented.jsonl"
    user_oriented.write_text("".join(f"{line}\n" for line in lines[::12][:NUM_TASKS]), "utf-8")
    asked = {"tasks": str(write_tasks(animals=a_task())), "user_oriented": str(user_oriented)}
    settings = SETTINGS | {
        "run_dir": str(tmp_path / "run"),
        "model": {"path": real_model, "device": "cpu", "batch_size": 16},
        "eval": SETTINGS["eval"] | asked,
    }
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_a_model_learns_from_its_own_instructions(real_model, config, times):
    run_dir, name = config.parent / "run", Path(real_model).name
    row = times.setdefault(name, {})

    def step(verb: str) -> None:
        began = time.monotonic()
        done = run_cli(verb, config)
        row[verb] = f"{time.monotonic() - began:.0f} s"
        assert done.returncode == 0, done.stderr[-3000:]

    step("generate")
    accepted = json.loads((run_dir / "funnel.json").read_text())["instructions"]["verdicts"]["kept"]
    assert accepted >= 20
    row["instructions"] = str(accepted)
    step("train")
    folder = run_dir / "model" / "seeds+generated"
    findings = {f["check"]: f["level"] for f in json.loads((folder / "verification.json").read_text())["findings"]}
    assert findings["weights_changed"] == findings["merged"] == "ok"
    step("eval")
    scores = {s["set"]: s for s in json.loads((run_dir / "eval" / "scores.json").read_text())}
    user_oriented = next(s for s in scores.values() if s["num_examples"] == NUM_TASKS)
    assert set(user_oriented["weights"]) == {"base", "seeds+generated"}
    assert (run_dir / "report.html").is_file()
