"""Prove that the run's trained models are fit for use: python recipes/verify.py --config configs/tiny.yaml [--force]

Each mixture's model is read from disk as a user would read it: whole, finite, changed, the base's tokenizer; it stops,
does not repeat itself, says something; and an adapter gives the same text when it is merged. The outcome is written to
verification.json beside the weights. A model that passed is not examined again unless --force is given.
Exit code 2 and one line for a model that fails, or for what the user can mend.
"""

from __future__ import annotations

import argparse
import logging
import sys

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import load_config

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--force", action="store_true")
    own, settings = parser.parse_known_args()
    if {"-h", "--help"} & set(settings):
        print(__doc__)
    config = load_config(settings)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)

    import transformers

    transformers.utils.logging.disable_progress_bar()

    from selfinstruct_train.train.checks.doctor import CHECKS as OF_THE_DOCTOR
    from selfinstruct_train.train.checks.findings import check_allowed, findings_table
    from selfinstruct_train.train.plan import make_plan
    from selfinstruct_train.train.verify.verification import CHECKS, VERIFICATION_FILE, verify

    check_allowed(config.train.allow, (*CHECKS, *OF_THE_DOCTOR))
    results = [verify(make_plan(config, mixture), own.force) for mixture in config.train.mixtures]
    for mixture, result in zip(config.train.mixtures, results, strict=True):
        state = "passed" if result.passed else "FAILED"
        print(f"{mixture}: {state}" + (" before, with the same weights" if result.was_known else ""))
        print(findings_table(result.findings))
    for result in results:
        print(result.folder / VERIFICATION_FILE)
    failed = [(r.folder, f) for r in results for f in r.findings if f.level == "error"]
    if failed:
        told = "; ".join(f"{folder}: {f.check}: {f.what}; {f.remedy}" for folder, f in failed)
        names = sorted({f.check for _, f in failed} & set(CHECKS))
        accepting = f" (or accept it: --train.allow '[{','.join(names)}]')" if names else ""
        raise ValueError(f"not fit for use: {told}{accepting}")


if __name__ == "__main__":
    sys.exit(run_recipe(main))
