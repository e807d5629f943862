"""What is particular to the transformers backend: shared prefixes, numerics, other architectures, and the cache."""

from pathlib import Path

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.lm import batches, load_lm, transformers_lm
from selfinstruct_train.lm.decoding import Row, _Batch
from selfinstruct_train.types import Request, Sampling

from .small_model import make_tokenizer

SHARED = "Task: Sort the words.\nInput: red, blue, green\nOutput: blue, green, red\n\nTask: "


def open_lm(folder: Path, batch_size: int = 32):
    return load_lm(ModelConfig(path=str(folder), device="cpu", batch_size=batch_size))


def requests(count: int = 12) -> list[Request]:
    texts = ("Name three animals", "Write one sentence about rain in spring", "The dog")
    return [Request(str(i), f"{SHARED}{texts[i % 3]} {i}", i) for i in range(count)]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_shared_prefix_gives_the_answers_of_the_plain_path(model_folder, monkeypatch, temperature):
    lm, sampling = open_lm(model_folder), Sampling(24, temperature, stop=("\n",))
    shared = []
    run_prefix = lm.decoder.run_prefix
    monkeypatch.setattr(lm.decoder, "run_prefix", lambda ids: shared.append(len(ids)) or run_prefix(ids))
    with_prefix = lm.complete(requests(), sampling)
    assert shared == [len(lm._tokenizer(SHARED.rstrip(" "))["input_ids"])]
    monkeypatch.setattr(batches, "MIN_SHARED_PREFIX", 10**6)
    assert lm.complete(requests(), sampling) == with_prefix
    assert len(shared) == 1


def test_equal_prompts_keep_a_token_of_their_own_behind_the_prefix(model_folder):
    lm = open_lm(model_folder)
    same = [Request("a", SHARED, 1), Request("b", SHARED, 1)]
    first, second = lm.complete(same, Sampling(8))
    assert first.text == second.text == lm.complete(same[:1], Sampling(8))[0].text


@pytest.mark.parametrize("once", [True, False], ids=["prefix kept once", "prefix copied"])
def test_logits_noise_is_far_below_the_margin(model_folder, once):
    import torch

    lm = open_lm(model_folder)
    decoder = lm.decoder
    assert decoder.keeps_prefix_once()
    decoder._keeps_prefix_once = once
    rows = [lm._tokenizer(r.prompt)["input_ids"] for r in requests(32)]
    with torch.inference_mode():
        many = _Batch(decoder, [Row(ids, 0) for ids in rows], Sampling(4), decoder.run_prefix(rows[0][:20]))
        assert many.cache.get_seq_length() == max(map(len, rows)) - (20 if once else 0)
        alone = [_Batch(decoder, [Row(ids, 0)], Sampling(4), None) for ids in rows]
        token = torch.tensor([5])
        noise = (many.logits - torch.cat([b.logits for b in alone])).abs().max()
        for _ in range(3):
            many.advance(token.expand(32))
            for batch in alone:
                batch.advance(token)
            noise = max(noise, (many.logits - torch.cat([b.logits for b in alone])).abs().max())
    assert 0 < noise < transformers_lm.FLOAT32_MARGIN / 8


def test_choices_too_close_to_call_are_decided_alone_and_seldom(model_folder, monkeypatch):
    lm = open_lm(model_folder)
    lm.complete(requests(32), Sampling(24, 1.0))
    assert lm.decoder.num_tokens > 600
    assert lm.decoder.num_decided_alone < 0.01 * lm.decoder.num_tokens
    before = lm.complete(requests(4), Sampling(12, 1.0))
    lm.decoder.margin = 1e9
    lm.decoder.num_decided_alone = 0
    assert lm.complete(requests(4), Sampling(12, 1.0)) == before
    assert lm.decoder.num_decided_alone == sum(answer.completion_tokens for answer in before)


def _save(folder: Path, config, cls) -> None:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(3)
        cls(config).save_pretrained(folder)


def _architecture(name: str, folder: Path) -> bool:
    """Save a small random model; return whether it may share a prefix."""
    import transformers as t

    size = len(make_tokenizer(folder))
    common = {"vocab_size": size, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    common |= {"num_attention_heads": 4, "initializer_range": 0.3, "eos_token_id": 0, "bos_token_id": None}
    if name == "gpt2":
        config = t.GPT2Config(
            vocab_size=size, n_embd=32, n_layer=2, n_head=4, n_positions=128, initializer_range=0.3, eos_token_id=0
        )
        _save(folder, config, t.GPT2LMHeadModel)
    elif name == "sliding":
        _save(folder, t.MistralConfig(**common, num_key_value_heads=2, sliding_window=12), t.MistralForCausalLM)
    elif name == "bloom":
        config = t.BloomConfig(
            vocab_size=size, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.3, eos_token_id=0
        )
        _save(folder, config, t.BloomForCausalLM)
    else:
        _save(folder, t.GPTNeoXConfig(**common), t.GPTNeoXForCausalLM)
    return name in ("gpt2", "neox")


@pytest.mark.parametrize("name", ["gpt2", "neox", "sliding", "bloom"])
def test_other_architectures_keep_their_answers_at_every_batch_size(tmp_path, name):
    shares = _architecture(name, tmp_path)
    sampling = Sampling(16, 1.0, stop=("s",))
    alone, many = (open_lm(tmp_path, size).complete(requests(), sampling) for size in (1, 8))
    assert alone == many
    assert open_lm(tmp_path).decoder.can_share_prefix() is shares


def test_greedy_answers_are_those_of_transformers_generate(model_folder):
    import torch

    lm = open_lm(model_folder)
    for request in requests(3):
        ids = torch.tensor([lm._tokenizer(request.prompt)["input_ids"]])
        whole = lm.decoder.model.generate(ids, do_sample=False, max_new_tokens=12, eos_token_id=0, pad_token_id=0)
        expected = lm._tokenizer.decode(whole[0, ids.shape[1] :], skip_special_tokens=True)
        assert lm.complete([request], Sampling(12))[0].text == expected


def test_the_built_in_model_answers_alike_at_every_batch_size():
    shared = "".join(f"Task {i}: Name {i} animals that live on a farm.\n" for i in range(1, 6))
    asked = [Request(str(i), f"{shared}Task 6: Write a sentence about {i} hens.\nTask 7:", i) for i in range(20)]
    sampling = Sampling(24, 1.0, 0.9, stop=("\n\n", "Task 8"))
    answers = [
        load_lm(ModelConfig(path="builtin:tiny", device="cpu", batch_size=size)).complete(asked, sampling)
        for size in (1, 8, 64)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert len({answer.text for answer in answers[0]}) > 10
