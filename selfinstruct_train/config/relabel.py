"""Settings of relabelling: another model writes the outputs again."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.records import Sampling
from .model import ModelConfig


@dataclass(frozen=True)
class RelabelConfig:
    """`selfinstruct relabel`: a stronger model writes the outputs again (about +10 %: paper, section 4.5)."""

    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """The model that writes the outputs."""
    chat: bool = True
    """Send the instruction as a chat message; false: as plain text, in the evaluation prompt of train.template."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=512))
    """Sampling of the outputs."""
