"""Foretell what a run will take: python recipes/forecast.py --config configs/gpu.yaml

Asks a few of the run's own first requests and prints requests, tokens, cost and time for generate.num_instructions.
The answers are kept in the run's journals, so recipes/generate.py does not ask them again.
"""

from __future__ import annotations

import logging
import sys


def main() -> int:
    from selfinstruct_train.config_file import load_config

    try:
        config = load_config(None)
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)

        from selfinstruct_train.generate.run import foretell_run, prepare
        from selfinstruct_train.generate.spending import BudgetReachedError

        plan = prepare(config)

        from selfinstruct_train.lm import load_lm

        try:
            table = foretell_run(plan, load_lm(config.model))
        except BudgetReachedError as reached:
            print(f"stopped: {reached}", file=sys.stderr)
            return 3
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the answers so far are kept", file=sys.stderr)
        return 130

    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
