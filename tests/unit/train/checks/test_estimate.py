"""The estimate against arithmetic by hand, and against real steps on small networks of four architectures."""

import contextlib

import pytest

from selfinstruct_train.config import Config, LoraSettings, TrainConfig
from selfinstruct_train.train.arguments import make_lora
from selfinstruct_train.train.checks.devices import Devices, find_devices, known_peak
from selfinstruct_train.train.checks.dry_step import Shape, count_memory, dry_step
from selfinstruct_train.train.checks.estimate import Estimate, count_parameters, estimate
from selfinstruct_train.train.checks.model_checks import check_time
from tests.support.real_models import real_config

ARCHITECTURES = (
    "HuggingFaceTB/SmolLM2-135M",
    "Qwen/Qwen3-0.6B-Base",
    "allenai/OLMo-2-1124-7B",
    "mistralai/Mistral-7B-v0.3",
)
GPU = Devices("H100", 1, 80 * 10**9, 1e15)
CPU = Devices("CPU", 1, 16 * 10**9, 1e11, on_gpu=False, has_bfloat16=False)


def small(path: str):
    config = real_config(path)
    sizes = {"vocab_size": 512, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 6}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}
    for name, value in (sizes | heads).items():
        setattr(config, name, value)
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:6]
    return config


def real_network(config, settings: TrainConfig):
    import torch
    from transformers import AutoModelForCausalLM

    half = settings.precision == "bfloat16" and settings.method == "lora"
    with torch.random.fork_rng():
        network = AutoModelForCausalLM.from_config(
            config, dtype=torch.bfloat16 if half else torch.float32, attn_implementation="sdpa"
        )
        if settings.method == "lora":
            from peft import get_peft_model

            get_peft_model(network, make_lora(Config(train=settings)))
    network.train()
    if settings.activation_checkpointing == "on":
        name = "activation_checkpointing_enable"
        getattr(network, name, network.gradient_checkpointing_enable)({"use_reentrant": False})
        network.enable_input_require_grads()
    return network


