"""What is particular to the transformers backend: shared prefixes, numerics, batches and memory."""

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.core.records import Request, Sampling
from selfinstruct_train.lm import load_lm
from selfinstruct_train.lm.transformers import batch, memory, shared_prefix, shares, transformers_lm, trial
from selfinstruct_train.lm.transformers.batch import Batch, TokenSequence, joined, started
from tests.support.small_model import make_model, make_tokenizer
from tests.support.small_requests import SHARED, open_lm, requests


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_shared_prefix_gives_the_answers_of_the_plain_path(model_folder, monkeypatch, temperature):
    lm, sampling = open_lm(model_folder), Sampling(24, temperature, stop=("\n",))
    shared = []
    run_prefix = lm.decoder.run_prefix
    monkeypatch.setattr(lm.decoder, "run_prefix", lambda ids: shared.append(len(ids)) or run_prefix(ids))
    with_prefix = lm.complete(requests(), sampling)
    assert shared == [len(lm._tokenizer(SHARED.rstrip(" "))["input_ids"])]
    monkeypatch.setattr(shares, "MIN_SHARED_PREFIX", 10**6)
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
    decoder.check_architecture()
    assert decoder.keeps_prefix_once()
    decoder.network.prefix_use = "once" if once else "copied"
    rows = [lm._tokenizer(r.prompt)["input_ids"] for r in requests(32)]
    with torch.inference_mode():
        rows.sort(key=len, reverse=True)
        prefix, network = decoder.run_prefix(rows[0][:20]), decoder.network
        many = joined(started(network, [TokenSequence(ids, 0) for ids in rows], Sampling(4), prefix))
        assert many.cache.get_seq_length() == len(rows[0]) - (20 if once else 0)
        alone = [Batch(network, [TokenSequence(ids, 0)], Sampling(4), None) for ids in rows]
        token = torch.tensor([5])
        noise = (many.logits - torch.cat([b.logits for b in alone])).abs().max()
        for _ in range(3):
            many.advance(token.expand(32))
            for one in alone:
                one.advance(token)
            noise = max(noise, (many.logits - torch.cat([b.logits for b in alone])).abs().max())
    assert 0 < noise < transformers_lm.FLOAT32_MARGIN / 8


def test_choices_too_close_to_call_are_decided_alone_and_seldom(model_folder, monkeypatch):
    lm = open_lm(model_folder)
    lm.complete(requests(32), Sampling(24, 1.0))
    assert lm.decoder.num_tokens > 600
    assert lm.decoder.network.num_decided_alone < 0.01 * lm.decoder.num_tokens
    before = lm.complete(requests(4), Sampling(12, 1.0))
    lm.decoder.network.margin = 1e9
    lm.decoder.network.num_decided_alone = 0
    assert lm.complete(requests(4), Sampling(12, 1.0)) == before
    assert lm.decoder.network.num_decided_alone == sum(answer.completion_tokens for answer in before)


def test_a_model_whose_attention_ignores_the_prefix_gets_copies(model_folder, monkeypatch):
    lm = open_lm(model_folder)
    expected = lm.complete(requests(), Sampling(8))
    assert lm.decoder.keeps_prefix_once()
    monkeypatch.setattr(shared_prefix, "attention", shared_prefix._sdpa())
    other = open_lm(model_folder)
    assert not other.decoder.keeps_prefix_once()
    assert other.decoder.network.model.config._attn_implementation == "sdpa"
    assert other.complete(requests(), Sampling(8)) == expected


def test_queries_that_take_turns_at_the_prefix_give_the_same(model_folder, monkeypatch):
    expected = open_lm(model_folder).complete(requests(), Sampling(12, 1.0))
    monkeypatch.setattr(shared_prefix, "MAX_SCORES", {"cpu": 200})
    monkeypatch.setattr(batch, "PROMPT_TOKENS", {"cpu": 16})
    assert open_lm(model_folder).complete(requests(), Sampling(12, 1.0)) == expected


