"""`selfinstruct compare`: finished runs on one page."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from selfinstruct_eval.report.compare import compare_runs

    for path in compare_runs(call.options["runs"], call.options["out"]):
        print(path)


VERB = Verb(
    summary="Compare evaluated runs on one page, on the examples that all of them answered.",
    example="selfinstruct compare runs/a runs/b --out runs/compared",
    run=run,
    options={
        "runs": {"nargs": "+", "help": "run directories"},
        "--out": {
            "required": True,
            "metavar": "FOLDER",
            "help": "folder for compared.html, compared.md and compared.json",
        },
    },
)
