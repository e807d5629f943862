"""A run made by the commands themselves, finished and evaluated, and a Hub of our own to publish it on."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.hub_server import WRITER
from tests.support.paths import ROOT

SETTINGS = {
    "model": {"device": "cpu"},
    "generate": {
        "seed_tasks": "builtin:tiny",
        "templates": "builtin:tiny",
        "num_instructions": 12,
        "contamination": {"rouge_l_threshold": 1.0},
        "requests_per_round": 8,
        "instruction_sampling": {"max_new_tokens": 100, "temperature": 1.0, "top_p": 0.9, "presence_penalty": 0.0},
        "instance_sampling": {"max_new_tokens": 64, "presence_penalty": 0.0, "temperature": 0.3, "stop": ["\nTask"]},
    },
    "train": {"learning_rate": 1e-3, "max_steps": 12, "template": "fixed", "max_length": 256},
    "eval": {"max_instances_per_task": 1, "sampling": {"max_new_tokens": 8}},
}
_MAKE = """
import sys
from selfinstruct_train.cli import main
config, *names = sys.argv[1:]
sys.exit(max(main([name, config]) for name in names))
"""

_PUBLISH = """
import sys
from selfinstruct_train.cli import main
from selfinstruct_train.publish import upload
upload._WAITS = (0.1, 0.1)
sys.exit(main(["publish", *sys.argv[1:]]))
"""


def environment(**others: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING")) and "proxy" not in k.lower()}
    return kept | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""} | others


@dataclass
class Run:
    """A run of its own for each test, by hard links."""

    folder: Path
    config: Path

    @property
    def model(self) -> Path:
        return self.folder / "model" / "seeds+generated"

    @property
    def staged(self) -> Path:
        return self.folder / "publish"


def _make(folder: Path, **train: object) -> None:
    config = folder / "run.yaml"
    settings = SETTINGS | {"run_dir": str(folder / "run"), "train": SETTINGS["train"] | train}
    config.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-c", _MAKE, str(config), "generate", "describe", "train", "eval"]
    done = subprocess.run(command, cwd=ROOT, env=environment(HF_HUB_OFFLINE="1"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "done").touch()


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A folder with run/ and run.yaml; made once, whichever process of the tests comes first."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / "finished_run"
    folder.mkdir(exist_ok=True)
    with (shared / "finished_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _make(folder)
    return folder


@pytest.fixture
def run(finished, tmp_path) -> Run:
    shutil.copytree(finished / "run", tmp_path / "run", copy_function=os.link)
    settings = yaml.safe_load((finished / "run.yaml").read_text()) | {"run_dir": str(tmp_path / "run")}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings))
    return Run(tmp_path / "run", tmp_path / "run.yaml")


Publish = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def publish(hub, run, tmp_path) -> Publish:
    """Run `selfinstruct publish` against the local Hub, as its own process, with a token and an empty home."""

    def call(*settings: str, token: str | None = WRITER, url: str | None = None) -> subprocess.CompletedProcess[str]:
        home = {"HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": url or hub.url, "HF_HUB_DISABLE_XET": "1"}
        secret = {} if token is None else {"HF_TOKEN": token}
        command = [sys.executable, "-c", _PUBLISH, "--config", str(run.config)]
        command += ["--publish.model_repo", "me/model", "--publish.dataset_repo", "me/data"]
        done = subprocess.run(
            [*command, *settings], env=environment(**home, **secret), cwd=ROOT, capture_output=True, text=True
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert token is None or token not in done.stdout + done.stderr
        return done

    return call
