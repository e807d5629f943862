"""`selfinstruct distill`: the run's outputs against relabelled ones -> <run_dir>/distill."""

from __future__ import annotations

from .experiments import LAUNCH, print_experiment
from .sections import EXPERIMENT
from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    print_experiment("distill", call)


VERB = Verb(
    summary="Train on the run's outputs and on relabelled ones (`selfinstruct relabel`) and compare.",
    example="selfinstruct distill tiny",
    run=run,
    sections=(*EXPERIMENT, "relabel.dataset"),
    options=LAUNCH,
    log_level="INFO",
    when_stopped=GOES_ON,
)
