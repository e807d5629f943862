"""Every table and figure of the paper beside this run: python recipes/paper.py --config configs/tiny.yaml

Prints them and writes <run_dir>/paper.md, paper.html and paper.json. What is not there yet is named with the command
that brings it; no model is asked. Exit code 2 and one line for what the user can mend.
"""

from __future__ import annotations

import argparse
import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import load_config

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config")
    own, others = parser.parse_known_args()
    config = load_config(None)

    from selfinstruct_eval.report.paper import as_text, command_words, paper_items, write_paper

    items = paper_items(config, command_words(own.config, others))
    files = write_paper(config, items)

    print(as_text(items))
    for path in files:
        print(path)


if __name__ == "__main__":
    sys.exit(run_recipe(main))
