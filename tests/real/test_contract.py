"""The contract suite on real models: all that does not need logits made by hand, in float32."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.core.records import Request, Sampling
from selfinstruct_train.lm import LM, load_lm
from selfinstruct_train.lm.stopping import completion_text
from tests.integration.lm import test_contract as contract
from tests.integration.lm.test_contract import (  # noqa: F401 (pytest collects them)
    test_answers_come_in_request_order_whatever_the_prompt_lengths,
    test_every_answer_is_told_once_before_the_call_returns,
    test_neighbours_and_order_cannot_reach_the_answers,
    test_rows_that_finish_early_do_not_disturb_the_others,
    test_seeds_of_63_bits_are_taken_whole,
    test_the_seed_alone_tells_equal_prompts_apart,
    test_what_on_answer_raises_ends_the_call,
)


@cache
def open_model(folder: str) -> LM:
    return load_lm(ModelConfig(path=folder, device="cpu", dtype="float32"))


class RealBackend(contract.Backend):
    """The transformers backend on one real model, whichever kind a test asks for."""

    def __init__(self, folder: str) -> None:
        self.name, self.folder, self.is_server, self.num_requests = "transformers", folder, False, 9

    def open(self, kind: str, batch_size: int = 32) -> LM:
        assert kind == "random", f"a real model is not of kind {kind!r}"
        lm = open_model(self.folder)
        lm.batch_size = batch_size
        return lm

    def skips_without(self, *features: str) -> None:
        pass


@pytest.fixture
def backend(real_model: str) -> RealBackend:
    return RealBackend(real_model)


@pytest.fixture
def tokenizer(real_model: str):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(real_model)


@pytest.mark.parametrize("name", ["greedy", "paper"])
def test_batch_size_cannot_reach_the_answers_behind_a_shared_prefix(backend, name):
    contract.test_batch_size_cannot_reach_the_answers(backend, name, contract.SHARED)


def test_batch_size_cannot_reach_the_answers_without_a_shared_prefix(backend):
    contract.test_batch_size_cannot_reach_the_answers(backend, "open", "")


def test_greedy_answers_are_those_of_generate(backend, tokenizer):
    import torch
    from transformers import AutoModelForCausalLM

    lm, prompts = backend.open("random", 8), [request.prompt for request in contract.requests(5, contract.SHARED)]
    answers = lm.complete([Request(str(i), prompt, i) for i, prompt in enumerate(prompts)], Sampling(16))
    network = AutoModelForCausalLM.from_pretrained(backend.folder, dtype=torch.float32)
    for prompt, answer in zip(prompts, answers, strict=True):
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            made = network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=16, do_sample=False)
        new = made[0, ids.shape[1] :].tolist()
        assert answer.text == completion_text(tokenizer, ids[0].tolist(), new)
        assert answer.completion_tokens == len(new)


def test_bos_stands_in_front_once_if_the_tokenizer_puts_it_there(backend, tokenizer):
    bare = len(tokenizer("x", add_special_tokens=False)["input_ids"])
    bos = tokenizer.bos_token if len(tokenizer("x")["input_ids"]) > bare else ""
    assert bool(bos) == ("gemma" in backend.folder)
    lm = backend.open("random")
    for prompt in ("x", f"{bos}x"):
        assert contract.one(lm, Sampling(1), prompt=prompt).prompt_tokens == bare + bool(bos)


def test_a_chat_request_needs_a_chat_template(backend):
    lm = backend.open("random")
    chat = [Request("r", "Name three animals", chat=True)]
    if "instruct" not in backend.folder:
        with pytest.raises(ValueError, match="chat template"):
            lm.complete(chat, Sampling(12))
        return
    system = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    asked = f"{system}<|im_start|>user\nName three animals<|im_end|>\n<|im_start|>assistant\n"
    assert lm.complete(chat, Sampling(12)) == [contract.one(lm, Sampling(12), prompt=asked)]


def test_a_prompt_beyond_the_context_raises(backend):
    context = 32_768 if "gemma" in backend.folder else 8192
    with pytest.raises(ValueError, match=rf"row-7.*max_new_tokens 20.*context of {context}"):
        backend.open("random").complete([Request("row-7", "red " * context, 0)], Sampling(max_new_tokens=20))


def test_the_name_holds_folder_fingerprint_and_dtype(backend):
    path, _, rest = backend.open("random").name.rpartition("@")
    assert Path(path).name == Path(backend.folder).name
    assert rest.endswith(" transformers float32")
