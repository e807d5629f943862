"""Names that files of a run hold and several parts of the program use, each with what people read in its place.

Stages of generation, mixtures of a training, evaluation sets, metrics, and the systems that every run compares.
Stored runs hold them, so they must not change.
"""

from __future__ import annotations

from typing import Literal, get_args

Stage = Literal["instructions", "classification", "instances"]
STAGES: tuple[Stage, ...] = get_args(Stage)
STAGE_TITLES: dict[Stage, str] = {
    "instructions": "1 · Instructions",
    "classification": "2 · Classification or not",
    "instances": "3 · Instances",
}
KEPT = "kept"
"""The verdict on a candidate that stays."""

Mixture = Literal["seeds", "seeds+generated"]
"""Which rows of a dataset are trained on; the trained model's name too."""
SEEDS: Mixture = "seeds"
SEEDS_AND_GENERATED: Mixture = "seeds+generated"
MIXTURES: tuple[Mixture, ...] = get_args(Mixture)

BASE = "base"
"""The run's base model."""
BASE_CUT = "base, cut"
"""The base model's answers, each cut at its first blank line."""
RESERVED_SYSTEMS = frozenset((BASE, BASE_CUT, *MIXTURES))
"""No further model of a run may have one of these names."""

EvaluationSet = Literal["tasks", "user_oriented"]
TASKS: EvaluationSet = "tasks"
USER_ORIENTED: EvaluationSet = "user_oriented"
SET_TITLES: dict[str, str] = {TASKS: "Test tasks", USER_ORIENTED: "User-oriented tasks"}

ROUGE_L, ROUGE_1, EXACT_MATCH = "rougeL", "rouge1", "exact_match"
METRIC_TITLES = {ROUGE_L: "ROUGE-L", ROUGE_1: "ROUGE-1", EXACT_MATCH: "Exact match"}
METRICS = tuple(METRIC_TITLES)
"""In the order of every table and array of scores."""
