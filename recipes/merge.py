"""Merge datasets without repetitions: python recipes/merge.py --out runs/both runs/a runs/b

Each of them is a run directory, or a file or folder of rows; name=path gives it another name in the ids. The first one
keeps all but repetitions and copies of seeds. What comes out can stand as a run_dir. No model is asked.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from selfinstruct_train.cli import run_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+", help="in order: the earlier keeps what both have")
    parser.add_argument("--out", required=True, help="the folder of the merged dataset")
    parser.add_argument(
        "--threshold", type=float, default=0.7, help="ROUGE-L above which an instruction goes (0.7: the paper)"
    )
    arguments = parser.parse_args()

    from selfinstruct_train.dataset.merge import merge, merge_table, read_sources, write_merged

    sources = read_sources(arguments.datasets)
    merged = merge(sources, arguments.threshold)
    files = write_merged(Path(arguments.out), merged)

    print(merge_table(sources, merged.outcomes))
    print(f"{len(merged.rows)} rows of {len(merged.outcomes)} stay")
    for path in files:
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main))
