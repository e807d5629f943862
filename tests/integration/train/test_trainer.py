"""Training for real on a small model: the loss falls, the model stops and answers, adapters too, each setting acts."""

import json
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_train.config import LoraSettings
from selfinstruct_train.core.prompt_format import evaluation_prompt
from selfinstruct_train.core.records import Request, Sampling
from selfinstruct_train.lm import load_lm
from selfinstruct_train.train.checkpoints import last_whole_checkpoint
from selfinstruct_train.train.network.model import check_device
from selfinstruct_train.train.plan import is_complete, make_plan
from selfinstruct_train.train.trainer import check, train
from tests.support.paths import REAL_DATA
from tests.support.train_process import MIXTURE, errors, finish, write_config


def answers(config, folder: Path, inputs: list[str]) -> list[tuple[str, str]]:
    prompts = [evaluation_prompt("Name the 1th colour.", text, "fixed") for text in inputs]
    requests = [Request(str(i), prompt) for i, prompt in enumerate(prompts)]
    completions = load_lm(config.model, str(folder)).complete(requests, Sampling(max_new_tokens=12))
    return [(c.text, c.finish_reason) for c in completions]


def test_full_training_lowers_the_loss_and_teaches_to_answer_and_stop(make_config):
    config = make_config(epochs=12.0, learning_rate=1e-2)
    plan = make_plan(config, MIXTURE)
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


@pytest.mark.parametrize(
    ("method", "lora"),
    [
        ("lora", LoraSettings()),
        ("lora", LoraSettings(use_dora=True)),
        ("lora", LoraSettings(r=32, use_rslora=True)),
        ("qlora", LoraSettings()),
    ],
    ids=["lora", "dora", "rslora", "qlora"],
)
def test_adapter_training_lowers_the_loss_and_peft_loads_the_adapter(make_config, method, lora):
    import torch
    from peft import PeftModel
    from safetensors.numpy import load_file
    from transformers import AutoModelForCausalLM

    config = make_config(method=method, lora=lora, epochs=6.0, learning_rate=3e-2)
    plan = make_plan(config, MIXTURE)
    result = train(plan)
    assert result.losses[1] < result.losses[0] - 0.5  # a random base leaves an adapter little to work with
    adapter = load_file(plan.folder / "adapter_model.safetensors")
    assert len(adapter) == 28 + 14 * lora.use_dora  # 2 layers, 7 matrices, A and B; with DoRA a magnitude
    assert {value.dtype.name for value in adapter.values()} == {"float32"}
    assert all(abs(value).max() > 0 for value in adapter.values())
    assert not (plan.folder / "model.safetensors").exists()
    settings = json.loads((plan.folder / "adapter_config.json").read_text())
    assert (settings["use_dora"], settings["use_rslora"], settings["r"]) == (lora.use_dora, lora.use_rslora, lora.r)
    assert settings["base_model_name_or_path"] == config.model.path
    base = AutoModelForCausalLM.from_pretrained(config.model.path, dtype=torch.float32)
    ids = torch.tensor([plan.rows[0].input_ids])
    with torch.no_grad():
        before = base(ids).logits
        tuned = PeftModel.from_pretrained(base, plan.folder)(ids).logits
    assert (tuned - before).abs().max() > 0.1


def test_qlora_holds_its_base_in_four_bits(make_config):
    import bitsandbytes
    import torch

    from selfinstruct_train.train.network.model import load_network

    config = make_config(method="qlora")
    network = load_network(config.model, config.train, on_gpu=False, embeddings_needed=384)
    layers = [module for module in network.modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]
    assert len(layers) == 14
    assert {layer.weight.quant_state.quant_type for layer in layers} == {"nf4"}
    assert all(layer.weight.quant_state.nested for layer in layers)  # constants quantised too
    assert {layer.weight.dtype for layer in layers} == {torch.uint8}


def test_micro_batches_do_not_change_the_training(make_config, tmp_path):
    losses = []
    for size in (8, 2):
        config = make_config(max_steps=4, per_device_batch_size=size)
        plan = make_plan(replace(config, run_dir=str(tmp_path / str(size))), MIXTURE)
        train(plan)
        history = json.loads((plan.folder / "log_history.json").read_text())
        losses.append([float(entry["loss"]) for entry in history if "loss" in entry])
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)


def test_the_loss_is_the_mean_over_completion_tokens(make_config):
    import torch
    from transformers import AutoModelForCausalLM

    config = make_config(max_steps=1, batch_size=60, per_device_batch_size=60)
    plan = make_plan(config, MIXTURE)
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
    plan = make_plan(make_config(dataset=str(file), template="paper", max_steps=30), MIXTURE)
    assert plan.dropped["too_long"] > 0
    first, last = train(plan).losses
    assert last < first - 0.7


