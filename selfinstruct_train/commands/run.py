"""`selfinstruct run`: generate, train and eval in turn, each in a process of its own."""

from __future__ import annotations

import os
import sys

from .sections import EVALUATION, GENERATION, TRAINING
from .verb import GOES_ON, Call, Verb

STEPS = ("generate", "train", "eval")


def run(call: Call) -> None:
    from ..train.subprocesses import run_to_end

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise ValueError("run starts a process for each step; give generate, train and eval to the launcher in turn")
    for step in STEPS:  # a process gives all its memory back when it ends
        run_to_end([sys.executable, "-m", "selfinstruct_train", step, *call.config_words], f"selfinstruct {step}")


VERB = Verb(
    summary="Generate, train and evaluate in turn.",
    example="selfinstruct run tiny",
    run=run,
    sections=tuple(dict.fromkeys((*GENERATION, *TRAINING, *EVALUATION))),
    when_stopped=GOES_ON,
)
