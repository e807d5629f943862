"""What the verbs scale, distill and baselines share: the launcher of their trainings, and what they print."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from .verb import Call

if TYPE_CHECKING:
    from ..dataset.arms import Experiment

LAUNCH = {
    "--launch": {
        "default": shlex.quote(sys.executable),
        "metavar": "COMMAND",
        "help": 'starts each training, e.g. "accelerate launch --config_file FILE"; without it this Python',
    }
}


def print_experiment(kind: Experiment, call: Call) -> None:
    """Train and evaluate the arms of an experiment and print a table for each evaluation set."""
    from selfinstruct_eval.experiment import arms_table
    from selfinstruct_eval.report.curve import find_plateau

    from ..dataset.experiment import run_experiment

    done = run_experiment(kind, call.config, call.options["launch"])
    for number, scores in enumerate(done.scores):
        print(("\n" if number else "") + arms_table(scores, done.sizes, done.reference))
        if kind == "scale":
            print(find_plateau([done.sizes[arm.name][0] for arm in scores.arms], scores.arms).words)
