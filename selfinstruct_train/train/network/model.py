"""Load the tokenizer and the network for training, and choose device and precision.

Every way in which a foreign model can be broken becomes one line with a remedy. Weights are read from safetensors or
GGUF.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...config import ModelConfig, TrainConfig
from ...core.model_source import check_model_source, load_failure, model_source
from ...lm.transformers.pretrained import (
    load_pretrained_network,
    load_pretrained_tokenizer,
    read_pretrained_config,
)
from ...lm.transformers.speed import warn_if_slow
from .attention import attention_for

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase, Trainer

_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff")
_BEAMS = ("early_stopping", "length_penalty")


def load_tokenizer(model: ModelConfig) -> PreTrainedTokenizerBase:
    """Load the tokenizer; it is refused without an EOS token.

    Raises:
        ValueError: the model is missing, or its tokenizer cannot be loaded or has no EOS token.
    """
    source = model_source(model.path)
    check_model_source(source)
    if (Path(source) / "adapter_config.json").exists():
        raise ValueError(f"model.path {model.path!r} is a LoRA adapter; train its base model, or merge it first")
    try:
        tokenizer = load_pretrained_tokenizer(
            source, revision=model.revision, trust_remote_code=model.trust_remote_code
        )
    except Exception as error:  # a foreign tokenizer can fail in any way
        raise ValueError(load_failure(source, error)) from error
    if tokenizer.eos_token_id is None:
        raise ValueError(
            f"model.path {model.path!r}: its tokenizer has no EOS token, so a model trained with it would never stop; "
            "set eos_token in tokenizer_config.json"
        )
    return tokenizer


def load_network(model: ModelConfig, train: TrainConfig, on_gpu: bool, embeddings_needed: int) -> PreTrainedModel:
    """Load the causal LM for training.

    Full finetuning keeps float32 weights, also under bfloat16 autocast: at a learning rate of 2e-5 most updates are
    smaller than half a bfloat16 step and would be lost. Under LoRA, frozen weights have the dtype of the computation.

    Args:
        embeddings_needed: the number that tokenizer and rows need; a model with fewer is refused.
    """
    import torch

    uses_half = uses_bfloat16(train, on_gpu)
    if uses_half and not on_gpu:
        warn_if_slow("cpu", torch.bfloat16, "set train.precision: float32")
    is_half = train.method != "full" and uses_half
    dtype: torch.dtype = torch.bfloat16 if is_half else torch.float32
    options: dict[str, Any] = {"dtype": dtype}
    if train.method == "qlora":
        options |= _in_four_bits(dtype, on_gpu)
    attention = attention_for(train, on_gpu)
    try:
        network = _from_pretrained(model, options | ({"attn_implementation": attention} if attention else {}))
    except (ValueError, ImportError):
        if attention is None or train.attention != "auto":
            raise
        network = _from_pretrained(model, options)  # this model does not support the best attention of this machine
    embeddings = cast("nn.Embedding", network.get_input_embeddings()).num_embeddings
    if embeddings_needed > embeddings:
        raise ValueError(
            f"model.path {model.path!r}: tokenizer and rows need {embeddings_needed} embeddings but the model has "
            f"{embeddings}; they do not belong together"
        )
    _mend_generation_config(network)
    return network


def make_skeleton(model: ModelConfig) -> PreTrainedModel:
    """Build the causal LM from its config, without weights (on torch's meta device)."""
    import torch
    import transformers

    config = read_model_config(model)
    try:
        with torch.device("meta"):
            return transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=model.trust_remote_code)
    except Exception as error:
        raise ValueError(load_failure(model_source(model.path), error)) from error


def read_model_config(model: ModelConfig) -> PreTrainedConfig:
    """Read a model's transformers config.

    Raises:
        ValueError: it cannot be read.
    """
    source = model_source(model.path)
    try:
        return read_pretrained_config(source, revision=model.revision, trust_remote_code=model.trust_remote_code)
    except Exception as error:  # a foreign config can fail in any way
        raise ValueError(load_failure(source, error)) from error


def moved_to(network: PreTrainedModel, target: str | torch.dtype) -> PreTrainedModel:
    """Move a network to a device, or turn its weights into a dtype; it is the same object."""
    move: Any = network.to  # transformers hides what it takes
    return cast("PreTrainedModel", move(target))


def network_of(trainer: Trainer) -> PreTrainedModel:
    """Return the network that a trainer trains, without accelerate's wrappers."""
    network: PreTrainedModel = trainer.accelerator.unwrap_model(trainer.model)
    return network


def context_length(model: ModelConfig) -> int | None:
    """Return the context length in the model's config, in tokens; None: it sets no limit."""
    length = getattr(read_model_config(model).get_text_config(), "max_position_embeddings", None)
    return length if isinstance(length, int) and length > 0 else None


def trains_on_gpu(model: ModelConfig) -> bool:
    """Return whether training runs on a GPU: one is available, and model.device is not cpu."""
    import torch

    return model.device != "cpu" and torch.cuda.is_available()


def check_device(model: ModelConfig) -> None:
    """Refuse a GPU number in model.device: a process trains on the visible GPU of its own rank.

    Raises:
        ValueError: model.device names another GPU than the first.
    """
    kind, _, number = model.device.partition(":")
    if kind == "cuda" and number not in ("", "0"):
        raise ValueError(
            f"model.device is {model.device!r}, but training starts at the first visible GPU; set "
            f"CUDA_VISIBLE_DEVICES={number} in the environment, and model.device: auto"
        )


def uses_bfloat16(train: TrainConfig, on_gpu: bool) -> bool:
    """Return whether matrix products run in bfloat16 (autocast)."""
    import torch

    if train.precision == "auto":
        return on_gpu and torch.cuda.is_bf16_supported()
    return train.precision == "bfloat16"


def _from_pretrained(model: ModelConfig, options: dict[str, Any]) -> PreTrainedModel:
    source = model_source(model.path)
    try:
        return load_pretrained_network(
            source, revision=model.revision, trust_remote_code=model.trust_remote_code, **options
        )
    except Exception as error:
        attention = options.get("attn_implementation")
        is_cause = attention and "attention" in str(error).lower()
        where = f"train.attention is {attention}, choose another: " if is_cause else ""
        raise ValueError(where + load_failure(source, error)) from error


def _in_four_bits(dtype: torch.dtype, on_gpu: bool) -> dict[str, Any]:
    """Return from_pretrained's options for a 4-bit base (QLoRA, section 3: NF4 with double quantisation)."""
    from accelerate import PartialState
    from transformers import BitsAndBytesConfig

    settings = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
    device = PartialState(cpu=not on_gpu).local_process_index if on_gpu else "cpu"
    return {"quantization_config": settings, "device_map": {"": device}}


def _mend_generation_config(network: PreTrainedModel) -> None:
    """Remove sampling settings from a greedy generation config, and beam settings from one with a single beam.

    Some published models have them, and transformers would refuse to save such a config at the first checkpoint.
    """
    from transformers import GenerationConfig

    settings = network.generation_config
    if settings is None:
        return
    plain = GenerationConfig()
    for name in (*(() if settings.do_sample else _SAMPLING), *(() if (settings.num_beams or 1) > 1 else _BEAMS)):
        if hasattr(settings, name):
            setattr(settings, name, getattr(plain, name, None))
