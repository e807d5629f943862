"""A held-out slice of the rows: kept out of training, measured at each checkpoint; it chooses the best one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..config import TrainConfig
from .rows import Row

if TYPE_CHECKING:
    from .plan import Plan


def split_held_out(rows: Sequence[Row], number: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Return (training rows, held-out rows), at least `number` of the latter, no instruction on both sides."""
    return list(rows), []


def validation_arguments(train: TrainConfig) -> dict[str, Any]:
    """Return what SFTConfig must hold so that the trainer measures the held-out rows and keeps the best checkpoint."""
    return {}


def validation_dataset(plan: Plan) -> Any:
    """Return the held-out rows as a datasets.Dataset of input_ids and labels, one row each; None: there are none."""
    return None


def validation_callbacks(plan: Plan) -> list[Any]:
    """Return the Trainer callbacks that measure ROUGE-L on the held-out rows; none where there are no such rows."""
    return []
