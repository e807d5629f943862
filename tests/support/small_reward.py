"""Small random reward models, made here: no network."""

from __future__ import annotations

from pathlib import Path


def make_reward_model(
    folder: Path, num_labels: int = 1, chat_template: str | None = None, decoder: bool = False
) -> Path:
    """Save a random classifier of 128 positions, an encoder (BERT) or a decoder (Llama, without a padding token), and a
    tokenizer of single bytes."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        LlamaConfig,
        LlamaForSequenceClassification,
        PreTrainedTokenizerFast,
    )

    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    fast.chat_template = chat_template
    fast.save_pretrained(folder)
    settings = {
        "vocab_size": 256,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 128,
        "initializer_range": 0.5,
        "num_labels": num_labels,
    }
    with torch.random.fork_rng():
        torch.manual_seed(3)
        if decoder:
            LlamaForSequenceClassification(LlamaConfig(**settings, pad_token_id=None)).save_pretrained(folder)
        else:
            BertForSequenceClassification(BertConfig(**settings)).save_pretrained(folder)
    return folder
