"""Settings of the judge: a language model that grades answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.names import BASE, USER_ORIENTED, EvaluationSet
from ..core.records import Sampling
from .model import ModelConfig
from .ranges import check_choices, check_limits


@dataclass(frozen=True)
class JudgeConfig:
    """`selfinstruct judge`: a language model grades the answers that `selfinstruct eval` left, A to D and in pairs."""

    model: ModelConfig = field(default_factory=ModelConfig)
    chat: bool = True
    """The question is the user's message of a chat; false: plain text."""
    set: EvaluationSet = USER_ORIENTED
    """Whose answers."""
    systems: tuple[str, ...] = ()
    """Which systems; empty: all but the cut base."""
    against: str = BASE
    """In pairs every other system meets this one, once in each order."""
    max_examples: int | None = None
    """So many, drawn from the run's seed; null: all."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=16))
    """A model that reasons before it answers needs more tokens."""

    def __post_init__(self) -> None:
        check_choices("judge", self)
        check_limits("judge", self, "max_examples")
