"""Open the vLLM backend: one engine, or one for each replica."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

from ...config import ModelConfig
from ...core.gguf import gguf_file
from ...core.model_source import check_model_source, model_source
from ...core.progress import shown
from ..base import LM
from .replicas import VllmReplicas
from .vllm_lm import VllmLM


def load_vllm_lm(model: ModelConfig, path: str | None = None) -> LM:
    """Start the engine, or one for each replica, on the model of this config or the one at `path`.

    Raises:
        ValueError: vllm is not installed, no model is there, or the engine does not start.
    """
    if path is not None and path != model.path:
        model = replace(model, path=path, revision=None)
    source = model_source(model.path)
    check_model_source(source)
    if (Path(source) / "adapter_config.json").exists():
        raise ValueError(
            f"model.path {source!r} is a LoRA adapter, which the vllm backend does not load; give a merged "
            "model, or set model.backend to transformers"
        )
    if gguf_file(source) is not None:
        raise ValueError(
            f"model.path {source!r} is a GGUF file, which the vllm backend does not load; set model.backend to "
            "transformers, or give the model as safetensors"
        )
    if importlib.util.find_spec("vllm") is None:
        raise ValueError(
            "model.backend is vllm but the package is not installed; pip install 'selfinstruct-train[vllm]' in an "
            "environment of its own, or set model.backend to transformers"
        )
    with shown(f"starting vllm with {model.path}"):
        return VllmReplicas(model) if model.vllm.data_parallel_size > 1 else VllmLM(model)