def test_rows_take_the_places_of_finished_ones(model_folder, monkeypatch):
    lm, sizes = open_lm(model_folder, batch_size=8), []
    next_tokens = Batch.next_tokens
    monkeypatch.setattr(Batch, "next_tokens", lambda batch: sizes.append(len(batch.rows)) or next_tokens(batch))
    answers = lm.complete(requests(64), Sampling(40, 1.0, stop=("e", "s")))
    lengths = [answer.completion_tokens for answer in answers]
    in_batches = sum(max(lengths[i : i + 8]) for i in range(0, 64, 8))
    assert max(sizes) == 8
    assert len(sizes) < 0.75 * in_batches
    assert answers == open_lm(model_folder, 1).complete(requests(64), Sampling(40, 1.0, stop=("e", "s")))


def test_answers_are_told_once_and_when_they_are_there(model_folder):
    told = []
    answers = open_lm(model_folder, 4).complete(
        requests(20), Sampling(30, 1.0, stop=("e",)), lambda new: told.append([a.request_id for a in new])
    )
    assert sorted(id for ids in told for id in ids) == sorted(a.request_id for a in answers)
    assert len(told) > 5


def test_bfloat16_answers_every_request(model_folder):
    lm = load_lm(ModelConfig(path=str(model_folder), device="cpu", batch_size=4, dtype="bfloat16"))
    lm.decoder.check_architecture()
    assert lm.decoder.keeps_prefix_once()
    assert [a.request_id for a in lm.complete(requests(24), Sampling(16, 1.0))] == [str(i) for i in range(24)]
    assert lm.decoder.network.num_decided_alone == 0


def short_of_memory(lm, monkeypatch, largest: int) -> list[int]:
    """Let the model fail, as torch does, with more rows than `largest`; return the sizes that were tried."""
    import torch

    forward, tried = lm.decoder.network.forward, []

    def failing(ids, *args):
        tried.append(len(ids))
        if len(ids) > largest:
            raise torch.OutOfMemoryError("out of memory. Tried to allocate 2.00 GiB")
        return forward(ids, *args)

    monkeypatch.setattr(lm.decoder.network, "forward", failing)
    return tried


def test_a_batch_that_memory_does_not_hold_is_halved_and_nothing_is_lost(model_folder, monkeypatch, caplog):
    expected = open_lm(model_folder).complete(requests(), Sampling(12, 1.0))
    lm, told = open_lm(model_folder, batch_size=12), []
    lm.decoder.check_architecture()
    tried = short_of_memory(lm, monkeypatch, 4)
    assert lm.complete(requests(), Sampling(12, 1.0), told.extend) == expected
    assert len(told) == 12
    assert {n for n in tried if n > 4} == {12, 6}
    assert "short with 12 prompts at once; going on with 6" in caplog.text


def test_a_single_row_that_memory_does_not_hold_is_one_line(model_folder, monkeypatch):
    lm = open_lm(model_folder)
    short_of_memory(lm, monkeypatch, 0)
    with pytest.raises(ValueError, match=r"memory of cpu does not hold a single prompt of \d+ tokens") as caught:
        lm.complete(requests(3), Sampling(4))
    assert "\n" not in str(caught.value)


def test_free_memory_limits_the_rows_at_once(model_folder, monkeypatch):
    lm, sizes = open_lm(model_folder), []
    next_tokens = Batch.next_tokens
    monkeypatch.setattr(Batch, "next_tokens", lambda batch: sizes.append(len(batch.rows)) or next_tokens(batch))
    monkeypatch.setattr(memory, "free_bytes", lambda device: 400_000)
    lm.complete(requests(24), Sampling(8))
    assert 1 < max(sizes) < 24


CHAT = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
CHAT += "{% if add_generation_prompt %}<assistant>{% if enable_thinking is false %}<no-thoughts>{% endif %}{% endif %}"


