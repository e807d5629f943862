"""`selfinstruct publish`: a run's model and dataset to the Hub; a dry run unless publish.push is set."""

from __future__ import annotations

from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    from ..publish.steps import publish

    publish(call.config, print)


VERB = Verb(
    summary="Show what would go to the Hub; --publish.push true uploads it.",
    example="selfinstruct publish my_run --publish.model_repo me/my-model --publish.push true",
    run=run,
    sections=("run_dir", "model", "train.dataset", "card.license", "card.language", "publish"),
    log_level="INFO",
    when_stopped=GOES_ON,
)
