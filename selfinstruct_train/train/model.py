"""Load the tokenizer and the network that are to be trained, and tell in which precision and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import ModelConfig, TrainConfig
from ..model_source import check_model_source, load_failure, model_source

if TYPE_CHECKING:
    import torch


def load_tokenizer(model: ModelConfig) -> tuple[Any, int]:
    """Load the tokenizer and tell the id of its end-of-text token.

    Raises:
        ValueError: there is no model, or its tokenizer cannot be loaded or has no EOS token.
    """
    source = model_source(model.path)
    check_model_source(source)
    if (Path(source) / "adapter_config.json").exists():
        raise ValueError(f"model.path {model.path!r} is a LoRA adapter; train its base model, or merge it first")
    import transformers

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source, revision=model.revision, trust_remote_code=model.trust_remote_code
        )
    except Exception as error:  # every way in which a foreign tokenizer can be broken, told in one line
        raise ValueError(load_failure(source, error)) from error
    if tokenizer.eos_token_id is None:
        raise ValueError(
            f"model.path {model.path!r}: its tokenizer has no EOS token, so a model trained with it would never stop; "
            "set eos_token in tokenizer_config.json"
        )
    return tokenizer, int(tokenizer.eos_token_id)


def load_network(model: ModelConfig, train: TrainConfig, on_gpu: bool, num_tokens: int) -> Any:
    """Load the causal LM for training.

    Full finetuning keeps float32 weights, also under bfloat16 autocast: at a learning rate of 2e-5 most updates are
    smaller than half a bfloat16 step and would be lost. Frozen weights under LoRA are loaded as they are computed with.

    Args:
        num_tokens: the size of the tokenizer; a model with fewer embeddings is refused.
    """
    import torch
    import transformers

    source = model_source(model.path)
    is_half = train.method == "lora" and uses_bfloat16(train, on_gpu)
    dtype: torch.dtype = torch.bfloat16 if is_half else torch.float32
    try:
        network: Any = transformers.AutoModelForCausalLM.from_pretrained(
            source,
            dtype=dtype,
            use_safetensors=True,
            revision=model.revision,
            trust_remote_code=model.trust_remote_code,
        )
    except Exception as error:
        raise ValueError(load_failure(source, error)) from error
    embeddings = network.get_input_embeddings().num_embeddings
    if num_tokens > embeddings:
        raise ValueError(
            f"model.path {model.path!r}: the tokenizer has {num_tokens} tokens but the model {embeddings} embeddings; "
            "they do not belong together"
        )
    return network


def context_length(model: ModelConfig) -> int | None:
    """Read from the model's config how many tokens its positions reach; None where it sets no limit."""
    import transformers

    source = model_source(model.path)
    try:
        config = transformers.AutoConfig.from_pretrained(
            source, revision=model.revision, trust_remote_code=model.trust_remote_code
        )
    except Exception as error:
        raise ValueError(load_failure(source, error)) from error
    length = getattr(config.get_text_config(), "max_position_embeddings", None)
    return length if isinstance(length, int) and length > 0 else None


def trains_on_gpu(model: ModelConfig) -> bool:
    """Tell whether training runs on a GPU: there is one, and model.device does not say cpu."""
    import torch

    return model.device != "cpu" and torch.cuda.is_available()


def uses_bfloat16(train: TrainConfig, on_gpu: bool) -> bool:
    """Tell whether matrix products run in bfloat16 (autocast)."""
    import torch

    if train.precision == "auto":
        return on_gpu and torch.cuda.is_bf16_supported()
    return train.precision == "bfloat16"
