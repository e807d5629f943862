"""Settings of relabelling: outputs written anew by another model."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.records import Sampling
from .model import ModelConfig


@dataclass(frozen=True)
class RelabelConfig:
    """`selfinstruct relabel`: outputs written anew by another, stronger model (paper, section 4.5: about +10 %)."""

    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    model: ModelConfig = field(default_factory=ModelConfig)
    chat: bool = True
    """The instruction is the user's message of a chat; false: plain text, the evaluation's prompt in train.template."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=512))
