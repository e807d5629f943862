"""Train on several sets of data, all else equal, and score the models on the same examples.

    python recipes/experiment.py scale --config configs/tiny.yaml [--experiment.sizes '[40, 200]']
    python recipes/experiment.py distill --config configs/tiny.yaml        after recipes/relabel.py
    python recipes/experiment.py baselines --config configs/tiny.yaml --experiment.datasets '{superni: data/superni}'
    python recipes/experiment.py scale --launch "accelerate launch --config_file FILE" --config ...

Each set of data is an arm: recipes/train.py trains it under --launch in a run directory of its own, and one
recipes/evaluate.py asks the base and all arms; the result is in <run_dir>/<experiment>. Stopped at any moment, the same
command goes on, and trains and asks nothing twice. Exit code 2 and one line for what the user can mend.
"""

from __future__ import annotations

import argparse
import functools
import logging
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct_train.cli import run_recipe

if TYPE_CHECKING:
    from selfinstruct_train.config import Config
    from selfinstruct_train.dataset.arms import Arm
    from selfinstruct_train.train.plan import Plan

log = logging.getLogger("experiment")


def main() -> None:
    from selfinstruct_train.config.load import changed_settings, load_config

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("experiment", choices=("scale", "distill", "baselines"), nargs="?")
    parser.add_argument("--launch", default=shlex.quote(sys.executable))
    own, settings = parser.parse_known_args()
    if {"-h", "--help"} & set(settings):
        print(__doc__)
    config = load_config(settings)
    if own.experiment is None:
        raise ValueError("name an experiment: scale, distill or baselines")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    log.info("%s", changed_settings(config))

    from selfinstruct_eval.experiment import adopt_answers, arms_table, read_arm_scores
    from selfinstruct_eval.report.curve import find_plateau, write_curve
    from selfinstruct_train.dataset.arms import make_arms, write_config
    from selfinstruct_train.train.subprocesses import find_finished, run_to_end, split_launcher

    if (config.budget.max_cost, config.budget.max_tokens) != (None, None):
        log.info("the budget counts for each run directory alone: what the run has spent is not counted here")
    folder = Path(config.run_dir) / own.experiment
    arms = make_arms(own.experiment, config)
    plans = _check(config, arms)
    models = {}
    for number, (arm, plan) in enumerate(zip(arms, plans, strict=True), 1):
        model = find_finished(plan, [Path(config.run_dir) / "model" / arm.mixture])  # the run may have trained it
        state = "is trained now" if model is None else f"was trained before, {model}"
        log.info("%d of %d: %s, %s rows, %s", number, len(arms), arm.name, f"{arm.num_instances:,}", state)
        if model is None:
            train = [*split_launcher(own.launch), _recipe("train"), "--config", f"{arm.config.run_dir}/config.yaml"]
            run_to_end(train, f"the training of {arm.name!r}")
        models[arm.name] = str(model or plan.folder)
    asked = replace(config, run_dir=str(folder), eval=replace(config.eval, models={**config.eval.models, **models}))
    for file in adopt_answers(config, asked):
        log.info("the run's own answers are taken over: %s", file)
    run_to_end([sys.executable, _recipe("evaluate"), "--config", str(write_config(asked))], "the evaluation")

    reference = arms[-1 if own.experiment == "scale" else 0].name
    sizes = {arm.name: (arm.num_instructions, arm.num_instances) for arm in arms}
    scored = read_arm_scores(folder, list(sizes), reference)
    for file in write_curve(folder, scored, sizes) if own.experiment == "scale" else [folder / "report.html"]:
        log.info("wrote %s", file)
    for number, scores in enumerate(scored):
        print(("\n" if number else "") + arms_table(scores, sizes, reference))
        if own.experiment == "scale":
            print(find_plateau([sizes[arm.name][0] for arm in scores.arms], scores.arms).words)


def _check(config: Config, arms: Sequence[Arm]) -> list[Plan]:
    """Look at all that can be refused, before the first training."""
    from selfinstruct_eval.evaluation_data import open_evaluation_data
    from selfinstruct_eval.predict import find_systems
    from selfinstruct_eval.tasks import load_sets
    from selfinstruct_train.generate.contamination import find_overlaps
    from selfinstruct_train.train.checks.doctor import CHECKS, examine_data
    from selfinstruct_train.train.checks.findings import check_allowed, findings_table, refuse
    from selfinstruct_train.train.plan import make_plan, refuse_other_training
    from selfinstruct_train.train.verify.verification import CHECKS as OF_THE_FINISHED_MODEL

    load_sets(config.eval)
    find_systems(config)
    check_allowed(config.train.allow, (*CHECKS, *OF_THE_FINISHED_MODEL))
    plans = [make_plan(arm.config, arm.mixture) for arm in arms]
    for plan in plans:
        refuse_other_training(plan)
    contamination = config.generate.contamination
    overlaps = functools.partial(find_overlaps, evaluation_data=open_evaluation_data(config), settings=contamination)
    results = examine_data(config, plans, overlaps if contamination.action != "off" else None)
    findings = [
        replace(f, what=f"{arm.name}: {f.what}") for arm, of_arm in zip(arms, results, strict=True) for f in of_arm
    ]
    log.info("%s", findings_table(f for f in findings if f.level != "ok" or f.check == "evaluation_data"))
    refuse(findings)
    return plans


def _recipe(name: str) -> str:
    return str(Path(__file__).with_name(f"{name}.py"))


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
