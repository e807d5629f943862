"""`selfinstruct describe`: table 1, pictures, nearest seeds and the dataset card."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from ..dataset.describe import describe

    result = describe(call.config)
    print(result.table)
    for path in result.files:
        print(path)


VERB = Verb(
    summary="Print table 1 of the paper for a dataset; write its figures and dataset card.",
    example="selfinstruct describe tiny --card.dataset FOLDER",
    run=run,
    sections=("run_dir", "card", "generate.seed_tasks"),
    instead_of_config=("run_dir",),
)
