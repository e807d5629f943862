"""The configs of real models: their stated figures are the estimate's, and what they name exists and trains."""

import dataclasses
import re
import sys
from pathlib import Path

import pytest

from selfinstruct_train.config import Config, ModelConfig
from selfinstruct_train.config.load import load_config
from selfinstruct_train.train.checks.devices import Devices, known_peak
from selfinstruct_train.train.checks.estimate import count_parameters, estimate
from tests.support import small_model
from tests.support.paths import ROOT, run_configs
from tests.support.real_models import DIMENSIONS, real_config

REAL = {path.stem: path for path in run_configs() if path.stem not in ("tiny", "gpu", "paper")}
HARDWARE = re.compile(r"^# (Full finetuning|LoRA|QLoRA) of (\S+) .* on (\d+) x (.+) \((\d+) GB\)\.$")
FIGURES = re.compile(
    r"^# Estimated: ([\d.]+) GiB on a GPU; (\S+) (min|h), (\d+) steps, for 50,000 rows of 200 tokens\."
)
METHODS = {"Full finetuning": "full", "LoRA": "lora", "QLoRA": "qlora"}


def read(path: Path, monkeypatch) -> Config:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    return load_config(["--config", str(path)])


def test_every_config_is_read(monkeypatch):
    assert len(run_configs()) == 16
    for path in run_configs():
        config = read(path, monkeypatch)
        assert config.run_dir == f"runs/{path.stem}"
        assert "make " in path.read_text().splitlines()[0]


def test_all_seven_models_have_a_config(monkeypatch):
    assert len(REAL) == 13
    assert {read(path, monkeypatch).model.path for path in REAL.values()} == set(DIMENSIONS)


@pytest.mark.parametrize(
    ("path", "published"),
    [
        # The figures of the models' own cards.
        ("HuggingFaceTB/SmolLM2-135M", 135e6),
        ("HuggingFaceTB/SmolLM2-1.7B", 1.71e9),
        ("Qwen/Qwen3-0.6B-Base", 0.596e9),
        ("Qwen/Qwen3-8B-Base", 8.19e9),
        ("meta-llama/Llama-3.1-8B", 8.03e9),
        ("allenai/OLMo-2-1124-7B", 7.3e9),
        ("mistralai/Mistral-7B-v0.3", 7.25e9),
    ],
)
def test_the_dimensions_give_the_published_number_of_parameters(path, published):
    assert count_parameters(real_config(path)) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize("name", sorted(REAL))
def test_the_stated_hardware_memory_and_time_are_the_estimate(name, monkeypatch):
    config = read(REAL[name], monkeypatch)
    lines = REAL[name].read_text().splitlines()
    hardware, figures = HARDWARE.match(lines[1]), FIGURES.match(lines[2])
    assert hardware and figures, lines[:3]
    method, model, number, gpu, gigabytes = hardware.groups()
    assert (METHODS[method], model) == (config.train.method, config.model.path.split("/")[1])
    launch = f" ACCELERATE=fsdp2 PROCESSES={number}" if int(number) > 1 else ""
    assert lines[0] == f"# make data generate train eval RUN={name}{launch}"
    devices = Devices(gpu, int(number), int(gigabytes) * 10**9, known_peak(gpu))
    expected = estimate(real_config(config.model.path), config.train, [200] * 50_000, devices, sharded=int(number))
    memory, time, unit, steps = figures.groups()
    assert float(memory) == pytest.approx(expected.memory_bytes / 2**30, rel=0.05)  # versions of libraries differ
    assert float(time) == pytest.approx(expected.seconds / {"min": 60, "h": 3600}[unit], rel=0.05, abs=0.5)
    assert int(steps) == expected.steps
    assert expected.memory_bytes < 0.95 * devices.memory


def small_copy(path: str, folder: Path) -> ModelConfig:
    """Random weights in the published architecture, with all but its sizes, and a small tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = small_model.make_tokenizer(folder)
    kind, settings = DIMENSIONS[path]
    sizes = {"vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 4 if "OLMo" in path or "1.7B" in path else 2}
    ids = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": None}
    extra = {"head_dim": 16} if "head_dim" in settings else {}
    config = type(real_config(path))(**(settings | sizes | heads | extra | ids))
    assert type(config).__name__ == kind
    with torch.random.fork_rng():
        torch.manual_seed(3)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return ModelConfig(path=str(folder), device="cpu")


@pytest.mark.parametrize("name", sorted(REAL))
def test_a_small_model_of_the_architecture_trains_by_the_config_and_generates(name, monkeypatch, tmp_path, rows_file):
    """Everything of the train section is as in the file, but sizes and numbers."""
    from selfinstruct_train.core.records import Request, Sampling
    from selfinstruct_train.lm import load_lm
    from selfinstruct_train.train.plan import make_plan
    from selfinstruct_train.train.trainer import train

    real = read(REAL[name], monkeypatch)
    model = small_copy(real.model.path, tmp_path / "base")
    settings = dataclasses.replace(
        real.train,
        **{"dataset": str(rows_file), "max_steps": 4, "batch_size": 4, "per_device_batch_size": 2, "max_length": 256},
        **{"validation_rows": 6, "save_steps": 2, "learning_rate": 5e-3},
    )
    assert settings.packing
    assert settings.lr_scheduler == "cosine"
    config = Config(run_dir=str(tmp_path / "run"), model=model, train=settings)
    plan = make_plan(config, "seeds+generated")
    result = train(plan)
    assert result.steps == 4
    assert result.losses[0] == pytest.approx(5.95, abs=0.4)  # ln 384: random weights
    assert result.losses[1] < result.losses[0]
    requests = [Request("0", "Name the 1th colour.")]
    (completion,) = load_lm(model, str(plan.folder)).complete(requests, Sampling(max_new_tokens=4))
    assert 0 < completion.completion_tokens <= 4
