"""Small random models of many architectures with a tokenizer, saved to a folder."""

from pathlib import Path
from typing import Any

from tests.support.small_model import make_tokenizer

USES = {
    **dict.fromkeys(("llama", "gpt2", "neox", "qwen3"), "once"),
    **dict.fromkeys(("mistral", "qwen2", "olmo3", "gemma2", "gemma3", "gpt_oss"), "once"),  # sliding windows
    **dict.fromkeys(("qwen3_next", "granite4", "lfm2"), "once"),  # attention between layers with a state
    "bloom": "copied",  # attention of its own
    "gptneo": "copied",  # local windows that are counted in columns
    "falcon_h1": "copied",  # attention and a state in one layer
    "mamba": "stepped",  # it ignores its state when it is given several tokens
}
"""What becomes of a shared prompt prefix in each (see `lm.transformers.network`)."""


def save_random(folder: Path, config: Any, cls: Any) -> None:
    """Save a random model of this config, always the same."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(3)
        cls(config).save_pretrained(folder)


def save_architecture(name: str, folder: Path) -> None:
    """Save a small random model."""
    import transformers

    t: Any = transformers
    size = len(make_tokenizer(folder))
    common: dict[str, Any] = {"vocab_size": size, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    common |= {"num_attention_heads": 4, "initializer_range": 0.3, "eos_token_id": 0, "bos_token_id": None}
    if name == "gpt2":
        config = t.GPT2Config(
            vocab_size=size, n_embd=32, n_layer=2, n_head=4, n_positions=128, initializer_range=0.3, eos_token_id=0
        )
        save_random(folder, config, t.GPT2LMHeadModel)
    elif name == "mistral":
        save_random(folder, t.MistralConfig(**common, num_key_value_heads=2, sliding_window=12), t.MistralForCausalLM)
    elif name == "qwen2":
        windows: dict[str, Any] = {"use_sliding_window": True, "sliding_window": 12, "max_window_layers": 1}
        common["vocab_size"] = size + 8  # its tokenizer class adds tokens of its own
        save_random(folder, t.Qwen2Config(**common, num_key_value_heads=2, **windows), t.Qwen2ForCausalLM)
    elif name == "olmo3":
        types = ["sliding_attention", "full_attention"]
        config = t.Olmo3Config(**common, num_key_value_heads=2, sliding_window=12, layer_types=types)
        save_random(folder, config, t.Olmo3ForCausalLM)
    elif name == "gemma2":  # soft-capped attention, which sdpa does not have
        config = t.Gemma2Config(
            **common, num_key_value_heads=2, head_dim=16, sliding_window=12, attn_logit_softcapping=2.0
        )
        save_random(folder, config, t.Gemma2ForCausalLM)
    elif name == "gpt_oss":  # attention sinks, experts
        config = t.GptOssConfig(
            **common, num_key_value_heads=2, head_dim=16, sliding_window=12, num_local_experts=4, num_experts_per_tok=2
        )
        save_random(folder, config, t.GptOssForCausalLM)
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
        save_random(folder, config, t.Qwen3NextForCausalLM)
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
        save_random(folder, config, t.GraniteMoeHybridForCausalLM)
    elif name == "bloom":
        config = t.BloomConfig(
            vocab_size=size, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.3, eos_token_id=0
        )
        save_random(folder, config, t.BloomForCausalLM)
    elif name == "qwen3":
        save_random(folder, t.Qwen3Config(**common, num_key_value_heads=2, head_dim=16), t.Qwen3ForCausalLM)
    elif name == "gemma3":
        config = t.Gemma3TextConfig(**common, num_key_value_heads=1, head_dim=16, sliding_window=12)
        save_random(folder, config, t.Gemma3ForCausalLM)
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
        save_random(folder, config, t.GPTNeoForCausalLM)
    elif name == "mamba":
        config = t.MambaConfig(vocab_size=size, hidden_size=32, num_hidden_layers=2, state_size=8, eos_token_id=0)
        config.initializer_range = 0.3
        save_random(folder, config, t.MambaForCausalLM)
    elif name == "lfm2":  # convolutions between attention
        config = t.Lfm2Config(**common, num_key_value_heads=2, layer_types=["conv", "full_attention"])
        save_random(folder, config, t.Lfm2ForCausalLM)
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
        save_random(folder, config, t.FalconH1ForCausalLM)
    else:
        save_random(folder, t.GPTNeoXConfig(**common), t.GPTNeoXForCausalLM)
