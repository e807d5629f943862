"""Similarity within the pool: python recipes/similarity.py --config configs/tiny.yaml

Writes <run_dir>/most_similar.jsonl: each accepted instruction with its ten most similar of the seeds and of what was
accepted before it, and the mean over all of these, as the released code stores them. Asks no model.
"""

from __future__ import annotations

import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from tqdm import tqdm

    from selfinstruct_train.config.load import load_config

    config = load_config(None)

    from selfinstruct_train.dataset.similarity import write_most_similar

    with tqdm(desc="similarity", unit=" instructions", disable=not sys.stderr.isatty()) as bar:
        path = write_most_similar(config, bar.update)
    print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main))
