"""Settings of the judge: a language model that grades predictions."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.names import BASE, USER_ORIENTED, EvaluationSet
from ..core.records import Sampling
from .model import ModelConfig
from .ranges import check_choices, check_limits


@dataclass(frozen=True)
class JudgeConfig:
    """`selfinstruct judge`: a language model grades the predictions of `selfinstruct eval`, A to D and in pairs."""

    model: ModelConfig = field(default_factory=ModelConfig)
    """The judge."""
    chat: bool = True
    """Ask the judge in a chat message; false: in plain text."""
    set: EvaluationSet = USER_ORIENTED
    """Evaluation set whose predictions are graded."""
    systems: tuple[str, ...] = ()
    """Systems to grade; empty: all except the base cut at its first blank line."""
    against: str = BASE
    """Baseline system of the pairwise comparisons. Each pair is shown in both orders."""
    max_examples: int | None = None
    """Grade a random sample of this size; null: all examples."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=16))
    """Sampling of the judge. A model that reasons before it answers needs more tokens."""

    def __post_init__(self) -> None:
        check_choices("judge", self)
        check_limits("judge", self, "max_examples")
