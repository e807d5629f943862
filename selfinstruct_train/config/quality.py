"""Settings of the quality filter: rows below a score are left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.records import Sampling
from .model import ModelConfig
from .ranges import check_choices, check_similarity


@dataclass(frozen=True)
class QualityConfig:
    """`selfinstruct quality`: rows below a score are left out."""

    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    scorer: Literal["judge", "reward_model"] = "judge"
    """judge: an LM asked for a grade of 1 to 5; reward_model: a sequence classifier with one output."""
    model: ModelConfig = field(default_factory=ModelConfig)
    chat: bool = True
    """Of the judge: the question is the user's message of a chat; false: plain text."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=16))
    """Of the judge: a model that reasons before it answers needs more tokens."""
    min_score: float | None = None
    """Rows with a lower score go, a judge's grade or the raw logit of a reward model; null: grade 4. Rows without a
    readable grade go too, counted apart."""
    keep_fraction: float | None = None
    """In place of min_score: of the rows with a score this share stays, the best."""

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
