"""`selfinstruct similarity`: the most similar instructions of each accepted one -> <run_dir>/most_similar.jsonl."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from ..core.progress import shown
    from ..dataset.similarity import write_most_similar

    with shown("similarity", "instructions") as live:
        path = write_most_similar(call.config, live.add)
    print(path)


VERB = Verb(
    summary="List the ten most similar instructions of each accepted one.",
    example="selfinstruct similarity tiny",
    run=run,
    sections=("run_dir", "generate.seed_tasks", "generate.method"),
    instead_of_config=("run_dir",),
)
