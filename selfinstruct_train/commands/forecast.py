"""`selfinstruct forecast`: what a run will take, from a few of its own first requests."""

from __future__ import annotations

from .sections import GENERATION
from .verb import Call, Verb


def run(call: Call) -> None:
    from ..generate.pipeline import estimate_run, prepare
    from ..lm import load_lm

    plan = prepare(call.config)
    print(estimate_run(plan, load_lm(call.config.model)))


VERB = Verb(
    summary="Estimate requests, tokens, cost and time of a run from a few of its first requests.",
    example="selfinstruct forecast gpu",
    run=run,
    sections=GENERATION,
    log_level="INFO",
    logs_settings=False,
    when_stopped="stopped; the answers so far are kept",
)
