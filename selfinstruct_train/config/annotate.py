"""Settings of the page where people rate answers or review generated data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..core.names import USER_ORIENTED, EvaluationSet
from .ranges import check_at_least_one, check_choices, check_limits, check_range


@dataclass(frozen=True)
class AnnotateConfig:
    """`selfinstruct annotate`: a page on this machine where people rate answers, or review the generated data."""

    job: Literal["answers", "data"] = "answers"
    """answers: A to D for the answers of several systems, not knowing whose; data: is an instance of the generated
    data a valid task, its input appropriate, its output correct."""
    set: EvaluationSet = USER_ORIENTED
    """Of answers: whose."""
    systems: tuple[str, ...] = ()
    """Of answers: which systems; empty: all but the cut base."""
    max_examples: int | None = None
    """Of answers: so many examples, drawn from the run's seed; null: all."""
    num_reviewed: int = 200
    """Of data: instances, each of another instruction (paper, section 3.3: 200)."""
    port: int = 0
    """0: a free one."""

    def __post_init__(self) -> None:
        check_choices("annotate", self)
        check_at_least_one("annotate", self, "num_reviewed")
        check_limits("annotate", self, "max_examples")
        check_range(
            "annotate", self, ["port"], lambda n: 0 <= n <= 65535, "it must lie between 0 (a free one) and 65535"
        )
