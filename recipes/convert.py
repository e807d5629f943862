"""Make a training set of other people's instruction data.

    python recipes/convert.py superni natural-instructions-master.zip --out data/superni
    python recipes/convert.py p3 hub:bigscience/P3:ag_news_classify hub:bigscience/P3:dream_baseline --out data/t0

superni: the training tasks of a split of Natural Instructions (folder, archive, hub:owner/name). p3: rows of P3 and of
other files with a prompt and its answer. 50,000 rows unless --max-rows says otherwise, as the paper's baselines have.
Train with --train.dataset OUT, or merge it with a run's data (make merge). Exit code 2 and one line for what the user
can mend.
"""

from __future__ import annotations

import argparse
import sys

from selfinstruct_train.cli import run_recipe


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="superni|p3")
    superni = kinds.add_parser("superni", help="training tasks of Natural Instructions v2")
    superni.add_argument("source", help="folder, zip, tar, hub:owner/name, or builtin:tiny")
    superni.add_argument("--split", default="default", help="which split's lists (default)")
    parts = ("train", "excluded", "test")
    superni.add_argument("--part", default="train", choices=parts, help="which list of it: <part>_tasks.txt (train)")
    p3 = kinds.add_parser("p3", help="P3, promptsource, prompt and completion, or Tk-Instruct's rows")
    p3.add_argument("source", nargs="+", help="files, folders, or hub:owner/name[:configuration][@revision]")
    p3.add_argument("--test-tasks", help="list of tasks that may not get in; needed where rows name their tasks")
    for kind, per_task in ((superni, 100), (p3, None)):
        kind.add_argument("--out", required=True, help="folder of the training set")
        kind.add_argument("--max-per-task", type=int, default=per_task, help=f"instances of a task ({per_task})")
        kind.add_argument("--max-rows", type=int, default=50_000, help="of all tasks (50,000: paper, section 4.2)")
        kind.add_argument("--num-positive-examples", type=int, default=0, help="worked examples after a definition (0)")
        kind.add_argument("--seed", type=int, default=42, help="of the draws (42)")
    return parser.parse_args()


def main() -> None:
    arguments = _parse()

    from selfinstruct_train.dataset.convert import convert_p3, convert_superni, write_converted

    a = arguments
    choice = {
        "max_per_task": a.max_per_task,
        "max_rows": a.max_rows,
        "num_positive_examples": a.num_positive_examples,
        "seed": a.seed,
    }
    if a.kind == "superni":
        if a.source == "builtin:tiny":
            from selfinstruct_eval.tasks import BUILTIN_TINY

            a.source = str(BUILTIN_TINY)
        converted = convert_superni(a.source, a.split, a.part, **choice)
    else:
        converted = convert_p3(a.source, test_tasks=a.test_tasks, **choice)
    files = write_converted(a.out, converted)

    skipped = "".join(f", {count:,} left out ({reason})" for reason, count in converted.skipped.items())
    print(
        f"{len(converted.rows):,} rows of {converted.num_tasks:,} tasks; {converted.num_read:,} instances read{skipped}"
    )
    for path in files:
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main))
