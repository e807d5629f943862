"""Leave out rows of a dataset that a model scores low: python recipes/quality.py --config configs/tiny.yaml
    --quality.model.path judge

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

    from selfinstruct_train.dataset.quality import filter_by_quality, histogram, load_scorer, prepare_quality
    from selfinstruct_train.generate.funnel import count_verdicts, funnel_table

    plan = prepare_quality(config)
    result = filter_by_quality(plan, load_scorer(config))

    print(histogram(result.outcomes, config.quality.scorer))
    counts = count_verdicts(len(plan.scored), (outcome.verdict for outcome in result.outcomes))
    print(funnel_table({"quality": counts}))
    print(f"{len(result.rows)} of {len(plan.rows)} rows stay, rows of seed tasks included")
    for path in result.files:
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
