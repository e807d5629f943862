"""What the rows of a batch take: by hand, and from what torch says."""

from types import SimpleNamespace

import pytest

from selfinstruct_train.lm.transformers import memory

CONFIG = SimpleNamespace(
    num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, hidden_size=32, head_dim=8, intermediate_size=64
)


def test_rows_that_fit_by_hand(monkeypatch):
    # a row: cache 2 x 100 tokens x (2 x 2 layers x 2 heads x 8) x 4 bytes = 51,200; its 10 prompt tokens
    # x (2 x 64 + 6 x 32) x 4 = 12,800; logits 4 x 6 x 50 = 1,200; together 65,200
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1_000_000)
    assert memory.rows_that_fit(CONFIG, 4, 50, cached_tokens=100, prompt_tokens=10, device="cpu") == 12  # of 800,000
    monkeypatch.setattr(memory, "free_bytes", lambda device: 10)
    assert memory.rows_that_fit(CONFIG, 4, 50, 100, 10, "cpu") == 1


def test_free_memory_of_the_cpu_is_what_the_system_has_available():
    import psutil

    assert 0 < memory.free_bytes("cpu") <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory: you"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:72] DefaultCPUAllocator: not enough memory: you tried"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("unable to mmap 4096 bytes: Cannot allocate memory (12)"), True),
        (MemoryError(), True),
        (OSError("out of memory"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_errors_of_memory_are_told_from_others(error, short):
    assert memory.is_out_of_memory(error) is short


def test_a_real_allocation_that_is_too_large_is_an_error_of_memory():
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert memory.is_out_of_memory(caught.value)


def test_an_error_raised_from_one_of_memory_is_one_of_memory():
    error = ValueError("the model cannot be loaded")
    error.__cause__ = RuntimeError("CUDA out of memory")
    assert memory.is_out_of_memory(error)
    assert not memory.is_out_of_memory(None)


def test_sizes_of_a_token_have_a_name_in_every_family():
    llama = memory.token_sizes(CONFIG)
    assert llama == memory.TokenSizes(cache=2 * 2 * 2 * 8, hidden=32, inner=64)
    gpt2 = SimpleNamespace(n_layer=2, n_head=4, n_embd=32, n_inner=None)
    assert memory.token_sizes(gpt2) == memory.TokenSizes(cache=2 * 2 * 4 * 8, hidden=32, inner=4 * 32)


def test_what_a_trainer_held_goes_back_to_the_operating_system():
    """A trainer refers to itself, and small tensors lie on the heap, which glibc would keep."""
    import psutil
    import torch

    def held() -> float:
        return psutil.Process().memory_info().rss / 2**20

    class Trainer:
        def __init__(self):
            self.itself = self
            self.tensors = [torch.ones(24 * 1024) for _ in range(2000)]  # 96 KiB each, 188 MiB

    memory.release("cpu")
    before = held()
    trainer = Trainer()
    last = torch.ones(24 * 1024)  # above the others, so that the heap cannot shrink
    assert held() > before + 150
    del trainer
    memory.release("cpu")
    assert held() < before + 40
    assert len(last) == 24 * 1024
