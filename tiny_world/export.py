"""From the training network to a transformers model: the folder that `AutoModelForCausalLM.from_pretrained` reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tiny_world.network import Network

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

CARD = """---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
---
# The tiny base model

A Llama-architecture base language model of {parameters} parameters for trying the whole Self-Instruct loop on a laptop.
It knows only a little world (some facts on people, animals, places, foods and words; small stories, lists of tasks, work sheets).
It can continue such text; it does not follow instructions and does not stop after an answer. It is of no other use.

- Architecture: {layers} layers, width {width}, {heads} attention heads over {kv_heads} key-value heads, inner width {inner},
  vocabulary {vocab} (byte-level BPE), context {context} tokens, tied embeddings, bfloat16.
- Data: {tokens:,} tokens made by `tiny_world/corpus.py` with seed {seed}; no text of anyone's:
  first pages of all sorts, then mostly work sheets. The evaluation leaves out
  what occurs in it.
- Training: {optimizer}, learning rate {lr}, batches of {batch_tokens:,} tokens, on two CPU cores.
- Made again by `make pretrain-tiny`.
"""


def to_transformers(network: Network) -> LlamaForCausalLM:
    """The same model as a LlamaForCausalLM, in float32."""
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = network.shape
    config = LlamaConfig(
        vocab_size=shape.vocab,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context,
        rope_parameters={"rope_type": "default", "rope_theta": shape.theta},
        rms_norm_eps=shape.epsilon,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=1,
    )
    model = LlamaForCausalLM(config)
    head = shape.width // shape.heads
    state = {"model.embed_tokens.weight": network.embedding, "model.norm.weight": network.final_norm}
    state["lm_head.weight"] = network.embedding
    for layer in range(shape.layers):
        name = f"model.layers.{layer}."
        parts = network.qkv[layer].split((shape.heads * head, shape.kv_heads * head, shape.kv_heads * head))
        for key, part in zip("qkv", parts, strict=True):
            state[f"{name}self_attn.{key}_proj.weight"] = part
        state[f"{name}self_attn.o_proj.weight"] = network.out[layer]
        gate, up = network.gate_up[layer].chunk(2)
        state |= {f"{name}mlp.gate_proj.weight": gate, f"{name}mlp.up_proj.weight": up}
        state[f"{name}mlp.down_proj.weight"] = network.down[layer]
        state[f"{name}input_layernorm.weight"] = network.attention_norm[layer]
        state[f"{name}post_attention_layernorm.weight"] = network.mlp_norm[layer]
    model.load_state_dict({k: v.detach() for k, v in state.items()})
    return model.eval()


def write_model(network: Network, tokenizer_folder: Path, folder: Path, settings: dict[str, object]) -> None:
    """Write bfloat16 safetensors, tokenizer, generation_config and model card to folder."""
    from dataclasses import asdict

    from transformers import AutoTokenizer, GenerationConfig

    model = to_transformers(network).bfloat16()
    model.generation_config = GenerationConfig(eos_token_id=0, pad_token_id=1)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer_folder).save_pretrained(folder)
    millions = f"{sum(p.numel() for p in network.parameters()) / 1e6:.1f} million"
    (folder / "README.md").write_text(CARD.format(**settings | asdict(network.shape), parameters=millions))