def test_a_mixture_that_fails_leaves_the_one_before_it_and_is_trained_next(
    make_config, monkeypatch, rows_file, tmp_path
):
    from selfinstruct_train.train import trainer

    rows = [json.loads(line) for line in rows_file.read_text().splitlines()]
    file = tmp_path / "sources.jsonl"
    file.write_text("".join(json.dumps(row | {"source": "seed"}) + "\n" for row in rows))
    config = make_config(max_steps=2, dataset=str(file))
    plans = [make_plan(config, mixture) for mixture in ("seeds", "seeds+generated")]

    def fail(*args):
        raise ValueError("broken")

    train(plans[0])
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="broken"):
        patch.setattr(trainer, "load_network", fail)
        train(plans[1])
    assert [is_complete(plan) for plan in plans] == [True, False]
    assert train(plans[1]).steps == 2


def recomputed_forwards(monkeypatch, plan) -> tuple[int, list[float]]:
    """Train and return how often a layer's MLP ran, and the losses."""
    from transformers.models.llama.modeling_llama import LlamaMLP

    calls = []
    forward = LlamaMLP.forward
    with monkeypatch.context() as patch:
        patch.setattr(LlamaMLP, "forward", lambda self, *a, **k: calls.append(1) or forward(self, *a, **k))
        folder = train(plan).folder
    history = json.loads((folder / "log_history.json").read_text())
    return len(calls), [entry["loss"] for entry in history if "loss" in entry]


@pytest.mark.parametrize("method", ["full", "lora"])
def test_activation_checkpointing_computes_layers_twice_and_the_same_losses(make_config, monkeypatch, method, tmp_path):
    results = {}
    for setting in ("off", "on", "auto"):
        config = make_config(method=method, activation_checkpointing=setting, max_steps=3, learning_rate=1e-2)
        plan = make_plan(replace(config, run_dir=str(tmp_path / setting)), MIXTURE)
        results[setting] = recomputed_forwards(monkeypatch, plan)
        if setting == "on" and method == "full":
            assert json.loads((plan.folder / "config.json").read_text())["use_cache"] is True
    # 3 steps x 2 micro-batches x 2 layers
    assert (results["off"][0], results["on"][0], results["auto"][0]) == (12, 24, 12)  # auto: on a GPU, large models
    assert results["off"][1] == results["on"][1]


def test_bfloat16_training_saves_bfloat16_and_computes_in_it(make_config):
    from safetensors import safe_open

    plan = make_plan(make_config(precision="bfloat16", epochs=6.0), MIXTURE)
    first, last = train(plan).losses
    assert last < first - 3
    assert first != pytest.approx(5.962223, abs=1e-5)  # what float32 gives
    with safe_open(plan.folder / "model.safetensors", "pt") as tensors:
        assert {tensors.get_slice(name).get_dtype() for name in tensors.keys()} == {"BF16"}  # noqa: SIM118
    assert json.loads((plan.folder / "config.json").read_text())["dtype"] == "bfloat16"


def test_noise_on_embeddings_changes_training_but_not_the_network(make_config, tmp_path):
    results = {}
    for alpha in (None, 5.0):
        config = make_config(neftune_alpha=alpha, max_steps=2)
        plan = make_plan(replace(config, run_dir=str(tmp_path / str(alpha))), MIXTURE)
        results[alpha] = train(plan).losses[0], {p.name for p in plan.folder.iterdir()}
    assert abs(results[None][0] - results[5.0][0]) > 1e-3
    assert results[None][1] == results[5.0][1]


@pytest.mark.parametrize(
    ("scheduler", "rates"),
    [
        # 10 steps at 1e-2, warm-up of 2: step 1 has 0, step 2 half; then by hand of the formulas, at steps 3, 7, 10
        ("linear", [0.0, 5e-3, 1e-2, 1e-2 * 4 / 8, 1e-2 * 1 / 8]),
        ("cosine", [0.0, 5e-3, 1e-2, 5e-3, 1e-2 * (1 + math.cos(math.pi * 7 / 8)) / 2]),
        ("constant", [0.0, 5e-3, 1e-2, 1e-2, 1e-2]),
    ],
)
def test_learning_rates_follow_warm_up_and_schedule(make_config, scheduler, rates):
    config = make_config(lr_scheduler=scheduler, warmup_ratio=0.2, max_steps=10, learning_rate=1e-2)
    plan = make_plan(config, MIXTURE)
    train(plan)
    history = json.loads((plan.folder / "log_history.json").read_text())
    seen = {entry["step"]: entry["learning_rate"] for entry in history if "learning_rate" in entry}
    assert [seen[step] for step in (1, 2, 3, 7, 10)] == pytest.approx(rates)


def test_tensorboard_gets_the_losses_in_the_run_directory(make_config):
    plan = make_plan(make_config(report_to=("tensorboard",), max_steps=3), MIXTURE)
    result = train(plan)
    assert "TENSORBOARD_LOGGING_DIR" not in os.environ
    (events,) = (Path(plan.config.run_dir) / "logs" / MIXTURE).glob("events.out.tfevents.*")
    assert b"train/loss" in events.read_bytes()
    assert f"run-{MIXTURE}".encode() in events.read_bytes()  # its name
    assert result.steps == 3


