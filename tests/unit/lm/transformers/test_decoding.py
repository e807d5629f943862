"""The decode loop on many architectures: the answers of the model alone, or one line that says no."""

import pytest

from selfinstruct_train.core.records import Sampling
from selfinstruct_train.lm.stopping import completion_text
from selfinstruct_train.lm.transformers.batch import Batch, TokenSequence
from tests.support.architectures import USES, save_architecture, save_random
from tests.support.small_model import make_tokenizer
from tests.support.small_requests import open_lm, requests


@pytest.mark.parametrize("name", [name for name in USES if name != "llama"])
def test_other_architectures_keep_their_answers_at_every_batch_size(tmp_path, name):
    save_architecture(name, tmp_path)
    sampling = Sampling(16, 1.0, stop=("s",))
    alone, many = (open_lm(tmp_path, size).complete(requests(24), sampling) for size in (1, 8))
    assert alone == many
    decoder = open_lm(tmp_path).decoder
    decoder.check_architecture()
    assert decoder.network.prefix_use == USES[name]


@pytest.mark.parametrize("name", USES)
def test_greedy_answers_are_those_of_transformers_generate(model_folder, tmp_path, name):
    import torch
    import transformers

    folder = model_folder if name == "llama" else tmp_path
    if name != "llama":
        save_architecture(name, tmp_path)
    lm = open_lm(folder, batch_size=3)
    plain = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    answers = lm.complete(requests(10), Sampling(12))
    for request, answer in zip(requests(10), answers, strict=True):
        ids = torch.tensor([lm._tokenizer(request.prompt)["input_ids"]])
        whole = plain.generate(ids, do_sample=False, max_new_tokens=12, eos_token_id=0, pad_token_id=0)
        assert answer.text == completion_text(
            lm._tokenizer, ids[0].tolist(), [t for t in whole[0, ids.shape[1] :].tolist() if t != 0]
        )


def test_a_model_that_takes_no_cache_is_refused(tmp_path):
    import transformers as t

    size = len(make_tokenizer(tmp_path))
    save_random(tmp_path, t.OpenAIGPTConfig(vocab_size=size, n_embd=32, n_layer=2, n_head=4), t.OpenAIGPTLMHeadModel)
    with pytest.raises(ValueError, match=r"OpenAIGPTLMHeadModel keeps nothing .* set model.backend to http"):
        open_lm(tmp_path)


def test_a_model_that_keeps_its_state_itself_is_refused(tmp_path):
    import transformers as t

    config = t.RecurrentGemmaConfig(
        vocab_size=len(make_tokenizer(tmp_path)),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        lru_width=32,
        block_types=["recurrent", "attention"],
    )
    save_random(tmp_path, config, t.RecurrentGemmaForCausalLM)
    with pytest.raises(ValueError, match="RecurrentGemmaForCausalLM in a batch, token by token, gives other logits"):
        open_lm(tmp_path).complete(requests(4), Sampling(4))


def test_longrope_is_used_to_its_first_length(tmp_path):
    import transformers as t

    rope = {"rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [4.0] * 4, "rope_theta": 10000.0}
    common = {"vocab_size": len(make_tokenizer(tmp_path)), "hidden_size": 32, "intermediate_size": 64}
    common |= {"num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256, "pad_token_id": None}
    config = t.Phi3Config(
        **common,
        original_max_position_embeddings=48,
        eos_token_id=0,
        rope_parameters=rope | {"original_max_position_embeddings": 48},
    )
    save_random(tmp_path, config, t.Phi3ForCausalLM)
    assert open_lm(tmp_path).complete(requests(2), Sampling(2))
    with pytest.raises(ValueError, match="exceed the model's context of 48"):
        open_lm(tmp_path).complete(requests(2), Sampling(30))


def test_a_finished_row_takes_no_position_beyond_the_context(tmp_path):
    import torch

    save_architecture("gpt2", tmp_path)  # 128 positions
    batch = Batch(
        open_lm(tmp_path).decoder.network, [TokenSequence([5] * 127, 0), TokenSequence([6] * 9, 0)], Sampling(8), None
    )
    batch.rows[0].finish_reason = "length"
    with torch.inference_mode():
        for _ in range(4):
            batch.advance(torch.tensor([7, 7]))
    assert batch.positions.tolist() == [[126], [12]]
