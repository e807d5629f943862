"""The settings in TRL's words: what is pinned, what follows from the plan, what is refused before anything costly."""

import importlib.util
from dataclasses import replace

import pytest

from selfinstruct_train.config import LoraSettings
from selfinstruct_train.train.arguments import check_available, check_lora_targets, make_arguments, make_lora, num_steps
from selfinstruct_train.train.network.model import make_skeleton
from selfinstruct_train.train.plan import make_plan
from tests.support.train_process import MIXTURE


def arguments(config, num_parameters=100, **options):
    return make_arguments(make_plan(config, MIXTURE), num_parameters, 4, 2, on_gpu=False, **options)


def test_nothing_is_left_to_defaults_that_differ_between_trl_and_transformers(make_config):
    made = arguments(make_config())
    assert (made.bf16, made.fp16) == (False, False)
    assert made.gradient_checkpointing is False
    assert (made.max_length, made.packing, made.padding_free) == (None, False, False)
    assert made.max_grad_norm == 1.0
    assert made.logging_nan_inf_filter is False
    assert made.report_to in ([], ["none"])
    assert str(made.optim.value) == "adamw_torch_fused"


def test_steps_are_counted_in_rows_or_in_packs(make_config):
    plain = make_plan(make_config(epochs=2.5), MIXTURE)
    assert num_steps(plain) == (8, 20)  # 60 rows in steps of 8
    packed = make_plan(make_config(packing=True, epochs=2.5, max_length=128), MIXTURE)
    in_epoch, steps = num_steps(packed)
    # 2,524 tokens, rows of 38 to 47, three in a pack of 128: 20 packs at least, and 24 still are three steps of 8
    assert (in_epoch, steps) == (3, 8)
    assert num_steps(make_plan(make_config(max_steps=3), MIXTURE)) == (8, 3)


def test_activation_checkpointing_is_asked_for_by_name_and_without_reentrance(make_config):
    made = arguments(make_config(activation_checkpointing="on"))
    assert made.gradient_checkpointing is True
    assert made.gradient_checkpointing_kwargs == {"use_reentrant": False}
    plan = make_plan(make_config(), MIXTURE)
    on_gpu = {size: make_arguments(plan, size, 4, 2, on_gpu=False).gradient_checkpointing for size in (10**6, 10**10)}
    assert on_gpu == {10**6: False, 10**10: False}  # auto: on a GPU only


def test_the_run_has_a_name_for_trackers(make_config):
    assert arguments(make_config()).run_name == "run-seeds+generated"


def test_a_lora_setting_reaches_peft(make_config):
    lora = make_lora(
        make_config(method="qlora", lora=LoraSettings(8, 24, 0.25, "q_proj, v_proj", use_dora=True, use_rslora=True))
    )
    assert (lora.r, lora.lora_alpha, lora.lora_dropout) == (8, 24, 0.25)
    assert lora.target_modules == {"q_proj", "v_proj"}
    assert lora.use_dora
    assert lora.use_rslora
    assert make_lora(make_config()) is None


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (
            "q_proj,query",
            "'query' is no linear layer of .* which has down_proj, gate_proj, k_proj, o_proj, q_proj, up_",
        ),
        ("lm_head", "'lm_head' is no linear layer"),
        (" , ", "no name is no linear layer"),
        ("embed_tokens", "'embed_tokens' is no linear layer"),
    ],
)
def test_lora_names_that_the_model_does_not_have_are_refused_with_those_it_has(make_config, targets, message):
    config = make_config(method="lora", lora=LoraSettings(target_modules=targets))
    with pytest.raises(ValueError, match=message):
        check_lora_targets(config, make_skeleton(config.model))


@pytest.mark.parametrize("targets", ["q_proj", "self_attn.q_proj, mlp.up_proj", "all-linear"])
def test_lora_names_that_the_model_has_pass(make_config, targets):
    config = make_config(method="lora", lora=LoraSettings(target_modules=targets))
    check_lora_targets(config, make_skeleton(config.model))


def test_qlora_without_bitsandbytes_names_the_extra(make_config, monkeypatch):
    monkeypatch.setattr("selfinstruct_train.train.arguments.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'selfinstruct-train\[quant\]', or choose lora"):
        check_available(make_config(method="qlora"), on_gpu=False)
    check_available(make_config(method="lora"), on_gpu=False)


def test_qlora_is_refused_where_weights_are_sharded(make_config, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(ValueError, match="4 bits are not sharded by FSDP; launch with configs/accelerate/ddp.yaml"):
        check_available(make_config(method="qlora"), on_gpu=True)


def test_flash_attention_without_a_gpu_is_refused(make_config):
    with pytest.raises(ValueError, match="flash_attention_2, which needs a GPU"):
        check_available(make_config(attention="flash_attention_2"), on_gpu=False)


@pytest.mark.parametrize(
    ("name", "message"),
    [("tensorbord", "no tracker of transformers; did you mean 'tensorboard'"), ("all", "'all' is no tracker")],
)
def test_an_unknown_tracker_is_refused(make_config, name, message):
    with pytest.raises(ValueError, match=message):
        check_available(make_config(report_to=(name,)), on_gpu=False)


def test_a_tracker_that_is_not_installed_is_refused(make_config):
    assert importlib.util.find_spec("swanlab") is None
    with pytest.raises(ValueError, match="the tracker 'swanlab' is not installed; pip install swanlab, or take it out"):
        check_available(make_config(report_to=("tensorboard", "swanlab")), on_gpu=False)


def test_save_steps_are_of_the_identity_only_with_validation_rows(make_config):
    config = make_config(validation_rows=4)
    with_validation = make_plan(config, MIXTURE).identity["train"]
    assert with_validation["save_steps"] == 200
    assert with_validation["best_by"] == "loss"
    without = make_plan(replace(config, train=replace(config.train, validation_rows=0)), MIXTURE).identity["train"]
    assert not {"save_steps", "best_by"} & without.keys()


def test_one_process_that_sees_several_gpus_trains_on_one_and_says_so(make_config, monkeypatch, caplog):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)  # enough: transformers counts before it asks for CUDA
    plan = make_plan(make_config(precision="float32"), MIXTURE)
    made = make_arguments(plan, 100, 4, 2, on_gpu=True)
    assert made.n_gpu == 1
    assert "4 GPUs are visible" in caplog.text
    assert "accelerate launch --multi_gpu --num_processes 4 -m selfinstruct_train train" in caplog.text
