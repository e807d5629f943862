"""Ctrl-C on a command in a process of its own: one line, exit code 130, and the same command goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.cli import run_cli
from tests.support.paths import ROOT

SMALL = ["--generate.num_instructions", "12", "--generate.max_requests", "16", "--generate.requests_per_round", "8"]
SMALL += ["--train.max_steps", "10", "--train.save_steps", "2", "--train.allow", "[stops,repetition,answers]"]
SMALL += ["--train.mixtures", "[seeds+generated]"]
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background hands down that it is ignored
from selfinstruct_train.cli import main
sys.exit(main(sys.argv[1:]))
"""
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}


def stop(words: list[str], is_time: Callable[[], bool]) -> tuple[int, str]:
    """Start a command, press Ctrl-C on it and its children when it is time; return exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not is_time() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_ctrl_c_is_one_line_and_130_and_the_same_command_goes_on(tmp_path: Path):
    words = ["tiny", "--run_dir", str(tmp_path), *SMALL]
    journal = tmp_path / "journal/instructions.jsonl"
    code, errors = stop(["run", *words], lambda: journal.exists() and journal.read_bytes().count(b"\n") > 1)
    assert (code, errors.splitlines()[-1]) == (130, "stopped; the same command goes on from here")
    assert "Traceback" not in errors and errors.count("stopped;") == 1
    answers = journal.read_bytes()
    done = run_cli("generate", *words)
    assert done.returncode == 0, done.stderr
    assert journal.read_bytes().startswith(answers[: answers.rfind(b"\n") + 1])

    checkpoints = tmp_path / "model/.training-seeds+generated"
    code, errors = stop(["train", *words], lambda: bool(list(checkpoints.glob("checkpoint-*/whole"))))
    assert (code, errors.splitlines()[-1]) == (130, "stopped; the same command goes on from the last checkpoint")
    assert "Traceback" not in errors
    done = run_cli("train", *words)
    assert done.returncode == 0 and "resuming from checkpoint-" in done.stderr, done.stderr
