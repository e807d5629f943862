"""Training for real on a small model: the loss falls, the model stops and answers, LoRA too, a kill changes nothing."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from selfinstruct_train.lm import load_lm
from selfinstruct_train.prompt_format import evaluation_prompt
from selfinstruct_train.train.checkpoints import last_whole_checkpoint
from selfinstruct_train.train.plan import is_complete, make_plan
from selfinstruct_train.train.trainer import train
from selfinstruct_train.types import Request, Sampling

from .conftest import REAL_DATA

ROOT = Path(__file__).parents[2]


def weights(folder: Path) -> str:
    return hashlib.sha256(next(folder.glob("*.safetensors")).read_bytes()).hexdigest()


def answers(config, folder: Path, inputs: list[str]) -> list[tuple[str, str]]:
    prompts = [evaluation_prompt("Name the 1th colour.", text, "fixed") for text in inputs]
    requests = [Request(str(i), prompt) for i, prompt in enumerate(prompts)]
    completions = load_lm(config.model, str(folder)).complete(requests, Sampling(max_new_tokens=12))
    return [(c.text, c.finish_reason) for c in completions]


def test_full_training_lowers_the_loss_and_teaches_to_answer_and_stop(make_config):
    config = make_config(epochs=12.0, learning_rate=1e-2)
    plan = make_plan(config, "seeds+generated")
    result = train(plan)
    assert result.steps == 96  # 60 rows in steps of 8, 12 epochs
    assert result.losses[0] > 5
    assert result.losses[1] < 0.3
    assert answers(config, plan.folder, ["green owl", "red cat"]) == [(" green", "stop"), (" red", "stop")]
    assert is_complete(plan)
    assert sorted(path.name for path in plan.folder.parent.iterdir()) == ["seeds+generated"]
    names = {path.name for path in plan.folder.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "log_history.json", "loss.png", "training.json"} <= names
    assert "training_args.bin" not in names
    history = json.loads((plan.folder / "log_history.json").read_text())
    assert history[0]["step"] == 1
    assert float(history[0]["loss"]) == result.losses[0]
    assert (plan.folder / "loss.png").read_bytes()[:4] == b"\x89PNG"


def test_lora_training_lowers_the_loss_and_the_adapter_loads(make_config):
    from safetensors.numpy import load_file

    config = make_config(method="lora", epochs=6.0, learning_rate=3e-2)
    plan = make_plan(config, "seeds+generated")
    result = train(plan)
    assert result.losses[1] < result.losses[0] - 0.5  # a random base leaves an adapter little to work with
    adapter = load_file(plan.folder / "adapter_model.safetensors")
    assert len(adapter) == 28  # 2 layers, 7 matrices, A and B
    assert all(abs(value).max() > 0 for value in adapter.values())
    assert not (plan.folder / "model.safetensors").exists()
    tuned = answers(config, plan.folder, ["green owl"])
    assert tuned != answers(config, Path(config.model.path), ["green owl"])


def test_micro_batches_do_not_change_the_training(make_config):
    losses = []
    for size in (8, 2):
        config = make_config(max_steps=4, per_device_batch_size=size)
        plan = make_plan(config, "seeds+generated")
        train(plan)
        history = json.loads((plan.folder / "log_history.json").read_text())
        losses.append([float(entry["loss"]) for entry in history if "loss" in entry])
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)


def test_the_loss_is_the_mean_over_completion_tokens(make_config):
    import torch
    from transformers import AutoModelForCausalLM

    config = make_config(max_steps=1, batch_size=60, per_device_batch_size=60)
    plan = make_plan(config, "seeds+generated")
    model = AutoModelForCausalLM.from_pretrained(config.model.path, dtype=torch.float32)
    total, count = 0.0, 0
    with torch.no_grad():
        for row in plan.rows:
            log_probabilities = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
            for place, label in enumerate(row.labels[1:]):
                if label != -100:
                    total -= float(log_probabilities[place, label])
                    count += 1
    assert train(plan).losses[0] == pytest.approx(total / count, abs=1e-3)


def test_training_on_real_self_instruct_rows_lowers_the_loss(make_config, tmp_path):
    if not REAL_DATA.exists():
        pytest.skip("the 5,000 released rows are not beside this checkout")
    file = tmp_path / "slice.jsonl"
    file.write_text("".join(REAL_DATA.read_text().splitlines(keepends=True)[:200]))
    plan = make_plan(make_config(dataset=str(file), template="paper", max_steps=30), "seeds+generated")
    assert plan.dropped["too_long"] > 0
    first, last = train(plan).losses
    assert last < first - 0.7


def test_unfinished_and_foreign_checkpoints_are_not_resumed(make_config):
    plan = make_plan(make_config(max_steps=3), "seeds+generated")
    for name in ("checkpoint-2", "checkpoint-1"):
        (plan.work / name).mkdir(parents=True)
    (plan.work / "checkpoint-1" / "whole").touch()
    assert last_whole_checkpoint(plan.work).name == "checkpoint-1"
    train(plan)  # the folder carries no identity: all of it is deleted
    assert not plan.work.exists()
    assert is_complete(plan)


def test_an_older_model_of_other_settings_is_replaced(make_config):
    first = make_plan(make_config(max_steps=2), "seeds+generated")
    train(first)
    old = weights(first.folder)
    second = make_plan(make_config(max_steps=3), "seeds+generated")
    assert not is_complete(second)
    train(second)
    assert weights(second.folder) != old
    assert is_complete(second)


def recipe(config_file: Path, *arguments: str, **options) -> subprocess.Popen:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(ROOT / "recipes" / "train.py"), "--config", str(config_file), *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, cwd=ROOT, **(pipes | options))


@pytest.fixture
def config_file(base_folder, rows_file, tmp_path):
    settings = {
        "run_dir": str(tmp_path / "run"),
        "model": {"path": str(base_folder), "device": "cpu"},
        "train": {
            "dataset": str(rows_file),
            "learning_rate": 5e-3,
            "batch_size": 8,
            "per_device_batch_size": 4,
            "epochs": 5.0,
            "save_steps": 4,
            "max_length": 128,
        },
    }
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.mark.slow
def test_killed_and_resumed_training_ends_with_the_same_weights(config_file, tmp_path):
    undisturbed = tmp_path / "undisturbed"
    process = recipe(config_file, "--run_dir", str(undisturbed))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "seeds+generated: 40 steps on 60 rows" in out
    work = tmp_path / "run" / "model" / ".training-seeds+generated"
    process = recipe(config_file, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    # step 12 is in the second of five epochs
    while not (work / "checkpoint-12" / "whole").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "run" / "model" / "seeds+generated").exists()
    process = recipe(config_file)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "resuming from checkpoint-" in err
    folder = Path("model") / "seeds+generated"
    assert weights(tmp_path / "run" / folder) == weights(undisturbed / folder)
    resumed = json.loads((tmp_path / "run" / folder / "log_history.json").read_text())
    assert [entry["step"] for entry in resumed if "loss" in entry] == list(range(1, 41))
    process = recipe(config_file)
    out, _ = process.communicate(timeout=300)
    assert "trained before with the same settings and data" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train.dataset", "no.jsonl"], "no.jsonl: no dataset there"),
        (["--train.mixtures", "[seeds]"], 'no row has source "seed"'),
        (["--model.path", "./nowhere"], "model.path './nowhere': no such folder"),
        (["--train.batch_size", "0"], "train.batch_size is 0"),
    ],
)
def test_the_recipe_refuses_bad_input_in_one_line(config_file, arguments, message):
    process = recipe(config_file, *arguments)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in err


@pytest.mark.slow
def test_two_processes_train_as_one_does(config_file, tmp_path):
    """Gloo on CPU, through torchrun; the loss of 2 x 4 rows is that of 1 x 8."""
    histories = []
    for processes in (1, 2):
        run_dir = tmp_path / f"run{processes}"
        command = [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes), "--standalone"),
            *("recipes/train.py", "--config", str(config_file), "--run_dir", str(run_dir)),
            *("--train.max_steps", "10", "--train.per_device_batch_size", "2"),
        ]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False
        )
        assert done.returncode == 0, done.stderr
        folder = run_dir / "model" / "seeds+generated"
        assert json.loads((folder / "training.json").read_text())["num_processes"] == processes
        history = json.loads((folder / "log_history.json").read_text())
        histories.append([float(entry["loss"]) for entry in history if "loss" in entry])
    assert histories[0] == pytest.approx(histories[1], abs=2e-3)
