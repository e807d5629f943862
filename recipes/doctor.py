"""Examine a training before it costs anything: python recipes/doctor.py --config configs/tiny.yaml

Prints thirteen findings for each mixture, errors last, each with a remedy. Under `accelerate launch` memory and time
are those of that launch. Exit code 2 where a finding refuses the training, and for what the user can mend.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import warnings

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import load_config

    config = load_config(None)
    warnings.filterwarnings("ignore", category=FutureWarning)  # of the libraries, about one another
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)

    from selfinstruct_eval.evaluation_data import open_evaluation_data
    from selfinstruct_train.generate.contamination import find_overlaps
    from selfinstruct_train.train.checks.doctor import CHECKS, examine_all
    from selfinstruct_train.train.checks.findings import check_allowed, findings_table, refuse
    from selfinstruct_train.train.plan import make_plan
    from selfinstruct_train.train.verify.verification import CHECKS as OF_THE_FINISHED_MODEL

    check_allowed(config.train.allow, (*CHECKS, *OF_THE_FINISHED_MODEL))
    contamination = config.generate.contamination
    overlaps = functools.partial(find_overlaps, evaluation_data=open_evaluation_data(config), settings=contamination)
    plans = [make_plan(config, mixture) for mixture in config.train.mixtures]
    if os.environ.get("RANK", "0") != "0":
        return
    results = examine_all(config, plans, overlaps if contamination.action != "off" else None)
    for plan, findings in zip(plans, results, strict=True):
        print(f"{plan.mixture}: {len(plan.rows):,} of {len(plan.source_rows):,} rows\n{findings_table(findings)}\n")
    refuse(finding for findings in results for finding in findings)
    print("the doctor has no objection")


if __name__ == "__main__":
    sys.exit(run_recipe(main))
