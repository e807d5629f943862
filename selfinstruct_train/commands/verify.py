"""`selfinstruct verify`: prove from the saved files that the trained models are fit for use."""

from __future__ import annotations

from .sections import TRAINED_MODEL
from .verb import Call, Verb


def run(call: Call) -> None:
    import transformers

    from ..train.checks.findings import check_allowed, findings_table
    from ..train.plan import make_plan
    from ..train.verify.record import VERIFICATION_FILE
    from ..train.verify.verification import refuse_unfit, verify

    transformers.utils.logging.disable_progress_bar()
    train = call.config.train
    check_allowed(train.allow)
    results = [verify(make_plan(call.config, mixture), call.options["force"]) for mixture in train.mixtures]
    for mixture, result in zip(train.mixtures, results, strict=True):
        state = "passed" if result.passed else "FAILED"
        print(f"{mixture}: {state}" + (" before, with the same weights" if result.was_known else ""))
        print(findings_table(result.findings))
    for result in results:
        print(result.folder / VERIFICATION_FILE)
    refuse_unfit(results)


VERB = Verb(
    summary="Check from the saved files that the trained models are fit for use.",
    example="selfinstruct verify tiny --force",
    run=run,
    sections=("run_dir", "seed", *TRAINED_MODEL, "train"),
    options={"--force": {"action": "store_true", "help": "examine a model again that passed before"}},
)