def test_a_loss_that_becomes_nan_stops_at_once_and_keeps_what_was_good(make_config, monkeypatch):
    from selfinstruct_train.train import row_trainer

    weighted_loss = row_trainer.weighted_loss
    calls = []

    def breaks(*args, **kwargs):
        calls.append(1)
        return weighted_loss(*args, **kwargs) * (float("nan") if len(calls) > 6 else 1.0)

    monkeypatch.setattr(row_trainer, "weighted_loss", breaks)
    plan = make_plan(make_config(max_steps=20, save_steps=2), MIXTURE)
    with pytest.raises(ValueError, match="step 4: loss is nan, so the training has failed") as raised:
        train(plan)  # two micro-batches in a step: the seventh is in step 4
    assert "\n" not in str(raised.value)
    assert len(calls) == 8
    assert last_whole_checkpoint(plan.work).name == "checkpoint-2"
    assert not (plan.work / "checkpoint-4").exists()


def test_a_base_whose_generation_config_transformers_would_refuse_is_trained_and_saved(
    make_config, base_folder, tmp_path
):
    """Sampling settings without sampling, as several published bases have them."""
    base = tmp_path / "base"
    shutil.copytree(base_folder, base)
    settings = {"do_sample": False, "temperature": 0.9, "top_p": 0.6, "eos_token_id": [0, 5], "max_length": 64}
    (base / "generation_config.json").write_text(json.dumps(settings))
    config = make_config(max_steps=2)
    plan = make_plan(replace(config, model=replace(config.model, path=str(base))), MIXTURE)
    train(plan)
    saved = json.loads((plan.folder / "generation_config.json").read_text())
    assert saved["eos_token_id"] == [0, 5]
    assert saved["max_length"] == 64
    assert "temperature" not in saved
    assert "top_p" not in saved


def test_a_chat_model_stops_at_the_end_of_its_turn(make_config, base_folder, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = tmp_path / "base"
    shutil.copytree(base_folder, base)
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = (
        "{% for m in messages %}<|begin|>{{ m.role }}\n{{ m.content }}<|turn|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|begin|>assistant\n{% endif %}"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|begin|>", "<|turn|>"]})
    tokenizer.save_pretrained(base)
    network = AutoModelForCausalLM.from_pretrained(base)
    network.resize_token_embeddings(len(tokenizer))
    network.save_pretrained(base)
    config = make_config(max_steps=2, template="chat")
    plan = make_plan(replace(config, model=replace(config.model, path=str(base))), MIXTURE)
    train(plan)
    turn = tokenizer.convert_tokens_to_ids("<|turn|>")
    assert json.loads((plan.folder / "generation_config.json").read_text())["eos_token_id"] == [turn, 0]
    saved = AutoTokenizer.from_pretrained(plan.folder)
    assert saved.chat_template == tokenizer.chat_template
    assert len(saved) == len(tokenizer)


def test_a_tokenizer_without_a_pad_token_gets_none_and_no_embedding_is_added(make_config, tokenizer):
    from transformers import AutoConfig, AutoTokenizer

    assert tokenizer.pad_token is None
    plan = make_plan(make_config(max_steps=1), MIXTURE)
    train(plan)
    assert AutoTokenizer.from_pretrained(plan.folder).pad_token is None
    assert AutoConfig.from_pretrained(plan.folder).vocab_size == 384


def test_a_gpu_by_its_number_is_refused_for_training_takes_the_first(make_config):
    config = make_config()
    message = r"model.device is 'cuda:1', but .* set CUDA_VISIBLE_DEVICES=1 in the environment, and model.device: auto"
    with pytest.raises(ValueError, match=message):
        check(replace(config, model=replace(config.model, device="cuda:1")))
    for device in ("auto", "cpu", "cuda", "cuda:0"):
        check_device(replace(config.model, device=device))


@pytest.fixture
def config_file(base_folder, rows_file, tmp_path):
    return write_config(tmp_path / "run.yaml", base_folder, rows_file)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train.dataset", "no.jsonl"], "no.jsonl: no dataset there"),
        (["--train.mixtures", "[seeds]"], 'no row has source "seed"'),
        (["--model.path", "./nowhere"], "model.path './nowhere': no such folder"),
        (["--train.batch_size", "0"], "train.batch_size is 0"),
        (["--train.report_to", "[wandbb]"], "'wandbb' is no tracker of transformers; did you mean 'wandb'"),
    ],
)
def test_the_command_refuses_bad_input_in_one_line(config_file, arguments, message):
    done = finish(config_file, *arguments)
    assert done.returncode == 2
    assert len(errors(done)) == 1
    assert message in errors(done)[0]
    assert "Traceback" not in done.stderr


def test_a_model_that_does_not_stop_is_not_called_done(config_file):
    done = finish(config_file, "--train.max_steps", "2", "--train.allow", "[]")
    assert done.returncode == 2
    assert "not fit for use" in errors(done)[0]
    assert "not proven fit" in errors(done)[-1]
