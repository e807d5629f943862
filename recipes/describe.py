"""Describe a dataset: python recipes/describe.py --config configs/tiny.yaml [--card.dataset FOLDER]

Writes similarity to the seeds, pictures and the dataset card, and prints table 1 beside the paper's. Exit code 2 and
one line for what the user can mend.
"""

from __future__ import annotations

import sys


def main() -> int:
    from selfinstruct_train.config_file import load_config

    try:
        config = load_config(None)

        from selfinstruct_train.dataset.describe import describe

        result = describe(config)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130

    print(result.table)
    for path in result.files:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
