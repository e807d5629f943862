"""Load config, tokenizer and weights of a model: a Hub id, a folder, or a GGUF file.

This is the one place that turns the path of a model into arguments of `from_pretrained`. Weights come from safetensors,
or from a GGUF file, which transformers dequantises; the result is an ordinary model that can be trained and saved.
Folders with a LoRA adapter are not covered: `loading` and `train.verify.merge_adapter` load their base here.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...core.gguf import FILE_TYPE, gguf_file, read_header

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_DTYPES = {1: "float16", 32: "bfloat16"}
"""The dtype of a model by the file type of its GGUF file, where it is not float32: 16 bits cannot hold all numbers that
dequantising gives."""


def read_pretrained_config(source: str | Path, **options: Any) -> PreTrainedConfig:
    """Read a model's transformers config.

    Args:
        source: as `core.model_source.model_source` returns it.
        options: further arguments of `from_pretrained`, e.g. revision and trust_remote_code.
    """
    import transformers

    file = gguf_file(source)
    if file is None:
        return transformers.AutoConfig.from_pretrained(source, **options)
    state = file.stat()
    return copy.deepcopy(_read_gguf_config(file, state.st_size, state.st_mtime_ns))


def load_pretrained_tokenizer(source: str | Path, **options: Any) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer; arguments as in `read_pretrained_config`."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(**_where(source), **options)
    return cast("PreTrainedTokenizerBase", tokenizer)


def load_pretrained_network(source: str | Path, **options: Any) -> PreTrainedModel:
    """Load a causal LM; arguments as in `read_pretrained_config`.

    Raises:
        ValueError: a GGUF file is to be quantised again.
    """
    import transformers

    if gguf_file(source) is not None:
        if options.get("quantization_config") is not None:
            raise ValueError("a GGUF file cannot be loaded in 4 bits by bitsandbytes; set train.method to lora")
        options |= {"config": read_pretrained_config(source), **_dequantised()}
    network: PreTrainedModel = transformers.AutoModelForCausalLM.from_pretrained(
        **_where(source), use_safetensors=True, **options
    )
    if gguf_file(source) is not None:
        _forget_quantization(network)
    return network


def _where(source: str | Path) -> dict[str, str]:
    """Return the arguments of `from_pretrained` that say where a model is."""
    file = gguf_file(source)
    if file is None:
        return {"pretrained_model_name_or_path": str(source)}
    return {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}


@lru_cache(maxsize=4)
def _read_gguf_config(file: Path, size: int, modified: int) -> PreTrainedConfig:
    """Read the config from a GGUF file once, for it takes ten seconds with a vocabulary of 262,144.

    Args:
        size: with `modified` (nanoseconds), part of the key, because the file may be replaced.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(**_where(file))
    known = read_header(file)
    for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding")):
        if f"tokenizer.ggml.{key}_token_id" not in known:  # else the default of the config's class stays
            setattr(config, f"{name}_token_id", None)
    config.dtype = getattr(torch, _DTYPES.get(known.get(FILE_TYPE, -1), "float32"))
    return cast("PreTrainedConfig", config)


def _dequantised() -> dict[str, Any]:
    """Return the option that makes transformers dequantise where it has kernels for GGUF blocks, too."""
    try:
        from transformers import GgufConfig
    except ImportError:  # versions of transformers that always dequantise
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}


def _forget_quantization(network: Any) -> None:
    """Remove the marks of a quantised model: transformers would neither train nor save it."""
    for name in ("hf_quantizer", "quantization_method"):
        if hasattr(network, name):
            delattr(network, name)
    if hasattr(network.config, "quantization_config"):
        del network.config.quantization_config
    network.is_quantized = False
