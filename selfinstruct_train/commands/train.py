"""`selfinstruct train`: finetune the model on the run's dataset, a model for each mixture, and verify it."""

from __future__ import annotations

import os

from .sections import TRAINING
from .verb import Call, Verb


def run(call: Call) -> None:
    from ..dataset.overlaps import open_overlaps
    from ..train.mixtures import train_mixtures
    from ..train.verify.new_process import verify_in_a_new_process
    from ..train.verify.record import is_verified

    trained = train_mixtures(call.config, lambda: open_overlaps(call.config))
    if os.environ.get("RANK", "0") != "0":
        return
    for mixture in trained:
        print(mixture.line(), flush=True)
    by_mixture = {mixture.plan.mixture: mixture.plan.folder for mixture in trained}
    folders = [by_mixture[name] for name in call.config.train.mixtures]
    if not all(map(is_verified, folders)):
        verify_in_a_new_process(folders, call.config_words)
    for folder in folders:
        print(folder)


VERB = Verb(
    summary="Finetune the model on the run's dataset and verify what was saved.",
    example="selfinstruct train tiny --train.method lora",
    run=run,
    sections=TRAINING,
    log_level="INFO",
    when_stopped="stopped; the same command goes on from the last checkpoint",
)
