"""The same dataset from a real base model, whatever the batch size, and after kills with SIGKILL; float32 on a CPU."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.support.cli import run_cli

KILLED_AT = (3, 9)
"""Lines of the journals, headers included, at which a run is killed; each kill is followed by the same command."""
SETTINGS = {
    "generate": {
        "seed_tasks": "builtin:english",
        "num_instructions": 4,
        "requests_per_round": 4,
        "contamination": {"action": "off"},
        "instruction_sampling": {"max_new_tokens": 96, "temperature": 0.7, "top_p": 1.0, "presence_penalty": 0.5},
        "instance_sampling": {"max_new_tokens": 48, "temperature": 0.7, "top_p": 1.0, "presence_penalty": 0.5},
    }
}


@pytest.fixture
def config(real_model: str, tmp_path: Path) -> Path:
    if "gemma" not in real_model:
        pytest.skip("one model is enough here: the base model, with sliding windows")
    path = tmp_path / "run.yaml"
    model = {"path": real_model, "device": "cpu", "dtype": "float32"}
    path.write_text(yaml.safe_dump(SETTINGS | {"model": model, "run_dir": str(tmp_path / "run")}))
    return path


def test_batch_sizes_and_kills_cannot_reach_the_dataset(config: Path):
    digests = {}
    for batch_size in (8, 64, 1):
        folder = config.parent / f"batch {batch_size}"
        done = run_cli("generate", config, "--run_dir", str(folder), "--model.batch_size", str(batch_size))
        assert done.returncode == 0, done.stderr[-3000:]
        digests[batch_size] = digest(folder)
    killed = config.parent / "killed"
    command = [sys.executable, "-m", "selfinstruct_train", "generate", str(config), "--run_dir", str(killed)]
    for num_lines in KILLED_AT:
        kill_at(num_lines, command, killed)
    assert num_journaled(killed) >= KILLED_AT[-1]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert {*digests.values(), digest(killed)} == {digests[8]}


def digest(run_dir: Path) -> str:
    return hashlib.sha256((run_dir / "dataset" / "train.parquet").read_bytes()).hexdigest()


def num_journaled(run_dir: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in run_dir.glob("journal/*.jsonl"))


def kill_at(num_lines: int, command: list[str], run_dir: Path) -> None:
    """Run a command until its journals have so many lines, then kill it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while num_journaled(run_dir) < num_lines:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
