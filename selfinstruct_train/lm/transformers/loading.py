"""Find, check and load a transformers model: Hub id, folder, GGUF file, built-in name, or a folder with a LoRA adapter.

Weights are read from safetensors or GGUF; Python code that comes with a model runs only if `trust_remote_code` says so.
Whatever is wrong with a model becomes one ValueError line.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...config import ModelConfig
from ...core.model_source import TOKENIZER_FILES, check_model_source, load_failure, model_source, weights_revision
from ...core.progress import shown
from ...core.prompt_format import embeddings_needed
from .pretrained import load_pretrained_network, load_pretrained_tokenizer
from .speed import warn_if_slow
from .transformers_lm import TransformersLM, num_embeddings

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_transformers_lm(model: ModelConfig, path: str | None = None) -> TransformersLM:
    """Load the model of this config, or the one at `path` with the config's other settings.

    Raises:
        ValueError: no model is there, or it cannot be loaded.
    """
    if path is not None and path != model.path:
        model = replace(model, path=path, revision=None)
    source = model_source(model.path)
    check_model_source(source)
    device, dtype = choose_device(model.device), choose_dtype(model)
    warn_if_slow(device, dtype, "set model.dtype: float32")
    with shown(f"loading {model.path}"):
        network, tokenizer = _load(source, model, dtype)
        _check_vocabulary(network, tokenizer, model.path)
        revision = weights_revision(source, getattr(network.config, "_commit_hash", None), model.revision)
        name = f"{model.path}@{revision} transformers {str(dtype).removeprefix('torch.')}"
        network = network.to(device)  # type: ignore[arg-type]  # transformers wraps the method and loses its self
    return TransformersLM(network, tokenizer, name, model.batch_size, device)


def choose_device(device: str) -> str:
    """Return the torch device name; auto is cpu, or the GPU of this process: the first, or that of its LOCAL_RANK."""
    import torch

    if device == "auto" and not torch.cuda.is_available():
        return "cpu"
    if device == "auto":
        local_rank, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if local_rank >= count:
            raise ValueError(
                f"process {local_rank} of this machine has no GPU, there are {count}; start {count} processes"
            )
        return f"cuda:{local_rank}"
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"model.device {device!r} is no torch device; give auto, cpu or cuda:0") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"model.device {device!r}: {torch.cuda.device_count()} GPUs are visible; give auto or cpu")
    return device


def choose_dtype(model: ModelConfig) -> torch.dtype:
    """Return the torch dtype; auto is bfloat16 on a GPU that has it, else float32.

    A CPU gets float32 although some are faster in bfloat16: in float32 no answer depends on the batch size, and on a
    CPU without bfloat16 instructions it is many times faster.
    """
    import torch

    if model.dtype != "auto":
        dtype: torch.dtype = getattr(torch, model.dtype)
        return dtype
    on_gpu = choose_device(model.device).startswith("cuda")
    return torch.bfloat16 if on_gpu and torch.cuda.is_bf16_supported() else torch.float32


def _load(source: str, model: ModelConfig, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return the network and its tokenizer."""
    adapter = Path(source) / "adapter_config.json"
    if adapter.exists():
        return _load_adapter(source, adapter, model, dtype)
    import transformers

    transformers.utils.logging.disable_progress_bar()  # it would break the line of `shown`
    options = {"revision": model.revision, "trust_remote_code": model.trust_remote_code}
    try:
        network = load_pretrained_network(source, dtype=dtype, **options)
        tokenizer = load_pretrained_tokenizer(source, **options)
    except Exception as error:  # every way in which a foreign model can be broken, told in one line
        raise ValueError(load_failure(source, error)) from error
    return network, tokenizer


def _load_adapter(
    source: str, adapter: Path, model: ModelConfig, dtype: torch.dtype
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the base model that the adapter names, merge the adapter into it, and take the adapter's tokenizer."""
    import peft
    import transformers

    settings = json.loads(adapter.read_text(encoding="utf-8"))
    base_path = settings.get("base_model_name_or_path")
    if not base_path:
        raise ValueError(f"model.path {source!r}: adapter_config.json does not name its base model")
    base = replace(model, path=base_path, revision=settings.get("revision"))
    base_source = model_source(base_path)
    check_model_source(base_source)
    network, tokenizer = _load(base_source, base, dtype)
    try:
        network = peft.PeftModel.from_pretrained(network, source).merge_and_unload()
        if any((Path(source) / name).exists() for name in TOKENIZER_FILES):
            tokenizer = load_pretrained_tokenizer(source)
        if (Path(source) / "generation_config.json").exists():  # an adapter may have learned another end of its answers
            network.generation_config = transformers.GenerationConfig.from_pretrained(source)
    except Exception as error:
        raise ValueError(load_failure(source, error)) from error
    return network, tokenizer


def _check_vocabulary(network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, path: str) -> None:
    number, needed = num_embeddings(network), embeddings_needed(tokenizer)
    if needed > number:
        raise ValueError(
            f"model.path {path!r}: the tokenizer has {needed} tokens but the model {number} embeddings; "
            "they do not belong together"
        )
