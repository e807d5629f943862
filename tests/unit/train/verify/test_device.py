"""Where a model is examined follows from free memory; the sums are worked out by hand."""

import pytest
import torch

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.train.verify import device as module
from selfinstruct_train.train.verify.device import (
    Batch,
    Device,
    choose_device,
    dtypes_of_use,
    find_device,
    memory_needed,
)

BATCH = Batch(rows=4, length=100)
HALF, FULL = torch.bfloat16, torch.float32


@pytest.fixture
def model(base_folder) -> ModelConfig:
    return ModelConfig(path=str(base_folder))


@pytest.fixture
def memory(monkeypatch):
    """Give this machine GPUs and memory of so many free bytes."""

    def set_free(gpus: list[float], ram: float) -> None:
        monkeypatch.setattr(module, "trains_on_gpu", lambda model: bool(gpus) and model.device != "cpu")
        monkeypatch.setattr(module, "free_bytes", lambda device: ram)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(gpus))
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda number: (gpus[number], 0))
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)

    return set_free


def test_weights_cache_activations_and_logits_are_counted(model, base_folder):
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(base_folder)
    config = network.config
    cache = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim
    one_layer = 6 * config.hidden_size + 3 * config.intermediate_size
    numbers = network.num_parameters() + 4 * 100 * (cache + one_layer) + 100 * config.vocab_size
    assert memory_needed(model, FULL, BATCH) == 4 * numbers
    assert memory_needed(model, HALF, BATCH) == 2 * numbers


def test_one_gpu_then_all_gpus_then_the_cpu_is_taken(model, memory, caplog):
    needed = memory_needed(model, HALF, BATCH)
    enough, half, little = 1.3 * needed, 0.7 * needed, 0.1 * needed  # four fifths of what is free may be filled
    memory([enough, little], ram=0)
    assert find_device(model, BATCH, [HALF]) == Device("cuda", HALF)
    memory([half, half], ram=0)
    assert find_device(model, BATCH, [HALF]) == Device("auto", HALF)
    memory([half], ram=enough)
    assert find_device(model, BATCH, [HALF]) == Device("cpu", HALF)
    assert "on the CPU, which is slow" in caplog.text
    assert find_device(model, BATCH, [FULL]) is None
    memory([half], ram=2 * enough)
    assert find_device(model, BATCH, [FULL]) == Device("cpu", FULL)


def test_the_cpu_takes_bfloat16_where_float32_has_no_room_and_a_setting_stands(model, memory):
    needed = memory_needed(model, HALF, BATCH)
    memory([], ram=1.3 * needed)
    assert dtypes_of_use(model) == [FULL, HALF]
    assert choose_device(model, BATCH, dtypes_of_use(model)) == Device("cpu", HALF)
    assert dtypes_of_use(ModelConfig(dtype="float16")) == [torch.float16]


def test_no_room_anywhere_is_one_line(model, memory):
    memory([10.0], ram=10.0)
    with pytest.raises(ValueError, match=r"could not be examined: it needs 0\.0 GiB of free memory for 4 answers"):
        choose_device(model, BATCH, [HALF])
