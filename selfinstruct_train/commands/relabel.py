"""`selfinstruct relabel`: the dataset's outputs anew by another model -> <run_dir>/relabelled."""

from __future__ import annotations

from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    from ..dataset.relabel import prepare_relabel, relabel
    from ..generate.funnel import count_verdicts, funnel_table
    from ..lm import load_lm

    plan = prepare_relabel(call.config)
    result = relabel(plan, load_lm(call.config.relabel.model))

    counts = count_verdicts(len(plan.requests), (outcome.verdict for outcome in result.outcomes))
    num_changed = sum(outcome.verdict == "kept" and outcome.new != outcome.old for outcome in result.outcomes)
    print(funnel_table({"relabel": counts}))
    print(f"{len(result.rows)} rows, {num_changed} of them with another output than before")
    for path in result.files:
        print(path)


VERB = Verb(
    summary="Write the dataset's outputs anew with another, stronger model.",
    example="selfinstruct relabel my_run --relabel.model.path teacher",
    run=run,
    sections=("run_dir", "seed", "relabel", "train.template", "budget"),
    log_level="INFO",
    when_stopped=GOES_ON,
)
