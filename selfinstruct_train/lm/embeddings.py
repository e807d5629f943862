"""Sentence embeddings by a sentence-transformers model, one text at a time.

Alone, a text's vector depends on no other text; in a batch it would, by padding and the rounding of larger products.
That costs speed: about as much as a forward pass for each text. Weights are read from safetensors only.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .transformers.loading import choose_device

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_KEY = "generate.near_duplicates.embedding_model"


class SentenceEmbedder:
    """A loaded model."""

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model

    def embed(self, text: str) -> np.ndarray:
        """Return the text's vector of length 1, float32 (dimension,)."""
        vector = self._model.encode(text, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
        return np.asarray(vector, np.float32)


def check_embedding_source(source: str) -> None:
    """Refuse a path that is no folder with a model; a Hub id passes, since only the Hub knows.

    Raises:
        ValueError: there is no such folder, or no model in it.
    """
    folder = Path(source)
    if folder.is_dir():
        if not (folder / "modules.json").exists() and not (folder / "config.json").exists():
            raise ValueError(f"{_KEY} {source!r} holds no model: neither modules.json nor config.json is there")
    elif source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise ValueError(f"{_KEY} {source!r}: no such folder; give a Hub id or a folder")


@lru_cache(maxsize=1)
def load_embedder(source: str, revision: str | None = None) -> SentenceEmbedder:
    """Load a sentence-transformers model; a plain transformers model is used with the mean of its last states.

    Raises:
        ValueError: it cannot be loaded.
    """
    import sentence_transformers
    import torch

    check_embedding_source(source)
    try:
        model = sentence_transformers.SentenceTransformer(
            source,
            revision=revision,
            device=choose_device("auto"),
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},  # 16 bits leave a text 0.003 from itself
        )
    except Exception as error:  # every way in which a foreign model can be broken, told in one line
        reason = " ".join(str(error).split())
        raise ValueError(f"{_KEY} {source!r} cannot be loaded: {type(error).__name__}: {reason[:300]}") from error
    return SentenceEmbedder(model)
