"""Describe a dataset: python recipes/describe.py --config configs/tiny.yaml [--card.dataset FOLDER]

Writes similarity to the seeds, pictures and the dataset card, and prints table 1 beside the paper's. Exit code 2 and
one line for what the user can mend.
"""

from __future__ import annotations

import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import load_config

    config = load_config(None)

    from selfinstruct_train.dataset.describe import describe

    result = describe(config)

    print(result.table)
    for path in result.files:
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main))
