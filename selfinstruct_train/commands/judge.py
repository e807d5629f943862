"""`selfinstruct judge`: a language model grades the answers that `selfinstruct eval` left."""

from __future__ import annotations

from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    from selfinstruct_eval.judge.judging import judge, prepare_judging
    from selfinstruct_eval.judge.results import summarise, table, write_results
    from selfinstruct_eval.report.report import rewrite_report

    from ..lm import load_lm
    from ..publish.model_index import write_model_indexes

    plan = prepare_judging(call.config)
    judged = judge(plan, load_lm(call.config.judge.model))
    figures = summarise(plan, judged)
    files = write_results(plan, judged, figures)
    print(table(figures), flush=True)

    files += [*rewrite_report(call.config), *write_model_indexes(call.config.run_dir)]
    for file in files:
        print(file)


VERB = Verb(
    summary="Let a language model grade the answers of `selfinstruct eval`.",
    example="selfinstruct judge my_run --judge.model.path judge",
    run=run,
    sections=("run_dir", "seed", "judge", "eval", "train.mixtures", "budget"),
    log_level="INFO",
    when_stopped=GOES_ON,
)