def test_a_chat_prompt_is_rendered_by_the_models_template_with_one_bos(tmp_path):
    tokenizer = make_tokenizer(tmp_path, bos=True)
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(tmp_path)
    make_model(tmp_path, len(tokenizer), bos_token_id=1)
    lm = open_lm(tmp_path)
    ids = lm.encoded([Request("r", "The cat", 0, chat=True)], Sampling(4))[0]
    assert tokenizer.decode(ids) == "<|begin|><user>The cat</><assistant><no-thoughts>"
    assert ids.count(1) == 1
    plain = Request("p", "<|begin|><user>The cat</><assistant><no-thoughts>", 0)
    chat, same = lm.complete([Request("r", "The cat", 0, chat=True), plain], Sampling(6))
    assert (chat.text, chat.prompt_tokens) == (same.text, same.prompt_tokens)


def test_a_token_without_embedding_is_in_nobodys_way_until_a_prompt_holds_it(tmp_path):
    tokenizer = make_tokenizer(tmp_path)
    make_model(tmp_path, len(tokenizer))
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.save_pretrained(tmp_path)
    lm = open_lm(tmp_path)
    assert lm.complete([Request("a", "The cat", 0)], Sampling(2))[0].completion_tokens
    with pytest.raises(ValueError, match="request 'b': the prompt holds the token '<image>'.* no embedding"):
        lm.complete([Request("b", "The <image>", 0)], Sampling(2))


def test_a_chat_prompt_without_a_chat_template_is_one_line(model_folder):
    with pytest.raises(ValueError, match=r"no chat template; use an instruct model, or plain prompts") as caught:
        open_lm(model_folder).complete([Request("r", "The cat", 0, chat=True)], Sampling(4))
    assert str(model_folder) in str(caught.value)
    assert "\n" not in str(caught.value)


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


def test_it_tells_what_it_is_writing_while_no_answer_is_finished(model_folder, monkeypatch):
    lm = open_lm(model_folder)
    seen = []
    append = lm.decoder._append

    def look(*args):
        finished = append(*args)
        seen.append((lm.in_work().num_requests, lm.in_work().num_tokens, len(finished)))
        return finished

    monkeypatch.setattr(lm.decoder, "_append", look)
    monkeypatch.setattr(lm.decoder, "eos_ids", frozenset())
    lm.complete(requests(4), Sampling(3))
    assert seen == [(4, 4, 0), (4, 8, 0), (0, 0, 4)]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_model_that_sees_padding_is_refused_in_every_precision(model_folder, dtype):
    lm = load_lm(ModelConfig(path=str(model_folder), device="cpu", dtype=dtype))
    network = lm.decoder.network
    forward = network.model.forward
    network.model.forward = lambda attention_mask, **arguments: forward(attention_mask=None, **arguments)
    with pytest.raises(ValueError, match="in a batch, token by token, gives other logits than for a text alone"):
        lm.complete(requests(4), Sampling(4))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_an_attention_that_loses_the_prefix_at_later_steps_gets_copies(model_folder, monkeypatch, dtype):
    attend = shared_prefix.attention

    def forgetful(module, query, key, *args, **kwargs):
        is_later_step = query.shape[2] == 1 and key.shape[2] > 1
        return attend(module, query, key.clone() if is_later_step else key, *args, **kwargs)

    monkeypatch.setattr(shared_prefix, "attention", forgetful)
    lm = load_lm(ModelConfig(path=str(model_folder), device="cpu", dtype=dtype))
    lm.decoder.check_architecture()
    assert lm.decoder.network.prefix_use == "copied"


def test_a_shortage_of_memory_during_the_trial_does_not_decide_it(model_folder, monkeypatch):
    import torch

    lm = open_lm(model_folder)
    started = trial.started

    def short_once(*args):
        monkeypatch.setattr(trial, "started", started)
        raise torch.OutOfMemoryError("out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(trial, "started", short_once)
    lm.complete(requests(4), Sampling(4))
    assert lm.decoder.keeps_prefix_once()
