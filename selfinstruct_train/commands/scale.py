"""`selfinstruct scale`: a model for each number of instructions -> <run_dir>/scale."""

from __future__ import annotations

from .experiments import LAUNCH, print_experiment
from .sections import EXPERIMENT
from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    print_experiment("scale", call)


VERB = Verb(
    summary="Train on growing numbers of instructions and show how the score grows with them.",
    example="selfinstruct scale tiny --experiment.sizes '[40, 200]'",
    run=run,
    sections=(*EXPERIMENT, "experiment.sizes"),
    options=LAUNCH,
    log_level="INFO",
    when_stopped=GOES_ON,
)
