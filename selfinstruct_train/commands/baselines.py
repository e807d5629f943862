"""`selfinstruct baselines`: the run's data against other data -> <run_dir>/baselines."""

from __future__ import annotations

from .experiments import LAUNCH, print_experiment
from .sections import EXPERIMENT
from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    print_experiment("baselines", call)


VERB = Verb(
    summary="Train on the run's data, its seeds alone and other instruction sets, and compare.",
    example="selfinstruct baselines tiny --experiment.datasets '{superni: data/superni}'",
    run=run,
    sections=(*EXPERIMENT, "experiment.datasets"),
    options=LAUNCH,
    log_level="INFO",
    when_stopped=GOES_ON,
)
