"""A language model grades the answers that `make eval` left: python recipes/judge.py --config configs/tiny.yaml
    --judge.model.path judge

Stopped at any moment, the same command goes on where it was. Exit code 2 and one line for what the user can mend; 3
and one line when a limit of the budget is reached: raise it, and the same command goes on.
"""

from __future__ import annotations

import logging
import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import changed_settings, load_config

    config = load_config(None)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.info("%s", changed_settings(config))

    from selfinstruct_eval.judge.judging import judge, prepare_judging
    from selfinstruct_eval.judge.results import summarise, table, write_results
    from selfinstruct_eval.report.report import rewrite_report
    from selfinstruct_train.publish.model_index import write_model_indexes

    plan = prepare_judging(config)

    from selfinstruct_train.lm import load_lm

    judged = judge(plan, load_lm(config.judge.model))
    figures = summarise(plan, judged)
    files = write_results(plan, judged, figures)
    print(table(figures), flush=True)

    files += [*rewrite_report(config), *write_model_indexes(config.run_dir)]
    for file in files:
        print(file)


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
