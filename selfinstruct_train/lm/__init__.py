"""The language model backends behind one door.

`load_lm` gives an `LM`; nothing heavy is imported before it is called.
"""

from __future__ import annotations

from ..config import ModelConfig
from .base import LM

__all__ = ["LM", "load_lm"]


def load_lm(model: ModelConfig, path: str | None = None) -> LM:
    """Load a language model.

    Args:
        path: a tuned checkpoint or LoRA adapter folder to load in place of `model.path`.

    Raises:
        ValueError: no model is there, or it cannot be loaded; one line that says what is missing.
    """
    from .loading import load_transformers_lm

    return load_transformers_lm(model, path)
