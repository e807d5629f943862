"""Two real processes train as one does: DDP through accelerate and torchrun, FSDP2 in accelerate's own path, over gloo.

A launch on GPUs cannot run here; `train_worker.py` says what it puts in the place of one.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from selfinstruct_train.config.load import load_config
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.trainer import train
from tests.support.paths import ROOT

ACCELERATE = [sys.executable, "-m", "accelerate.commands.launch", "--quiet", "--config_file"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
CPU, FSDP2 = [*ACCELERATE, "configs/accelerate/cpu.yaml"], [*ACCELERATE, "configs/accelerate/fsdp2.yaml"]
WORKER = "tests/support/train_worker.py"
MIXTURE = "seeds+generated"
# 13 packs in steps of 4: the first process's micro-batch of the fourth step holds no pack at all.
PACKED = ("--train.packing", "true", "--train.batch_size", "4", "--train.max_steps", "8")
PACKED_LORA = (*PACKED, "--train.method", "lora", "--train.prompt_loss_weight", "0.2")


@pytest.fixture(scope="module")
def config_file(base_folder, rows_file, tmp_path_factory) -> Path:
    """59 rows: an epoch's eighth step has 3, no multiple of what two processes with micro-batches of 2 take."""
    rows = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows.write_text("".join(rows_file.read_text().splitlines(keepends=True)[1:]))
    settings = {
        "model": {"path": str(base_folder), "device": "cpu"},
        "train": {
            "dataset": str(rows),
            "learning_rate": 5e-3,
            "batch_size": 8,
            "per_device_batch_size": 2,
            "max_steps": 16,
            "save_steps": 4,
            "max_length": 128,
        },
    }
    file = tmp_path_factory.mktemp("config") / "run.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


def alone(config_file: Path, run_dir: Path, *options: str) -> Path:
    """Train in this process; the folder of the model."""
    return train(
        make_plan(load_config(["--config", str(config_file), "--run_dir", str(run_dir), *options]), MIXTURE)
    ).folder


@pytest.fixture(scope="module")
def of_one(config_file, tmp_path_factory) -> Path:
    return alone(config_file, tmp_path_factory.mktemp("one"))


def started(*command: str, timeout: float = 400) -> subprocess.CompletedProcess:
    variables = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    variables["PYTHONPATH"] = str(ROOT)
    return subprocess.run([*command], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=timeout)


def losses(folder: Path) -> list[float]:
    history = json.loads((folder / "log_history.json").read_text())
    return [float(entry["loss"]) for entry in history if "loss" in entry]


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(next(folder.glob("*.safetensors")))


def check_equal(found: Path, expected: Path, weight_error: float) -> None:
    assert losses(found) == pytest.approx(losses(expected), abs=1e-3)
    ours, theirs = weights(found), weights(expected)
    assert set(ours) >= set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, atol=weight_error, rtol=0, err_msg=name)


@pytest.mark.parametrize(
    ("launcher", "options", "steps"),
    [(CPU, (), 16), (TORCHRUN, PACKED, 8), (TORCHRUN, PACKED_LORA, 8)],
    ids=["accelerate", "torchrun packed", "torchrun packed lora"],
)
def test_two_processes_train_as_one_does(launcher, options, steps, config_file, of_one, tmp_path):
    expected = alone(config_file, tmp_path / "one", *options) if options else of_one
    done = started(*launcher, WORKER, "--config", str(config_file), "--run_dir", str(tmp_path / "two"), *options)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "two" / "model" / MIXTURE
    record = json.loads((folder / "training.json").read_text())
    assert (record["num_processes"], record["distributed_type"]) == (2, "MULTI_CPU")
    assert len(losses(folder)) == steps
    check_equal(folder, expected, weight_error=1e-4)


def test_fsdp2_killed_and_resumed_gives_the_model_of_one_process(config_file, of_one, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    command = [*FSDP2, WORKER, "--as_gpus", "--config", str(config_file), "--run_dir", str(tmp_path)]
    killed = started(*command, "--stop_at", "6")
    assert killed.returncode != 0
    checkpoint = tmp_path / "model" / f".training-{MIXTURE}" / "checkpoint-4"
    assert len(list((checkpoint / "pytorch_model_fsdp_0").glob("*.distcp"))) == 2, killed.stderr  # a shard of each
    assert not list(checkpoint.glob("*.safetensors"))
    done = started(*command)
    assert done.returncode == 0, done.stderr
    assert "resuming from checkpoint-4" in done.stderr
    # two decoder layers, embeddings (tied to the output), norm, the whole: 60,144 parameters, even numbers in each
    assert "30,072 of 60,144 parameters here" in done.stderr
    folder = tmp_path / "model" / MIXTURE
    assert json.loads((folder / "training.json").read_text())["distributed_type"] == "FSDP"
    check_equal(folder, of_one, weight_error=1e-5)
    ids = torch.arange(2, 34)[None]
    with torch.no_grad():
        logits = [AutoModelForCausalLM.from_pretrained(path)(ids).logits for path in (folder, of_one)]
    torch.testing.assert_close(logits[0], logits[1], atol=1e-4, rtol=0)


@pytest.mark.parametrize("stage", [2, 3])
def test_deepspeed_gives_the_model_of_one_process(stage, config_file, of_one, tmp_path, monkeypatch):
    pytest.importorskip("deepspeed", reason="the extra `deepspeed` is not installed")
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    command = [*ACCELERATE, f"configs/accelerate/zero{stage}.yaml", WORKER, "--as_gpus", "--config", str(config_file)]
    done = started(*command, "--run_dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"the model: DeepSpeed ZeRO-{stage}" in done.stderr
    check_equal(tmp_path / "model" / MIXTURE, of_one, weight_error=1e-5)


def test_a_model_that_is_not_sharded_as_asked_is_refused_before_the_first_step(config_file, tmp_path):
    """accelerate makes DDP of this launch; the refusal at the start is left out, that of the prepared model is not."""
    done = started(*FSDP2, WORKER, "--unchecked", "--config", str(config_file), "--run_dir", str(tmp_path))
    assert done.returncode != 0
    assert "asks for 2 processes under FSDP2 on GPUs, but the prepared model is held as: DDP" in done.stderr
    assert not list(tmp_path.rglob("checkpoint-*"))


def test_a_training_of_two_processes_is_resumed_by_one(config_file, of_one, tmp_path):
    killed = started(*CPU, WORKER, "--config", str(config_file), "--run_dir", str(tmp_path), "--stop_at", "6")
    assert killed.returncode != 0
    assert (tmp_path / "model" / f".training-{MIXTURE}" / "checkpoint-4" / "whole").exists(), killed.stderr
    folder = alone(config_file, tmp_path)
    assert json.loads((folder / "training.json").read_text())["num_processes"] == 1
    check_equal(folder, of_one, weight_error=1e-4)


def test_the_file_for_several_machines_brings_their_processes_together(tmp_path):
    """Two launchers of one process each, on one machine; `use_cpu` and the address are all that is changed."""
    settings = yaml.safe_load((ROOT / "configs/accelerate/several_nodes.yaml").read_text())
    file = tmp_path / "several_nodes.yaml"
    file.write_text(yaml.safe_dump(settings | {"use_cpu": True}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
    words = [*ACCELERATE, str(file), "--num_processes", "2", "--main_process_port", port]
    nodes = [
        subprocess.Popen(
            [*words, "--machine_rank", str(rank), "tests/support/launch_worker.py"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    for node in nodes:
        out, err = node.communicate(timeout=200)
        assert node.returncode == 0, err
        assert out.count("runs: 2 processes on cpu (distributed type MULTI_CPU)") == 1
