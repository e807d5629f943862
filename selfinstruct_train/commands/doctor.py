"""`selfinstruct doctor`: examine a training before it costs anything."""

from __future__ import annotations

import os

from .sections import TRAINING
from .verb import Call, Verb


def run(call: Call) -> None:
    from ..core.progress import shown
    from ..dataset.overlaps import open_overlaps
    from ..train.checks.doctor import examine
    from ..train.plan import make_plan

    overlaps = open_overlaps(call.config)
    with shown("reading the rows"):
        plans = [make_plan(call.config, mixture) for mixture in call.config.train.mixtures]
    if os.environ.get("RANK", "0") != "0":
        return
    with shown("examining the training"):
        examination = examine(call.config, plans, overlaps)
    for table in examination.tables:
        print(f"{table}\n")
    examination.refuse()
    print("the doctor has no objection")


VERB = Verb(
    summary="Examine data, tokenizer, model, memory and time of a training before it starts.",
    example="selfinstruct doctor tiny",
    run=run,
    sections=TRAINING,
)
