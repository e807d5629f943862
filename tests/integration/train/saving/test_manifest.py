"""The manifest: complete, countable by hand, the same order always, and without a secret of this machine."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from selfinstruct_train.train.checkpoints import Taken
from selfinstruct_train.train.data.packing import make_dataset
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.saving.manifest import make_manifest, without_home
from selfinstruct_train.train.trainer import train

BEGAN = "2026-01-01T00:00:00+00:00"


def finished_trainer(plan, steps: int):
    """What the manifest reads of a trainer after `steps` steps."""
    import torch

    accelerator = SimpleNamespace(
        device=torch.device("cpu"),
        num_processes=1,
        distributed_type=SimpleNamespace(value="NO"),
        unwrap_model=lambda model: model,
    )
    losses = [{"step": 1, "loss": 5.5}, {"step": 2, "loss": 1.25}, {"step": 3, "loss": 1.5}]
    history = [*losses, {"step": 3, "eval_loss": 2.0}, {"step": 3, "train_runtime": 4.0}]
    return SimpleNamespace(
        accelerator=accelerator,
        model=SimpleNamespace(config=SimpleNamespace(_commit_hash="abc")),
        state=SimpleNamespace(global_step=steps, log_history=history),
        train_dataset=make_dataset(plan.rows, plan.config.train),
    )


@pytest.fixture
def plan(make_config):
    return make_plan(make_config(), "seeds+generated")


def test_it_tells_all_that_one_must_know_to_make_the_model_again(plan, rows_file):
    import torch

    manifest = make_manifest(plan, finished_trainer(plan, 3), Taken(BEGAN, 12.0))
    assert list(manifest) == [
        *(
            "format",
            "started",
            "ended",
            "seconds",
            "commands",
            "first_step",
            "command",
            "git",
            "versions",
            "hardware",
            "seed",
        ),
        *("model", "dataset", "identity", "rows", "training", "config"),
    ]
    assert manifest["versions"]["torch"] == torch.__version__
    assert {"python", "selfinstruct-train", "transformers", "trl", "peft", "accelerate", "datasets"} <= set(
        manifest["versions"]
    )
    sha256 = hashlib.sha256(rows_file.read_bytes()).hexdigest()
    size = rows_file.stat().st_size
    assert manifest["dataset"]["files"] == [{"name": "rows.jsonl", "bytes": size, "sha256": sha256}]
    assert manifest["identity"] == plan.identity
    assert manifest["rows"] == {"trained": 60, "held_out": 0, "dropped": plan.dropped}
    assert manifest["model"]["fingerprint"] == plan.identity["model_revision"]
    assert manifest["config"]["train"]["learning_rate"] == 5e-3
    assert manifest["started"] < manifest["ended"]
    assert manifest["ended"].endswith("+00:00")
    hardware = manifest["hardware"]
    assert (hardware["processes"], hardware["distributed_type"]) == (1, "NO")
    assert hardware["memory_bytes"] > 10**8


def test_figures_are_those_of_the_log_and_of_the_rows(plan):
    """60 rows in steps of 8 are 8 steps an epoch, the last of 4 rows."""
    lengths = [len(row.input_ids) for row in plan.rows]
    supervised = [sum(label != -100 for label in row.labels) for row in plan.rows]
    figures = make_manifest(plan, finished_trainer(plan, 16), Taken(BEGAN, 12.0))["training"]
    assert (figures["tokens"], figures["supervised_tokens"]) == (2 * sum(lengths), 2 * sum(supervised))
    assert (figures["loss_first"], figures["loss_last"], figures["loss_best"]) == (5.5, 1.5, 1.25)
    assert figures["held_out_loss_best"] == 2.0
    assert figures["tokens_per_second"] == pytest.approx(2 * sum(lengths) / 4.0, abs=0.1)
    assert 10**7 < figures["peak_memory_bytes"] < 10**11
    begun = make_manifest(plan, finished_trainer(plan, 9), Taken(BEGAN, 12.0))["training"]["tokens"]
    assert 8 * min(lengths) <= begun - sum(lengths) <= 8 * max(lengths)
    resumed = make_manifest(plan, finished_trainer(plan, 16), Taken(BEGAN, 12.0), first_step=8)
    assert resumed["first_step"] == 8
    assert resumed["training"]["tokens"] == 2 * sum(lengths)
    assert resumed["training"]["tokens_per_second"] == pytest.approx(sum(lengths) / 4.0, abs=0.1)
    over = make_manifest(plan, finished_trainer(plan, 16), Taken(BEGAN, 12.0), first_step=16)
    assert over["training"]["tokens_per_second"] is None  # no step was left to the last command


def test_packs_hold_the_same_tokens(make_config):
    plan = make_plan(make_config(packing=True), "seeds+generated")
    trainer = finished_trainer(plan, 0)
    trainer.state.global_step = -(-len(trainer.train_dataset) // 8)  # one epoch
    tokens = make_manifest(plan, trainer, Taken(BEGAN, 1.0))["training"]["tokens"]
    assert tokens == sum(len(row.input_ids) for row in plan.rows)


def test_it_is_json_and_the_same_each_time(plan):
    def written() -> str:
        manifest = make_manifest(plan, finished_trainer(plan, 3), Taken(BEGAN, 12.0))
        for changing in ("started", "ended", "git"):
            manifest.pop(changing)
        manifest["training"].pop("peak_memory_bytes")
        return json.dumps(manifest)

    assert written() == written()


def test_no_secret_of_the_environment_and_no_home_folder_is_told(plan, monkeypatch):
    secrets = {
        "HF_TOKEN": "hf_abcdefgh",
        "OPENAI_API_KEY": "sk-12345678",
        "MY_PROVIDER": "own-name-secret",
        "AWS_SECRET": "AKIA55555",
        "HUB_PAT": "ghp_99999999",
        "MY_JUDGE": "the-judges-own-key",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TINY_KEY", "model")  # too short to be one, and a word
    monkeypatch.setenv("HOME", "/home/somebody")
    words = [
        "--note",
        "x hf_abcdefgh",
        "--api-key",
        "told",
        "--hub.token=told",
        "--model.path",
        "/home/somebody/m",
        "--n.max_new_tokens",
        "16",
    ]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/selfinstruct", *words, "ghp_99999999"])
    config = plan.config
    server = replace(
        config.model.server,
        api_key_env="MY_PROVIDER",
        extra_body={"api_key": "told", "user": "own-name-secret", "top_k": 1, "deep": [{"token": "told"}]},
    )
    config = replace(config, run_dir="/home/somebody/runs", model=replace(config.model, server=server))
    server = replace(config.judge.model.server, api_key_env="MY_JUDGE", extra_body={"user": "the-judges-own-key"})
    judge = replace(config.judge, model=replace(config.judge.model, server=server))
    config = replace(config, judge=judge)
    text = json.dumps(make_manifest(replace(plan, config=config), finished_trainer(plan, 3), Taken(BEGAN, 1.0)))
    for value in (*secrets.values(), "told", "/home/somebody"):
        assert value not in text, value
    manifest = json.loads(text)
    assert manifest["command"] == [
        *("selfinstruct", "--note", "x <HF_TOKEN>", "--api-key", "<removed>", "--hub.token=<removed>"),
        *("--model.path", "~/m", "--n.max_new_tokens", "16", "<HUB_PAT>"),
    ]
    assert manifest["config"]["model"]["server"]["extra_body"] == {
        "api_key": "<removed>",
        "user": "<MY_PROVIDER>",
        "top_k": 1,
        "deep": [{"token": "<removed>"}],
    }
    assert manifest["config"]["judge"]["model"]["server"]["extra_body"] == {"user": "<MY_JUDGE>"}
    assert manifest["config"]["run_dir"] == "~/runs"
    assert manifest["config"]["model"]["server"]["api_key_env"] == "MY_PROVIDER"
    assert manifest["config"]["generate"]["instruction_sampling"]["max_new_tokens"] == 1024


def test_folders_outside_home_stay_in_the_runs_own_file_and_publishing_cuts_them(plan, monkeypatch):
    from selfinstruct_train.publish.contents import without_machine

    monkeypatch.setenv("HOME", "/home/a")
    settings = replace(plan.config, run_dir="/scratch/alice/run")
    manifest = make_manifest(replace(plan, config=settings), finished_trainer(plan, 3), Taken(BEGAN, 1.0))
    assert manifest["config"]["run_dir"] == "/scratch/alice/run"
    assert "alice" not in json.dumps(without_machine(manifest))


def test_a_folder_that_only_begins_like_home_keeps_its_name(monkeypatch):
    monkeypatch.setenv("HOME", "/home/a")
    assert without_home(["/home/a", "/home/a/x", "/home/abc"]) == ["~", "~/x", "/home/abc"]


def test_the_git_state_is_that_of_the_working_directory_where_there_is_one(plan, tmp_path, monkeypatch):
    def state():
        return make_manifest(plan, finished_trainer(plan, 3), Taken(BEGAN, 1.0))["git"]

    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert state() is None

    def git(*words: str) -> str:
        own = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        return subprocess.run(["git", *own, *words], capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    assert state() is None  # no commit yet
    git("commit", "-q", "--allow-empty", "-m", "first")
    assert state() == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (folder / "new").touch()
    assert state()["dirty"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert state() is None


def test_a_real_training_leaves_one_beside_its_model(make_config):
    plan = make_plan(make_config(max_steps=2), "seeds+generated")
    train(plan)
    manifest = json.loads((Path(plan.folder) / "manifest.json").read_text())
    assert manifest["training"]["steps"] == 2
    assert manifest["training"]["tokens_per_second"] > 0
    history = json.loads((plan.folder / "log_history.json").read_text())
    losses = [float(entry["loss"]) for entry in history if "loss" in entry]
    assert [manifest["training"]["loss_first"], manifest["training"]["loss_last"]] == losses
    lengths = sorted(len(row.input_ids) for row in plan.rows)
    assert sum(lengths[:16]) <= manifest["training"]["tokens"] <= sum(lengths[-16:])


def test_after_a_resume_time_counts_over_all_commands_and_speed_over_the_last_ones_steps(make_config, monkeypatch):
    from selfinstruct_train.train import trainer
    from tests.support.kills import Killed, killed_after

    plan = make_plan(make_config(max_steps=6, save_steps=2), "seeds+generated")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(trainer, "stop_at_nan", lambda: killed_after(5))
        train(plan)
    mark = plan.work / "checkpoint-4" / "whole"
    taken = json.loads(mark.read_text())
    assert (taken["commands"], taken["seconds"] > 0) == (1, True)
    mark.write_text(json.dumps(taken | {"started": BEGAN, "seconds": 7200.0}))
    train(plan)
    manifest = json.loads((plan.folder / "manifest.json").read_text())
    assert (manifest["started"], manifest["commands"], manifest["first_step"]) == (BEGAN, 2, 4)
    assert 7200 < manifest["seconds"] < 7300
    figures = manifest["training"]
    longest = max(len(row.input_ids) for row in plan.rows)
    seconds = figures["last_command_train_seconds"] - 0.05  # at the least, before it was rounded
    assert figures["tokens_per_second"] * seconds <= 2 * 8 * longest * 1.01  # the tokens of 2 steps, not of 6
