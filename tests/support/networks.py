"""Small random networks of real architectures, float32, in eval mode."""

from typing import Any

SIZES = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", {}),
    "qwen3": ("Qwen3Config", {}),
    "mistral": ("MistralConfig", {"sliding_window": 6}),
    "olmo2": ("Olmo2Config", {}),
    "gemma3": ("Gemma3TextConfig", {"sliding_window": 6, "layer_types": ["sliding_attention", "full_attention"]}),
    # attention everywhere, but a state that runs on over the borders of documents
    "mamba": ("MambaConfig", {"state_size": 8, "expand": 2}),
    # positions are learned, and taken from position_ids
    "gpt2": ("GPT2Config", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128}),
}


def make_network(name: str, attention: str = "sdpa") -> Any:
    import torch
    import transformers

    config_class, settings = ARCHITECTURES[name]
    options = {"attn_implementation": attention} if name != "mamba" else {}
    if name in ("mamba", "gpt2"):
        sizes = {key: SIZES[key] for key in ("vocab_size", "initializer_range")}
        sizes |= {"hidden_size": 32, "num_hidden_layers": 2} if name == "mamba" else {}
    else:
        sizes = SIZES
    config = getattr(transformers, config_class)(**(sizes | settings), bos_token_id=1, eos_token_id=2)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return transformers.AutoModelForCausalLM.from_config(config, **options).float().eval()
