"""Settings of the annotation page, where people rate predictions or review generated data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..core.names import USER_ORIENTED, EvaluationSet
from .ranges import check_at_least_one, check_choices, check_limits, check_range


@dataclass(frozen=True)
class AnnotateConfig:
    """`selfinstruct annotate`: a local web page where people rate predictions or review generated data."""

    job: Literal["answers", "data"] = "answers"
    """answers: rate predictions of several systems A to D, without knowing the system; data: review whether a generated
    task is valid, its input appropriate and its output correct."""
    set: EvaluationSet = USER_ORIENTED
    """For answers: evaluation set whose predictions are rated."""
    systems: tuple[str, ...] = ()
    """For answers: systems to rate; empty: all except the base cut at its first blank line."""
    max_examples: int | None = None
    """For answers: rate a random sample of this size; null: all examples."""
    num_reviewed: int = 200
    """For data: number of instances to review, each from a different instruction (200: paper, section 3.3)."""
    port: int = 0
    """Port of the page; 0: any free port."""

    def __post_init__(self) -> None:
        check_choices("annotate", self)
        check_at_least_one("annotate", self, "num_reviewed")
        check_limits("annotate", self, "max_examples")
        check_range(
            "annotate", self, ["port"], lambda n: 0 <= n <= 65535, "it must lie between 0 (a free one) and 65535"
        )
