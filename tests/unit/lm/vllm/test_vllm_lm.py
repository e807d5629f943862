"""What is vLLM's own behind the door. The contract suite covers the rest, where the package is (make test-servers)."""

from __future__ import annotations

import importlib.util
import os

import pytest

from selfinstruct_train.config import ModelConfig, VllmConfig
from selfinstruct_train.core.records import Request, Sampling
from selfinstruct_train.lm import load_lm
from selfinstruct_train.lm.vllm.replicas import gpu_shares

needs_vllm = pytest.mark.skipif(
    os.environ.get("SELFINSTRUCT_TEST_VLLM") != "1", reason="vLLM is tried in its own environment: make test-servers"
)


def config(folder, **vllm) -> ModelConfig:
    return ModelConfig(path=str(folder), backend="vllm", device="cpu", vllm=VllmConfig(**vllm))


def test_without_the_package_one_line_names_the_extra(kind_folder, monkeypatch):
    model = config(kind_folder("abc"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"^model.backend is vllm but .*pip install 'selfinstruct-train\[vllm\]'"):
        load_lm(model)


def test_an_adapter_is_refused_before_anything_is_started(tmp_path):
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(ValueError, match="LoRA adapter, which the vllm backend does not load"):
        load_lm(config(tmp_path))


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no model"):
        load_lm(config(tmp_path))


def test_replicas_get_gpus_of_their_own():
    two_by_two = config("m", data_parallel_size=2, tensor_parallel_size=2)
    assert gpu_shares(None, 4, two_by_two) == ["0,1", "2,3"]
    assert gpu_shares("7,5,3,1", 4, two_by_two) == ["7,5", "3,1"]
    assert gpu_shares(None, 0, two_by_two) == [None, None]  # a CPU
    with pytest.raises(ValueError, match=r"2 replicas .* of 2 GPUs .* need 4 GPUs, 3 are visible"):
        gpu_shares(None, 3, two_by_two)


@needs_vllm
def test_answers_are_told_as_they_finish(kind_folder):
    told: list[list[str]] = []
    lm = load_lm(config(kind_folder("ends")))  # "a" a few times, then the end
    requests = [Request(str(i), "x" * (i + 1), i) for i in range(6)]
    answers = lm.complete(requests, Sampling(40, temperature=1.0), lambda new: told.append([c.request_id for c in new]))
    assert len(told) > 1
    assert sorted(id for ids in told for id in ids) == [a.request_id for a in answers] == [str(i) for i in range(6)]


@needs_vllm
def test_a_call_cut_short_leaves_nothing_behind(kind_folder):
    lm = load_lm(config(kind_folder("random")))
    requests = [Request(str(i), f"The cat {i}", i) for i in range(8)]

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lm.complete([*requests, Request("short", "x", 1)], Sampling(1), stop)
    assert len(lm.complete(requests, Sampling(5))) == 8


@needs_vllm
def test_more_prompt_tokens_than_a_step_takes_are_answered(kind_folder):
    lm = load_lm(config(kind_folder("random")))
    requests = [Request(str(i), f"{i}: " + "x" * 200, i) for i in range(64)]  # a step takes 2,048 on a CPU
    assert len(lm.complete(requests, Sampling(5, temperature=1.0))) == 64


@needs_vllm
def test_max_model_len_is_the_context(kind_folder):
    lm = load_lm(config(kind_folder("random"), max_model_len=32))
    with pytest.raises(ValueError, match=r"'r': a prompt of 20 tokens and max_new_tokens 20 .* context of 32"):
        lm.complete([Request("r", "x" * 20)], Sampling(20))


@needs_vllm
def test_replicas_answer_as_one_engine(kind_folder):
    one, two = (load_lm(config(kind_folder("random"), data_parallel_size=n)) for n in (1, 2))
    requests = [Request(str(i), f"Name {i} animals", i) for i in range(9)]
    sampling, told = Sampling(12, temperature=1.0), []
    assert two.name == one.name
    assert two.complete(requests, sampling, told.extend) == one.complete(requests, sampling)
    assert sorted(c.request_id for c in told) == [str(i) for i in range(9)]
    with pytest.raises(ValueError, match="'long': a prompt of 300 tokens"):
        two.complete([Request("long", "x" * 300), *requests], sampling)
    assert two.complete(requests[:1], sampling)[0].request_id == "0"
    two.close()
