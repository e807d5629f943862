"""Estimate what a run will take: python recipes/forecast.py --config configs/gpu.yaml

Asks a few of the run's own first requests and prints requests, tokens, cost and time for generate.num_instructions.
The answers are kept in the run's journals, so recipes/generate.py does not ask them again.
"""

from __future__ import annotations

import logging
import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import load_config

    config = load_config(None)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)

    from selfinstruct_train.generate.pipeline import estimate_run, prepare

    plan = prepare(config)

    from selfinstruct_train.lm import load_lm

    table = estimate_run(plan, load_lm(config.model))

    print(table)


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the answers so far are kept"))
