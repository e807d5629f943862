"""A page on this machine where people rate the answers of `make eval`, or review the generated data.

    python recipes/annotate.py --config configs/tiny.yaml [--annotate.set tasks] [--annotate.job data] [--results]

Prints the address and serves the page until Ctrl-C, then writes and prints what came of it: <run_dir>/eval/people.json
(of data <run_dir>/review.json), and the report with it. With --results it does only that. Raters' choices are saved at
once in <run_dir>/annotations/; the same command goes on from there.
Exit code 2 and one line for what the user can mend.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import changed_settings, load_config

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--results", action="store_true")
    own, settings = parser.parse_known_args()
    if {"-h", "--help"} & set(settings):
        print(__doc__)
    config = load_config(settings)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.info("%s", changed_settings(config))

    from selfinstruct_eval.people.desk import Desk
    from selfinstruct_eval.people.items import load_work
    from selfinstruct_eval.people.results import write_results
    from selfinstruct_eval.people.server import serve
    from selfinstruct_eval.report.report import rewrite_report
    from selfinstruct_train.publish.model_index import write_model_indexes

    work = load_work(config)
    if not own.results:
        what = f"{len(work.items)} items of {work.set}" + (f", {len(work.systems)} systems" if work.systems else "")

        def announce(address: str) -> None:
            print(f"{what}\nopen {address}\nCtrl-C ends it and prints the results", flush=True)

        serve(Desk(config, work), config.annotate.port, announce)
    path, lines = write_results(config, work)
    print("\n".join(lines), flush=True)
    if path is None:
        return
    files = [path]
    if (Path(config.run_dir) / "eval" / "scores.json").is_file():
        files += [*rewrite_report(config), *write_model_indexes(config.run_dir)]
    for file in files:
        logging.info("wrote %s", file)


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
