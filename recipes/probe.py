"""Find the prompt form that suits a model: python recipes/probe.py --config configs/tiny.yaml

Asks 20 prompts in every form (plain, chat, numbered) and compares what comes back. The answers are kept in
<run_dir>/journal/probe-<form>.jsonl: the same command asks only what is still open.
"""

from __future__ import annotations

import logging
import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import load_config

    config = load_config(None)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)

    from selfinstruct_train.generate.pipeline import check_writable, read_plan
    from selfinstruct_train.generate.probe import advice, probe, probe_path, probe_table

    plan = read_plan(config)
    check_writable(plan.run_dir)

    from selfinstruct_train.lm import load_lm

    results = probe(plan, load_lm(config.model))

    print(probe_table(results, config.seed))
    print(advice(results, config.generate.num_instructions, config.seed, config.budget))
    print(probe_path(config))


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
