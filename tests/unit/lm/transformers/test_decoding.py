"""The decode loop on many architectures: the answers of the model alone, or one line that says no."""

from pathlib import Path

import pytest

from selfinstruct_train.core.records import Sampling
from selfinstruct_train.lm.stopping import completion_text
from selfinstruct_train.lm.transformers.batch import Batch, TokenSequence
from tests.support.small_model import make_tokenizer
from tests.support.small_requests import open_lm, requests


def _save(folder: Path, config, cls) -> None:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(3)
        cls(config).save_pretrained(folder)


USES = {
    **dict.fromkeys(("llama", "gpt2", "neox", "qwen3"), "once"),
    **dict.fromkeys(("mistral", "qwen2", "olmo3", "gemma2", "gemma3", "gpt_oss"), "once"),  # sliding windows
    **dict.fromkeys(("qwen3_next", "granite4", "lfm2"), "once"),  # attention between layers with a state
    "bloom": "copied",  # attention of its own
    "gptneo": "copied",  # local windows that are counted in columns
    "falcon_h1": "copied",  # attention and a state in one layer
    "mamba": "stepped",  # it ignores its state when it is given several tokens
}


def _architecture(name: str, folder: Path) -> None:
    """Save a small random model."""
    import transformers as t

    size = len(make_tokenizer(folder))
    common = {"vocab_size": size, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    common |= {"num_attention_heads": 4, "initializer_range": 0.3, "eos_token_id": 0, "bos_token_id": None}
    if name == "gpt2":
        config = t.GPT2Config(
            vocab_size=size, n_embd=32, n_layer=2, n_head=4, n_positions=128, initializer_range=0.3, eos_token_id=0
        )
        _save(folder, config, t.GPT2LMHeadModel)
    elif name == "mistral":
        _save(folder, t.MistralConfig(**common, num_key_value_heads=2, sliding_window=12), t.MistralForCausalLM)
    elif name == "qwen2":
        windows = {"use_sliding_window": True, "sliding_window": 12, "max_window_layers": 1}
        common["vocab_size"] = size + 8  # its tokenizer class adds tokens of its own
        _save(folder, t.Qwen2Config(**common, num_key_value_heads=2, **windows), t.Qwen2ForCausalLM)
    elif name == "olmo3":
        types = ["sliding_attention", "full_attention"]
        config = t.Olmo3Config(**common, num_key_value_heads=2, sliding_window=12, layer_types=types)
        _save(folder, config, t.Olmo3ForCausalLM)
    elif name == "gemma2":  # soft-capped attention, which sdpa does not have
        config = t.Gemma2Config(
            **common, num_key_value_heads=2, head_dim=16, sliding_window=12, attn_logit_softcapping=2.0
        )
        _save(folder, config, t.Gemma2ForCausalLM)
    elif name == "gpt_oss":  # attention sinks, experts
        config = t.GptOssConfig(
            **common, num_key_value_heads=2, head_dim=16, sliding_window=12, num_local_experts=4, num_experts_per_tok=2
        )
        _save(folder, config, t.GptOssForCausalLM)
    elif name == "qwen3_next":  # gated delta networks and full attention, experts
        config = t.Qwen3NextConfig(
            **common,
            num_key_value_heads=2,
            head_dim=16,
            linear_num_key_heads=2,
            linear_num_value_heads=4,
            linear_key_head_dim=8,
            linear_value_head_dim=8,
            num_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=16,
            shared_expert_intermediate_size=16,
            layer_types=["linear_attention", "full_attention"],
        )
        _save(folder, config, t.Qwen3NextForCausalLM)
    elif name == "granite4":  # Mamba 2 and full attention, experts
        config = t.GraniteMoeHybridConfig(
            **common,
            num_key_value_heads=2,
            mamba_n_heads=8,
            mamba_d_head=8,
            mamba_n_groups=1,
            mamba_d_state=8,
            mamba_chunk_size=16,
            num_local_experts=4,
            num_experts_per_tok=2,
            shared_intermediate_size=16,
            layer_types=["mamba", "attention"],
        )
        _save(folder, config, t.GraniteMoeHybridForCausalLM)
    elif name == "bloom":
        config = t.BloomConfig(
            vocab_size=size, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.3, eos_token_id=0
        )
        _save(folder, config, t.BloomForCausalLM)
    elif name == "qwen3":
        _save(folder, t.Qwen3Config(**common, num_key_value_heads=2, head_dim=16), t.Qwen3ForCausalLM)
    elif name == "gemma3":
        config = t.Gemma3TextConfig(**common, num_key_value_heads=1, head_dim=16, sliding_window=12)
        _save(folder, config, t.Gemma3ForCausalLM)
    elif name == "gptneo":  # local windows that are counted in columns
        config = t.GPTNeoConfig(
            vocab_size=size,
            hidden_size=32,
            num_layers=2,
            num_heads=4,
            attention_types=[[["global", "local"], 1]],
            window_size=12,
            initializer_range=0.3,
            eos_token_id=0,
        )
        _save(folder, config, t.GPTNeoForCausalLM)
    elif name == "mamba":
        config = t.MambaConfig(vocab_size=size, hidden_size=32, num_hidden_layers=2, state_size=8, eos_token_id=0)
        config.initializer_range = 0.3
        _save(folder, config, t.MambaForCausalLM)
    elif name == "lfm2":  # convolutions between attention
        config = t.Lfm2Config(**common, num_key_value_heads=2, layer_types=["conv", "full_attention"])
        _save(folder, config, t.Lfm2ForCausalLM)
    elif name == "falcon_h1":  # attention and a state in one layer
        config = t.FalconH1Config(
            **common,
            num_key_value_heads=2,
            mamba_d_ssm=32,
            mamba_n_heads=4,
            mamba_d_head=8,
            mamba_n_groups=1,
            mamba_d_state=8,
            mamba_chunk_size=16,
        )
        _save(folder, config, t.FalconH1ForCausalLM)
    else:
        _save(folder, t.GPTNeoXConfig(**common), t.GPTNeoXForCausalLM)


@pytest.mark.parametrize("name", [name for name in USES if name != "llama"])
def test_other_architectures_keep_their_answers_at_every_batch_size(tmp_path, name):
    _architecture(name, tmp_path)
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
        _architecture(name, tmp_path)
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
    _save(tmp_path, t.OpenAIGPTConfig(vocab_size=size, n_embd=32, n_layer=2, n_head=4), t.OpenAIGPTLMHeadModel)
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
    _save(tmp_path, config, t.RecurrentGemmaForCausalLM)
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
    _save(tmp_path, config, t.Phi3ForCausalLM)
    assert open_lm(tmp_path).complete(requests(2), Sampling(2))
    with pytest.raises(ValueError, match="exceed the model's context of 48"):
        open_lm(tmp_path).complete(requests(2), Sampling(30))


def test_a_finished_row_takes_no_position_beyond_the_context(tmp_path):
    import torch

    _architecture("gpt2", tmp_path)  # 128 positions
    batch = Batch(
        open_lm(tmp_path).decoder.network, [TokenSequence([5] * 127, 0), TokenSequence([6] * 9, 0)], Sampling(8), None
    )
    batch.rows[0].finish_reason = "length"
    with torch.inference_mode():
        for _ in range(4):
            batch.advance(torch.tensor([7, 7]))
    assert batch.positions.tolist() == [[126], [12]]
