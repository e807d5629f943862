"""An experiment from its arms to its scores: train on each set of data, ask all models the same examples.

Each arm is trained by a `selfinstruct train` of its own in its own run directory, and one `selfinstruct eval` asks the
base and all arms. Repeated after a stop, nothing is trained or asked twice.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfinstruct_eval.experiment import SetScores, adopt_answers, read_arm_scores
from selfinstruct_eval.predict import find_systems
from selfinstruct_eval.report.curve import write_curve
from selfinstruct_eval.tasks import load_sets

from ..config import Config
from ..train.checks.doctor import examine
from ..train.plan import Plan, make_plan, refuse_other_training
from ..train.subprocesses import find_finished, run_to_end, split_launcher
from .arms import Arm, Experiment, make_arms, write_config
from .overlaps import open_overlaps

logger = logging.getLogger(__name__)
MODULE = ("-m", "selfinstruct_train")
"""The command behind Python, `accelerate launch` and torchrun alike."""


@dataclass(frozen=True)
class Outcome:
    """What the tables show; `sizes` are the numbers of instructions and of instances of each arm."""

    scores: Sequence[SetScores]
    sizes: Mapping[str, tuple[int, int]]
    reference: str


def run_experiment(kind: Experiment, config: Config, launch: str) -> Outcome:
    """Train and evaluate the arms of an experiment in <run_dir>/<kind>.

    Args:
        launch: the command that starts each training, e.g. "accelerate launch".

    Raises:
        ValueError: data or a setting is not fit for it; a training or the evaluation failed.
    """
    if (config.budget.max_cost, config.budget.max_tokens) != (None, None):
        logger.info("the budget counts for each run directory alone: what the run has spent is not counted here")
    folder = Path(config.run_dir) / kind
    arms = make_arms(kind, config)
    models = _train(config, arms, _check(config, arms), split_launcher(launch))
    asked = replace(config, run_dir=str(folder), eval=replace(config.eval, models={**config.eval.models, **models}))
    for file in adopt_answers(config, asked):
        logger.info("the run's own answers are taken over: %s", file)
    run_to_end([sys.executable, *MODULE, "eval", "--config", str(write_config(asked))], "the evaluation")

    reference = arms[-1 if kind == "scale" else 0].name
    sizes = {arm.name: (arm.num_instructions, arm.num_instances) for arm in arms}
    scores = read_arm_scores(folder, list(sizes), reference)
    for file in write_curve(folder, scores, sizes) if kind == "scale" else [folder / "report.html"]:
        logger.info("wrote %s", file)
    return Outcome(scores, sizes, reference)


def _train(config: Config, arms: Sequence[Arm], plans: Sequence[Plan], launcher: Sequence[str]) -> dict[str, str]:
    """Train the arms that have no verified model yet; return each arm's model."""
    models = {}
    for number, (arm, plan) in enumerate(zip(arms, plans, strict=True), 1):
        model = find_finished(plan, [Path(config.run_dir) / "model" / arm.mixture])  # the run may have trained it
        state = "is trained now" if model is None else f"was trained before, {model}"
        logger.info("%d of %d: %s, %s rows, %s", number, len(arms), arm.name, f"{arm.num_instances:,}", state)
        if model is None:
            command = [*launcher, *MODULE, "train", "--config", f"{arm.config.run_dir}/config.yaml"]
            run_to_end(command, f"the training of {arm.name!r}")
        models[arm.name] = str(model or plan.folder)
    return models


def _check(config: Config, arms: Sequence[Arm]) -> list[Plan]:
    """Look at all that can be refused, before the first training."""
    load_sets(config.eval)
    find_systems(config)
    plans = [make_plan(arm.config, arm.mixture) for arm in arms]
    for plan in plans:
        refuse_other_training(plan)
    examination = examine(config, plans, open_overlaps(config), arms=[arm.name for arm in arms])
    for table in examination.tables:
        logger.info("%s", table)
    examination.refuse()
    return plans
