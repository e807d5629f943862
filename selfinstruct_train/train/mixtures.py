"""Train all models of a run: one for each mixture, all examined before the first training starts.

Machine and launch are checked, folders of other trainings are refused, and models that are finished with the same
settings and data are not trained again. Every process of a launch calls it. One training alone is `trainer`.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..config import Config
from ..core.progress import shown
from .checkpoints import delete_checkpoints
from .checks.doctor import FindOverlaps, examine
from .failures import first_does
from .plan import Plan, is_complete, make_plan, refuse_other_training
from .trainer import Result, check, train

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A mixture's plan and the result of its training; None: it was trained before."""

    plan: Plan
    result: Result | None

    def line(self) -> str:
        """Return what was done, in one line."""
        if self.result is None:
            return f"{self.plan.mixture}: trained before with the same settings and data"
        first, last = self.result.losses
        best = "" if self.result.best_step is None else f", best at step {self.result.best_step}"
        return (
            f"{self.plan.mixture}: {self.result.steps} steps on {len(self.plan.rows)} rows in "
            f"{self.result.seconds:.0f} s, loss {first:.3f} -> {last:.3f}{best}"
        )


def train_mixtures(config: Config, open_overlaps: Callable[[], FindOverlaps]) -> list[Trained]:
    """Train a model on each of train.mixtures; what was trained before comes first.

    Args:
        open_overlaps: opens the evaluation data for the doctor; called in the first process, if a training is new.

    Raises:
        ValueError: it cannot be trained as set, here or now; one line with the remedy.
    """
    logger.info("training runs as %s", check(config))
    with shown("reading the rows"):
        plans = [make_plan(config, mixture) for mixture in config.train.mixtures]
    for plan in plans:
        refuse_other_training(plan)
    new = [plan for plan in plans if not is_complete(plan)]
    known = [plan for plan in plans if plan not in new]
    for plan in known:
        first_does(functools.partial(delete_checkpoints, plan))  # left if the previous command was killed at its end
    if new:
        first_does(lambda: _examine(config, new, open_overlaps()))
    return [*(Trained(plan, None) for plan in known), *(Trained(plan, train(plan)) for plan in new)]


def _examine(config: Config, plans: Sequence[Plan], overlaps: FindOverlaps) -> None:
    with shown("examining the training"):
        examination = examine(config, plans, overlaps)
    for table in examination.tables:
        logger.info("%s", table)
    examination.refuse()
