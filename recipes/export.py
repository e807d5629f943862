"""Write a dataset for other tools: python recipes/export.py --config configs/tiny.yaml --export.format alpaca

Exit code 2 and one line for what the user can mend.
"""

from __future__ import annotations

import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import load_config

    config = load_config(None)

    from selfinstruct_train.dataset.exports import export

    result = export(config)

    left_out = f", {result.num_left_out} without instruction or output left out" if result.num_left_out else ""
    print(f"{result.num_rows} rows as {config.export.format}{left_out}")
    print(result.path)


if __name__ == "__main__":
    sys.exit(run_recipe(main))