def padded_batch(rows: int, length: int):
    import torch

    ids = torch.arange(rows * length).reshape(rows, length) % 512
    mask = torch.ones_like(ids)
    mask[0, length // 2 :] = 0
    return {"input_ids": ids, "attention_mask": mask, "use_cache": False}


def autocast(settings: TrainConfig):
    import torch

    half = settings.precision == "bfloat16"
    return torch.autocast("cpu", dtype=torch.bfloat16) if half else contextlib.nullcontext()


def kept_in_earnest(config, settings: TrainConfig, rows: int, length: int) -> int:
    """Bytes that autograd saves for the backward pass of a real forward pass, each storage once, without weights."""
    import torch

    network = real_network(config, settings)
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    saved, alive = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            saved[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), autocast(settings):
        network.base_model(**padded_batch(rows, length))
    return sum(saved.values())


@pytest.mark.parametrize("path", ARCHITECTURES)
@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_predicted_activations_are_those_of_a_real_step(path, method, precision):
    rows, length = (4, 192) if method == "full" else (2, 128)
    settings = TrainConfig(
        method=method,
        precision=precision,
        activation_checkpointing="off",
        **{"batch_size": rows, "per_device_batch_size": rows, "max_length": length},
    )
    lengths = [length // 2] + [length] * 7
    predicted = estimate(small(path), settings, lengths, CPU).memory["activations"]
    assert predicted == pytest.approx(kept_in_earnest(small(path), settings, rows, length), rel=0.03)


@pytest.mark.parametrize("path", ARCHITECTURES)
@pytest.mark.parametrize("checkpointing", ["off", "on"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_predicted_peak_is_that_of_a_real_step(path, checkpointing, method):
    import torch

    settings = TrainConfig(method=method, activation_checkpointing=checkpointing)
    network = real_network(small(path), settings)
    batch = padded_batch(4, 192)
    with count_memory(network) as real:
        network(**batch, labels=torch.where(batch["attention_mask"] == 1, batch["input_ids"], -100)).loss.backward()
    shape = Shape(4, 192, False, False, checkpointing == "on", True, "sdpa")
    _, step = dry_step(small(path), shape, make_lora(Config(train=settings)))
    assert max(step.kept + step.head, step.peak) == pytest.approx(real.peak, rel=0.1)


def test_checkpointing_keeps_little_more_than_the_inputs_of_layers():
    network = Shape(4, 192, False, False, True, True, None)
    _, step = dry_step(small(ARCHITECTURES[0]), network, None)
    inputs = 6 * 4 * 192 * 64 * 4
    assert inputs < step.kept < 1.6 * inputs  # the mask, positions and the last output too


def test_eager_attention_keeps_its_matrices():
    config = small(ARCHITECTURES[0])
    settings = [TrainConfig(attention=name, max_length=256, per_device_batch_size=2) for name in ("sdpa", "eager")]
    sdpa, eager = (estimate(config, each, [128, 256], CPU).memory["activations"] for each in settings)
    matrix = 6 * 2 * 4 * 256 * 256 * 4  # layers, rows, heads, length squared, float32
    masks = 6 * 2 * 256 * 256 * 4  # SDPA keeps its mask as float32, once a layer
    assert eager - sdpa == pytest.approx(matrix - masks, rel=0.05)


def test_full_finetuning_takes_sixteen_bytes_a_parameter():
    config = real_config("HuggingFaceTB/SmolLM2-135M")
    assert count_parameters(config) == 134_515_008  # 28,311,552 of them, 49,152 x 576, in the embeddings, tied
    memory = estimate(config, TrainConfig(max_length=64), [64] * 16, GPU).memory
    parts = [memory[part] for part in ("weights", "gradients", "optimizer")]
    assert parts == [4 * 134_515_008, 4 * 134_515_008, 8 * 134_515_008]


def test_sharding_divides_the_states_and_zero_2_leaves_the_weights_whole():
    config = real_config("HuggingFaceTB/SmolLM2-135M")
    eight = Devices("H100", 8, 80 * 10**9, 1e15)
    fsdp = estimate(config, TrainConfig(max_length=64), [64] * 16, eight, sharded=8).memory
    zero_2 = estimate(config, TrainConfig(max_length=64), [64] * 16, eight, 8, shards_weights=False).memory
    assert [fsdp[part] for part in ("weights", "gradients", "optimizer")] == [134_515_008 * n // 8 for n in (4, 4, 8)]
    assert [zero_2[part] for part in ("weights", "optimizer")] == [134_515_008 * 4, 134_515_008]


def test_lora_holds_the_base_in_two_bytes_and_qlora_in_about_half_a_byte():
    config = real_config("Qwen/Qwen3-0.6B-Base")
    lora, qlora = (
        estimate(config, TrainConfig(method=method, max_length=64, lora=LoraSettings(r=8)), [64] * 16, GPU)
        for method in ("lora", "qlora")
    )
    # r (in + out) of q, k, v, o, gate, up, down, 28 layers
    adapters = 28 * 8 * (3072 + 2048 + 2048 + 3072 + 3 * 4096)
    assert lora.memory["gradients"] == qlora.memory["gradients"] == 4 * adapters
    assert lora.memory["weights"] == 2 * 596_049_920 + 4 * adapters
    assert lora.memory["optimizer"] == 8 * adapters
    in_layers = 28 * (2 * 1024 * 2048 + 2 * 1024 * 1024 + 3 * 1024 * 3072)
    rest = 596_049_920 - in_layers  # embeddings and norms
    assert qlora.memory["weights"] == pytest.approx(in_layers * 4.127 / 8 + 2 * rest + 4 * adapters, abs=1)
    assert qlora.memory["optimizer"] == 8 * adapters


@pytest.mark.parametrize(
    ("method", "checkpointing", "passes"), [("full", "off", 6), ("full", "on", 8), ("lora", "off", 4)]
)
def test_time_is_so_many_operations_a_parameter_and_token(method, checkpointing, passes):
    """6 N (Kaplan et al., arXiv 2001.08361, section 2.1), 8 N when activations are computed again, 4 N when frozen."""
    config = real_config("HuggingFaceTB/SmolLM2-135M")
    settings = TrainConfig(method=method, activation_checkpointing=checkpointing, epochs=1, max_length=64)
    expected = estimate(config, settings, [64] * 160, CPU)
    assert expected.steps == 10
    operations = passes * 134_515_008 * 64 * 160
    assert expected.seconds * 1e11 * 0.5 == pytest.approx(operations, rel=0.12)


def test_packing_saves_the_steps_and_the_time_of_padding():
    config, lengths = small(ARCHITECTURES[0]), [200] + [20] * 79
    shared = {"epochs": 1, "batch_size": 8, "max_length": 200}
    padded = estimate(config, TrainConfig(**shared, per_device_batch_size=8), lengths, CPU)
    packed = estimate(config, TrainConfig(**shared, per_device_batch_size=8, packing=True), lengths, CPU)
    assert (padded.steps, packed.steps) == (10, 2)  # 80 rows; 1 + 79 / 10 -> 9 packs
    assert estimate(config, TrainConfig(**shared, max_steps=7), lengths, CPU).steps == 7


def test_a_measurement_of_rows_on_two_devices_takes_half_the_time():
    config, two = small(ARCHITECTURES[0]), Devices("CPU", 2, 1, 1e11, False, False)
    settings = TrainConfig(batch_size=8, per_device_batch_size=4, max_length=64)
    alone, together = (estimate(config, settings, [64] * 64, devices).seconds for devices in (CPU, two))
    assert together == pytest.approx(alone / 2)


def test_an_estimate_draws_no_number_from_the_global_generator():
    import torch

    before = torch.random.get_rng_state()
    estimate(small(ARCHITECTURES[1]), TrainConfig(method="lora"), [50], CPU)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_architecture_without_a_causal_lm_is_refused_in_one_line():
    from transformers import ViTConfig

    with pytest.raises(ValueError, match="no estimate for a model of type 'vit'"):
        estimate(ViTConfig(), TrainConfig(), [10], CPU)


@pytest.mark.parametrize(
    ("name", "teraflops"),
    [
        ("NVIDIA H200", 989.4),
        ("NVIDIA H100 80GB HBM3", 989.4),
        ("NVIDIA H100 PCIe", 756.0),
        ("NVIDIA A100-SXM4-80GB", 312.0),
        ("NVIDIA A10G", 70.0),
        ("NVIDIA L4", 121.0),
        ("NVIDIA L40S", 362.0),
        ("NVIDIA GeForce RTX 4090", 165.2),
        ("Tesla V100-SXM2-16GB", 15.7),
    ],
)
def test_known_gpus_are_found_by_the_names_drivers_give(name, teraflops):
    assert known_peak(name) == teraflops * 1e12


def test_an_unknown_gpu_is_not_taken_for_another():
    assert known_peak("NVIDIA H1000 Imaginary") is None


def test_processes_share_the_memory_of_a_cpu_and_its_speed_is_measured():
    import psutil

    devices = find_devices(False, 2)
    assert (devices.number, devices.memory) == (2, psutil.virtual_memory().total // 2)
    assert 1e8 < devices.flops < 1e14


def test_the_speed_of_a_cpu_is_that_of_the_precision_of_the_training(monkeypatch):
    from selfinstruct_train.lm.transformers import speed
    from selfinstruct_train.train.checks import devices

    flops = {"torch.bfloat16": 0.19e9, "torch.float32": 16e9}
    for module in (speed, devices):
        monkeypatch.setattr(module, "measured_flops", lambda _, dtype: flops[str(dtype)])
    speed._cpu_flops.cache_clear()
    half, full = find_devices(False, 1, uses_bfloat16=True), find_devices(False, 1)
    speed._cpu_flops.cache_clear()
    assert (half.flops, full.flops, full.slowness) == (0.19e9, 16e9, None)
    seconds = Estimate({}, 10, 60.0)
    finding = check_time(seconds, half, TrainConfig())
    assert finding.level == "warning"
    assert "84 times slower in bfloat16 than in float32 (0.19 against 16 GFLOP/s)" in finding.what
    assert finding.remedy == "set train.precision: float32"
    assert check_time(seconds, full, TrainConfig()).level == "ok"
    assert check_time(seconds, half, TrainConfig(max_hours=0.001)).remedy.startswith("set train.precision: float32, or")
