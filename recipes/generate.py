"""Generate a dataset: python recipes/generate.py --config configs/tiny.yaml [--generate.num_instructions 50]

Stopped at any moment, the same command goes on where it was. Exit code 2 and one line for what the user can mend; 3
and one line when a limit of the budget is reached: raise it, and the same command goes on.
"""

from __future__ import annotations

import logging
import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import changed_settings, load_config
    from selfinstruct_train.lm.transformers.distributed import is_main_process, shared_lm

    config = load_config(None)
    if not is_main_process():  # it only serves process 0, which alone speaks
        with shared_lm(config.model):
            return
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.info("%s", changed_settings(config))

    from selfinstruct_eval.evaluation_data import open_evaluation_data
    from selfinstruct_train.generate.pipeline import generate, prepare

    plan = prepare(config)
    evaluation_data = open_evaluation_data(config)

    with shared_lm(config.model) as lm:
        assert lm is not None
        result = generate(plan, lm, evaluation_data)

    counts = result.funnel["instructions"]
    generated = result.statistics["generated"]
    print(
        f"{generated.num_instances} instances of {generated.num_instructions} instructions "
        f"({counts.acceptance_rate:.0%} of {counts.num_candidates} candidates accepted) and "
        f"{result.statistics['seed'].num_instances} of seed tasks"
    )
    for path in result.files:
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
