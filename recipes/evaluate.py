"""Evaluate a run, or anyone's predictions, and print how the systems stand.

    python recipes/evaluate.py --config configs/tiny.yaml [--eval.max_instances_per_task 25]
    python recipes/evaluate.py --predictions FILE [--predictions FILE] --eval.user_oriented TASKS.jsonl
        [--scores OUT.json]

The first asks the base model, every trained model of the run and those of eval.models, scores them and writes
<run_dir>/eval/ and report.html; stopped at any moment, the same command goes on where it was. The second loads no
model: FILE is JSON lines with a "prediction" (or "response"), and --eval.tasks with --eval.split, or
--eval.user_oriented, names what it answers; several are compared, also with the published systems.
Exit code 2 and one line for what the user can mend; 3 and one line when a limit of the budget is reached: raise it, and
the same command goes on.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings

from selfinstruct_train.cli import run_recipe

logger = logging.getLogger("evaluate")


def main() -> None:
    from selfinstruct_train.config.load import load_config

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--predictions", action="append", default=[])
    parser.add_argument("--scores")
    own, settings = parser.parse_known_args()
    if {"-h", "--help"} & set(settings):
        print(__doc__)
    config = load_config(settings)
    if own.scores and not own.predictions:
        raise ValueError("--scores is for --predictions; a run's scores are always in <run_dir>/eval/scores.json")
    warnings.filterwarnings("ignore", category=FutureWarning)  # of the libraries, about one another
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # peft loads it; it misses a kernel for CPUs nobody needs

    from selfinstruct_eval.evaluate import evaluate_files, evaluate_run, file_lines
    from selfinstruct_eval.report.report import write_report
    from selfinstruct_eval.scores import summary
    from selfinstruct_train.publish.model_index import write_model_indexes

    if own.predictions:
        done = evaluate_files(config, own.predictions, own.scores)
        lines, files = file_lines(done.evaluations[0]), done.files
    else:
        done = evaluate_run(config)
        lines = summary(done.evaluations[0])
        files = [*done.files, *write_report(config, done.evaluations), *write_model_indexes(config.run_dir)]
    for file in files:
        logger.info("wrote %s", file)
    print("\n".join(lines))


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
