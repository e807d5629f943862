"""Judge a run's answers again: python recipes/refilter.py --config configs/tiny.yaml --generate.rouge_l_threshold 0.6

Asks no model: dataset, ledger and funnel at the other thresholds come from the journals and go into
<run_dir>/refiltered; what would need new answers is counted. The run itself stays as it is.
"""

from __future__ import annotations

import logging
import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import load_config

    config = load_config(None)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)

    from selfinstruct_eval.evaluation_data import open_evaluation_data
    from selfinstruct_train.generate.funnel import comparison_table, funnel_table
    from selfinstruct_train.generate.pipeline import read_plan
    from selfinstruct_train.generate.refilter import refilter
    from selfinstruct_train.lm.budget import money
    from selfinstruct_train.lm.progress import compact

    result = refilter(read_plan(config), open_evaluation_data(config))

    after = result.generated.funnel
    print(funnel_table(after) if result.before is None else comparison_table(result.before, after))
    print(
        "the prompts showed the pool of the old thresholds; a new run at these would show another and go on elsewhere"
    )
    missing = result.missing
    if missing.num_instances:
        usage = missing.usage
        cost = f", {money(usage.cost)} {config.budget.currency}" if usage.cost else ""
        print(
            f"a model would have to be asked about {missing.num_instances:,} accepted instructions without instances, "
            f"{missing.num_labels:,} of them without a class, which the dataset lacks: about {usage.num_requests:,} "
            f"requests, {compact(usage.prompt_tokens)} tokens in, {compact(usage.completion_tokens)} out{cost}"
        )
    for path in result.generated.files:
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main))
