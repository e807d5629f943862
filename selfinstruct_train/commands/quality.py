"""`selfinstruct quality`: rows that a model scores low are left out -> <run_dir>/filtered."""

from __future__ import annotations

from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    from ..dataset.quality import filter_by_quality, histogram, load_scorer, prepare_quality
    from ..generate.funnel import count_verdicts, funnel_table

    plan = prepare_quality(call.config)
    result = filter_by_quality(plan, load_scorer(call.config))

    print(histogram(result.outcomes, call.config.quality.scorer))
    counts = count_verdicts(len(plan.scored), (outcome.verdict for outcome in result.outcomes))
    print(funnel_table({"quality": counts}))
    print(f"{len(result.rows)} of {len(plan.rows)} rows stay, rows of seed tasks included")
    for path in result.files:
        print(path)


VERB = Verb(
    summary="Leave out rows of the dataset that a judge or a reward model scores low.",
    example="selfinstruct quality my_run --quality.model.path judge",
    run=run,
    sections=("run_dir", "seed", "quality", "budget"),
    log_level="INFO",
    when_stopped=GOES_ON,
)
