"""A training that is killed, starved of disk or started twice: nothing is lost, nothing is mixed, one line tells."""

import dataclasses
import hashlib
import json
import os
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest

from selfinstruct_train.config import LoraSettings
from selfinstruct_train.train.checkpoints import last_whole_checkpoint
from selfinstruct_train.train.plan import is_complete, make_plan
from selfinstruct_train.train.trainer import train
from tests.support.kills import Killed, killed_after
from tests.support.train_process import MIXTURE, errors, finish, kill_at, start, write_config


def weights(folder: Path) -> str:
    return hashlib.sha256(next(folder.glob("*.safetensors")).read_bytes()).hexdigest()


def losses(folder: Path) -> list[tuple[int, float]]:
    history = json.loads((folder / "log_history.json").read_text())
    return [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]


def train_with_kills(plan, monkeypatch, *kills) -> None:
    """Train, killed once for each callback, then to the end."""
    from selfinstruct_train.train import trainer

    for kill in kills:
        with monkeypatch.context() as patch, pytest.raises(Killed):
            # before mark_whole, which comes after a checkpoint's last file
            patch.setattr(trainer, "stop_at_nan", lambda kill=kill: kill)
            train(plan)
    train(plan)


SETTINGS = {
    "full": {},
    "lora": {"method": "lora", "lora": LoraSettings(dropout=0.1), "learning_rate": 3e-2},
    "qlora": {"method": "qlora", "learning_rate": 3e-2},
    "noise": {"neftune_alpha": 5.0},
    "packs": {"packing": True, "batch_size": 2, "per_device_batch_size": 1, "max_length": 100},
    "validation_rows": {"validation_rows": 4, "epochs": 4.0, "learning_rate": 2e-2},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_killed_three_times_the_weights_are_those_of_an_undisturbed_training(make_config, monkeypatch, name):
    """Steps 4 and 11 are killed between checkpoints (every 3), 6 while one is written: before its mark."""
    settings = {"epochs": 2.0, "save_steps": 3} | SETTINGS[name]
    plan = make_plan(make_config(**settings), MIXTURE)
    train(plan)
    undisturbed = weights(plan.folder), losses(plan.folder)
    shutil.rmtree(plan.folder)
    train_with_kills(plan, monkeypatch, killed_after(4), killed_after(6, during_save=True), killed_after(11))
    assert losses(plan.folder) == undisturbed[1]
    assert weights(plan.folder) == undisturbed[0]


@pytest.mark.parametrize("steps", [8, 11])
def test_killed_behind_the_last_step_no_other_is_taken(make_config, monkeypatch, steps):
    """8 steps are one epoch, 11 end in the midst of the second."""
    from selfinstruct_train.train import trainer

    plan = make_plan(make_config(max_steps=steps, save_steps=5), MIXTURE)
    train(plan)
    undisturbed = weights(plan.folder), losses(plan.folder)
    shutil.rmtree(plan.folder)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(trainer, "save_model", lambda *args: (_ for _ in ()).throw(Killed))
        train(plan)
    assert last_whole_checkpoint(plan.work).name == f"checkpoint-{steps}"
    assert train(plan).steps == steps
    assert (weights(plan.folder), losses(plan.folder)) == undisturbed


def test_the_best_checkpoint_is_found_where_the_run_was_moved_to(make_config, monkeypatch, tmp_path):
    """Nothing is learnt, so all are as good and the first stays the best; killed behind the last step."""
    from selfinstruct_train.train import trainer

    config = make_config(max_steps=5, save_steps=1, validation_rows=4, best_by="rouge_l", learning_rate=1e-9)
    plan = make_plan(config, MIXTURE)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(trainer, "save_model", lambda *args: (_ for _ in ()).throw(Killed))
        train(plan)
    assert sorted(folder.name for folder in plan.work.glob("checkpoint-*")) == ["checkpoint-1", "checkpoint-5"]
    Path(config.run_dir).rename(tmp_path / "moved")
    moved = make_plan(dataclasses.replace(config, run_dir=str(tmp_path / "moved")), MIXTURE)
    loaded = []
    monkeypatch.setattr("transformers.Trainer._load_best_model", lambda self: loaded.append(self.state))
    assert train(moved).best_step == 1
    assert [state.best_model_checkpoint for state in loaded] == [str(moved.work / "checkpoint-1")]


def test_a_half_written_checkpoint_is_deleted_and_never_resumed(make_config, monkeypatch):
    from selfinstruct_train.train import trainer

    plan = make_plan(make_config(max_steps=6, save_steps=2), MIXTURE)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(trainer, "stop_at_nan", lambda: killed_after(4, during_save=True))
        train(plan)
    assert (plan.work / "checkpoint-4" / "model.safetensors").exists()
    assert last_whole_checkpoint(plan.work).name == "checkpoint-2"
    (plan.work / "checkpoint-4" / "model.safetensors").write_bytes(b"cut")
    assert train(plan).steps == 6


def test_checkpoints_of_another_training_are_refused_not_deleted(make_config, monkeypatch):
    from selfinstruct_train.train import trainer

    plan = make_plan(make_config(max_steps=6, save_steps=2), MIXTURE)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(trainer, "stop_at_nan", lambda: killed_after(3))
        train(plan)
    other = make_plan(make_config(max_steps=7, save_steps=2, learning_rate=1e-3), MIXTURE)
    message = (
        r"holds checkpoints of another training \(different: train.learning_rate, train.max_steps\).* another run_dir"
    )
    with pytest.raises(ValueError, match=message):
        train(other)
    assert last_whole_checkpoint(plan.work).name == "checkpoint-2"
    (plan.work / "training.json").unlink()
    with pytest.raises(ValueError, match="it does not record its settings"):
        train(plan)


def test_a_model_of_other_settings_or_data_is_refused_not_replaced(make_config, rows_file, tmp_path):
    first = make_plan(make_config(max_steps=2), MIXTURE)
    train(first)
    old = weights(first.folder)
    shorter = tmp_path / "shorter.jsonl"
    shorter.write_text("".join(rows_file.read_text().splitlines(keepends=True)[1:]))
    second = make_plan(make_config(max_steps=3, dataset=str(shorter)), MIXTURE)
    assert not is_complete(second)
    message = r"holds a model of another training \(different: data_sha256, rows, train.max_steps\)"
    with pytest.raises(ValueError, match=message):
        train(second)
    assert weights(first.folder) == old
    assert not second.work.exists()


@pytest.fixture
def config_file(base_folder, rows_file, tmp_path):
    return write_config(tmp_path / "run.yaml", base_folder, rows_file)


def test_a_killed_command_given_again_ends_with_the_same_weights(config_file, tmp_path):
    done = finish(config_file, "--run_dir", str(tmp_path / "undisturbed"))
    assert done.returncode == 0, done.stderr
    assert "kernels" not in done.stderr  # bitsandbytes speaks of them on some CPUs, whatever the method
    assert "seeds+generated: 40 steps on 60 rows" in done.stdout
    models = tmp_path / "run" / "model"
    # step 12 is in the second of five epochs
    kill_at(start(config_file), models / f".training-{MIXTURE}" / "checkpoint-12" / "whole")
    assert not (models / MIXTURE).exists()
    done = finish(config_file)
    assert done.returncode == 0, done.stderr
    assert "resuming from checkpoint-" in done.stderr
    assert f"{MIXTURE}: passed" in done.stdout
    undisturbed = tmp_path / "undisturbed" / "model" / MIXTURE
    assert weights(models / MIXTURE) == weights(undisturbed)
    assert losses(models / MIXTURE) == losses(undisturbed)
    assert [step for step, _ in losses(models / MIXTURE)] == list(range(1, 41))
    left = models / f".training-{MIXTURE}"
    (left / "checkpoint-40").mkdir(parents=True)  # as one killed before it deleted the checkpoints
    shutil.copy(models / MIXTURE / "training.json", left)
    done = finish(config_file)
    assert not left.exists()
    assert done.stdout.splitlines() == [
        f"{MIXTURE}: trained before with the same settings and data",
        str(models / MIXTURE),
    ]
    (models / MIXTURE / "verification.json").unlink()
    done = finish(config_file)
    assert done.returncode == 0
    assert f"{MIXTURE}: passed" in done.stdout  # verified only


@pytest.mark.parametrize("method", ["full", "lora"])
def test_two_killed_processes_resume_to_the_weights_of_undisturbed_ones(config_file, tmp_path, method):
    short = ["--train.max_steps", "14", "--train.per_device_batch_size", "2", "--train.method", method]
    done = finish(config_file, "--run_dir", str(tmp_path / "undisturbed"), *short, processes=2)
    assert done.returncode == 0, done.stderr
    models = tmp_path / "run" / "model"
    kill_at(start(config_file, *short, processes=2), models / f".training-{MIXTURE}" / "checkpoint-8" / "whole")
    assert not (models / MIXTURE).exists()
    done = finish(config_file, *short, processes=2)
    assert done.returncode == 0, done.stderr
    assert "resuming from checkpoint-" in done.stderr
    undisturbed = tmp_path / "undisturbed" / "model" / MIXTURE
    assert json.loads((undisturbed / "training.json").read_text())["num_processes"] == 2
    assert weights(models / MIXTURE) == weights(undisturbed)
    assert losses(models / MIXTURE) == losses(undisturbed)


def test_a_second_command_on_a_training_is_refused_with_the_process_that_holds_it(config_file, tmp_path):
    work = tmp_path / "run" / "model" / f".training-{MIXTURE}"
    first = start(config_file, "--train.epochs", "2000")
    try:
        deadline = time.monotonic() + 200
        while not (work / "checkpoint-4" / "whole").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        done = finish(config_file, "--train.epochs", "2000")
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert done.returncode == 2
    assert errors(done) == [
        f"error: {work / 'lock'}: another command (process {first.pid}) is training this; wait for it to end, "
        "or stop it"
    ]


def test_a_full_disk_at_a_checkpoint_is_one_line_and_the_last_whole_one_stays(config_file, tmp_path):
    """A file may have 300 kB here: the weights' 245 kB fit, the optimizer's twice as many do not, from step 8 on."""
    work = tmp_path / "run" / "model" / f".training-{MIXTURE}"
    kill_at(start(config_file), work / "checkpoint-4" / "whole")
    last = last_whole_checkpoint(work).name

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    done = finish(config_file, preexec_fn=limit)
    assert done.returncode == 2
    assert len(errors(done)) == 1, done.stderr
    assert "the disk or your quota is full" in errors(done)[0]
    assert f"make room, then the same command goes on from {last}" in errors(done)[0]
    assert "Traceback" not in done.stderr
    assert last_whole_checkpoint(work).name == last
    done = finish(config_file)
    assert done.returncode == 0, done.stderr
    assert f"resuming from {last}" in done.stderr
