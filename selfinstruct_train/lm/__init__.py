"""The language model backends behind one door.

`load_lm` gives an `LM`; nothing heavy is imported before it is called.
"""

from __future__ import annotations

from ..config import ModelConfig
from .base import LM, UnansweredError

__all__ = ["LM", "UnansweredError", "load_lm"]


def load_lm(model: ModelConfig, path: str | None = None) -> LM:
    """Open the language model that `model.backend` names.

    Args:
        path: a folder with a checkpoint or LoRA adapter, or a Hub id, to load in place of `model.path`. A server does
            not have it: with backend http it is loaded by transformers.

    Raises:
        ValueError: no model is there, it cannot be loaded, or no server answers; one line that says what is missing.
    """
    if model.backend == "vllm":
        from .vllm.loading import load_vllm_lm

        return load_vllm_lm(model, path)
    if model.backend == "http" and path is None:
        from .http.http_lm import HttpLM

        return HttpLM(model)
    from .transformers.loading import load_transformers_lm

    return load_transformers_lm(model, path)
