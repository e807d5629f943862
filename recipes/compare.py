"""Compare finished runs on one page: python recipes/compare.py --out runs/compared runs/a runs/b

Each is a run directory that `make eval` has been through. Scores and paired differences come from the examples that all
of them answered; differing settings, data, cost, curves and answers stand side by side. No model is asked.
"""

from __future__ import annotations

import argparse
import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="run directories")
    parser.add_argument("--out", required=True, help="folder for compared.html, compared.md and compared.json")
    arguments = parser.parse_args()

    from selfinstruct_eval.report.compare import compare_runs

    for path in compare_runs(arguments.runs, arguments.out):
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main))
