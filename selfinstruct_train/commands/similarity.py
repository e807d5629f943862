"""`selfinstruct similarity`: the most similar instructions of each accepted one -> <run_dir>/most_similar.jsonl."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from ..core.progress import shown
    from ..dataset.similarity import write_most_similar

    num_done = 0
    with shown("similarity") as live:

        def tell(number: int) -> None:
            nonlocal num_done
            num_done += number
            live.update(num_done, f"{num_done:,} instructions")

        path = write_most_similar(call.config, tell)
    print(path)


VERB = Verb(
    summary="List the ten most similar instructions of each accepted one.",
    example="selfinstruct similarity tiny",
    run=run,
    sections=("run_dir", "generate.seed_tasks", "generate.method"),
    instead_of_config=("run_dir",),
)
