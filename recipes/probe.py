"""Find the prompt form that suits a model: python recipes/probe.py --config configs/tiny.yaml

Asks 20 prompts in every form (plain, chat, numbered) and compares what comes back. The answers are kept in
<run_dir>/journal/probe-<form>.jsonl: the same command asks only what is still open.
"""

from __future__ import annotations

import logging
import sys


def main() -> int:
    from selfinstruct_train.config_file import load_config

    try:
        config = load_config(None)
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)

        from selfinstruct_train.generate.probe import advice, probe, probe_path, probe_table
        from selfinstruct_train.generate.run import check_writable, read_plan
        from selfinstruct_train.generate.spending import BudgetReachedError

        plan = read_plan(config)
        check_writable(plan.run_dir)

        from selfinstruct_train.lm import load_lm

        try:
            results = probe(plan, load_lm(config.model))
        except BudgetReachedError as reached:
            print(f"stopped: {reached}", file=sys.stderr)
            return 3
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130

    print(probe_table(results, config.seed))
    print(advice(results, config.generate.num_instructions, config.seed, config.budget))
    print(probe_path(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
