"""Settings of the quality filter, which drops rows with a low score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.records import Sampling
from .model import ModelConfig
from .ranges import check_choices, check_similarity


@dataclass(frozen=True)
class QualityConfig:
    """`selfinstruct quality`: drop rows with a low score."""

    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    scorer: Literal["judge", "reward_model"] = "judge"
    """judge: an LM that gives a grade of 1 to 5; reward_model: a sequence classifier with one output."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """The judge or reward model."""
    chat: bool = True
    """Ask the judge in a chat message; false: in plain text."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=16))
    """Sampling of the judge. A model that reasons before it answers needs more tokens."""
    min_score: float | None = None
    """Minimum score of a kept row: a judge's grade or a reward model's raw logit; null: grade 4. Rows without a
    readable grade are dropped too, and counted separately."""
    keep_fraction: float | None = None
    """Instead of min_score: keep this fraction of the scored rows, the best ones."""

    def __post_init__(self) -> None:
        check_choices("quality", self)
        if self.min_score is not None and self.keep_fraction is not None:
            raise ValueError("quality.min_score and quality.keep_fraction are both set; choose one")
        if self.scorer == "reward_model" and self.min_score is None and self.keep_fraction is None:
            raise ValueError(
                "quality.scorer is reward_model, whose scores have no common scale; set quality.keep_fraction or "
                "min_score"
            )
        if self.keep_fraction is not None:
            check_similarity("quality", self, "keep_fraction")
