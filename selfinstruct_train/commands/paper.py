"""`selfinstruct paper`: every table and figure of the paper beside this run's."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from selfinstruct_eval.report.paper import as_text, command_words, paper_items, write_paper

    _, path, *others = call.config_words
    items = paper_items(call.config, command_words(path, others))
    files = write_paper(call.config, items)
    print(as_text(items))
    for path in files:
        print(path)


VERB = Verb(
    summary="Show every table and figure of the paper beside this run's.",
    example="selfinstruct paper tiny",
    run=run,
    sections=("run_dir", "seed", "model", "generate", "train", "eval", "experiment.datasets"),
)
