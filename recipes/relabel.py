"""Write a dataset's outputs anew with another model: python recipes/relabel.py --config configs/tiny.yaml
    --relabel.model.path teacher

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

    from selfinstruct_train.dataset.relabel import prepare_relabel, relabel
    from selfinstruct_train.generate.funnel import count_verdicts, funnel_table

    plan = prepare_relabel(config)

    from selfinstruct_train.lm import load_lm

    result = relabel(plan, load_lm(config.relabel.model))

    counts = count_verdicts(len(plan.requests), (outcome.verdict for outcome in result.outcomes))
    num_changed = sum(outcome.verdict == "kept" and outcome.new != outcome.old for outcome in result.outcomes)
    print(funnel_table({"relabel": counts}))
    print(f"{len(result.rows)} rows, {num_changed} of them with another output than before")
    for path in result.files:
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
