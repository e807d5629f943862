"""`selfinstruct similarity`: the most similar instructions of each accepted one -> <run_dir>/most_similar.jsonl."""

from __future__ import annotations

import sys

from .verb import Call, Verb


def run(call: Call) -> None:
    from tqdm import tqdm

    from ..dataset.similarity import write_most_similar

    with tqdm(desc="similarity", unit=" instructions", disable=not sys.stderr.isatty()) as bar:
        path = write_most_similar(call.config, bar.update)
    print(path)


VERB = Verb(
    summary="List the ten most similar instructions of each accepted one.",
    example="selfinstruct similarity tiny",
    run=run,
    sections=("run_dir", "generate.seed_tasks", "generate.method"),
    instead_of_config=("run_dir",),
)
