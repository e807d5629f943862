"""kill -9 at random moments, resumed each time: the dataset of an undisturbed run, and no stored answer asked again."""

from __future__ import annotations

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

from tests.support import scripted_lm as scripted
from tests.support.paths import ROOT

SCRIPT = [sys.executable, "-m", "tests.support.scripted_lm"]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    scripted.write_world(tmp_path / "world")
    return tmp_path / "world"


def stored_ids(run_dir: Path) -> set[str]:
    """Ids of the complete answer lines of all journals."""
    ids = set()
    for path in sorted(run_dir.glob("journal/*.jsonl")):
        content = path.read_bytes()
        lines = content[: content.rfind(b"\n") + 1].splitlines()
        ids |= {json.loads(line)["id"] for line in lines[1:]}
    return ids


def asked_ids(asked: Path) -> set[str]:
    """Ids that a process asked the model for; one that was killed early, or found all stored, asked none."""
    return set(asked.read_text().split()) if asked.exists() else set()


def start(world: Path, run_dir: Path, asked: Path, hash_seed: int, chunk_size: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*SCRIPT, str(world), str(run_dir), str(asked), "0.02", str(chunk_size)],
        cwd=ROOT,
        env={"PYTHONHASHSEED": str(hash_seed), "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(world)},
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr.decode()


def digest(run_dir: Path) -> str:
    return hashlib.sha256((run_dir / "dataset/train.parquet").read_bytes()).hexdigest()


def test_kill_9_at_random_moments_changes_nothing_and_wastes_no_answer(tmp_path: Path, world: Path) -> None:
    finish(start(world, tmp_path / "whole", tmp_path / "asked-whole", 1, 4))
    num_answers = len(stored_ids(tmp_path / "whole"))
    rng = random.Random(20)
    run_dir = tmp_path / "killed"
    for attempt, threshold in enumerate(sorted(rng.sample(range(1, num_answers), 5))):
        before = stored_ids(run_dir)
        asked = tmp_path / f"asked-{attempt}"
        process = start(world, run_dir, asked, attempt + 2, 4)
        deadline = time.monotonic() + 60
        while len(stored_ids(run_dir)) < threshold and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
        assert before.isdisjoint(asked_ids(asked))
        if attempt == 2:  # what a torn write leaves
            with next(iter(sorted(run_dir.glob("journal/*.jsonl")))).open("ab") as file:
                file.write(b'{"id": "instructions-9999')
    before = stored_ids(run_dir)
    finish(start(world, run_dir, tmp_path / "asked-last", 99, 4))
    assert before.isdisjoint(asked_ids(tmp_path / "asked-last"))
    assert digest(run_dir) == digest(tmp_path / "whole")
    for path in sorted((tmp_path / "whole").rglob("*.json*")):
        assert path.read_bytes() == (run_dir / path.relative_to(tmp_path / "whole")).read_bytes(), path.name


def test_50_kills_over_the_three_stages_lose_at_most_the_answer_on_its_way(tmp_path: Path, world: Path) -> None:
    runs = subprocess.Popen(
        [*SCRIPT, str(world), "-"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(world)},
    )

    def tell(line: str) -> int:
        assert runs.stdin is not None and runs.stdout is not None
        print(line, file=runs.stdin, flush=True)
        return int(runs.stdout.readline())

    def finish_run(run_dir: Path, events: Path) -> None:
        tell(f"{run_dir} {events}")
        assert tell("") == 0

    whole, run_dir, events = tmp_path / "whole", tmp_path / "killed", tmp_path / "events"
    finish_run(whole, tmp_path / "events-whole")
    num_answers = len(stored_ids(whole))
    rng = random.Random(5)
    num_kills = {"": 0, "instructions": 0, "classification": 0, "instances": 0}
    for number, threshold in enumerate(sorted(rng.sample(range(num_answers - 1), 50))):
        events_before = len(events.read_text().splitlines()) if events.exists() else 0
        before = stored_ids(run_dir)
        child = tell(f"{run_dir} {events}")
        deadline = time.monotonic() + 60
        while len(stored_ids(run_dir)) < threshold and time.monotonic() < deadline:
            time.sleep(0.0005)
        time.sleep(rng.random() * 0.004)
        os.kill(child, signal.SIGKILL)
        assert tell("") == -signal.SIGKILL, "it ended before it could be killed"
        lines = [line.split() for line in (events.read_text().splitlines() if events.exists() else [])]
        here = lines[events_before:]
        assert before.isdisjoint(id for event, id in here if event == "asked"), "a stored answer was asked for again"
        given = {id for event, id in lines if event == "given"}
        assert len({id for event, id in here if event == "given"} - stored_ids(run_dir)) <= 1
        assert stored_ids(run_dir) <= given
        num_kills[(here[-1][1] if here else "").split("-")[0]] += 1
        if number % 10 == 9:  # what a torn write leaves
            with max(run_dir.glob("journal/*.jsonl"), key=lambda path: path.stat().st_mtime_ns).open("ab") as file:
                file.write(b'{"id": "torn')
    assert min(num_kills[stage] for stage in ("instructions", "classification", "instances")) > 0, num_kills
    finish_run(run_dir, events)
    assert runs.stdin is not None
    runs.stdin.close()
    assert runs.wait(60) == 0
    assert digest(run_dir) == digest(whole)
    asked = [line.split()[1] for line in events.read_text().splitlines() if line.startswith("asked")]
    assert len(asked) - len(set(asked)) <= 50
