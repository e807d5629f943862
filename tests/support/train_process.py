"""Run `selfinstruct train` as a user does: in a process of its own, or in several under torchrun."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import yaml

from tests.support.paths import ROOT

MIXTURE = "seeds+generated"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}


def start(config_file: Path, *arguments: str, processes: int = 1, **options) -> subprocess.Popen:
    """Start the command as the first of a process group of its own, so that all of it can be killed."""
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", "--nproc_per_node", str(processes), "--standalone"]
    command = [*launcher, "-m", "selfinstruct_train", "train", str(config_file), *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        command, env=os.environ | ENVIRONMENT, cwd=ROOT, start_new_session=True, **(pipes | options)
    )


def finish(config_file: Path, *arguments: str, processes: int = 1, **options) -> subprocess.CompletedProcess:
    process = start(config_file, *arguments, processes=processes, **options)
    out, err = process.communicate(timeout=400)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def kill_at(process: subprocess.Popen, file: Path) -> None:
    """Kill the process and all its children as soon as `file` is there."""
    deadline = time.monotonic() + 300
    while not file.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    workers = psutil.Process(process.pid).children(recursive=True)  # torchrun gives each a process group of its own
    os.killpg(process.pid, signal.SIGKILL)
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()
    process.wait()


def errors(done: subprocess.CompletedProcess) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


def write_config(file: Path, base: Path, rows: Path, **train) -> Path:
    """A run of 40 steps; so little training teaches no model to stop, which its verification may accept."""
    settings = {
        "dataset": str(rows),
        "learning_rate": 5e-3,
        "batch_size": 8,
        "per_device_batch_size": 4,
        "epochs": 5.0,
        "save_steps": 4,
        "max_length": 128,
        "allow": ["stops"],
    }
    run = {
        "run_dir": str(file.parent / "run"),
        "model": {"path": str(base), "device": "cpu"},
        "train": settings | train,
    }
    file.write_text(yaml.safe_dump(run))
    return file
