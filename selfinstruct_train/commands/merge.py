"""`selfinstruct merge`: several datasets in one, without repetitions."""

from __future__ import annotations

from pathlib import Path

from .verb import Call, Verb


def run(call: Call) -> None:
    from ..dataset.merge import merge, merge_table, read_sources, write_merged

    sources = read_sources(call.options["datasets"])
    merged = merge(sources, call.options["threshold"])
    files = write_merged(Path(call.options["out"]), merged)

    print(merge_table(sources, merged.outcomes))
    print(f"{len(merged.rows)} rows of {len(merged.outcomes)} stay")
    for path in files:
        print(path)


VERB = Verb(
    summary="Merge datasets without repetitions; the result can stand as a run directory.",
    example="selfinstruct merge runs/a runs/b --out runs/both",
    run=run,
    options={
        "datasets": {
            "nargs": "+",
            "help": "run directories, files or folders of rows; the earlier keeps what both have; name=path gives "
            "another name in the ids",
        },
        "--out": {"required": True, "metavar": "FOLDER", "help": "the folder of the merged dataset"},
        "--threshold": {
            "type": float,
            "default": 0.7,
            "help": "ROUGE-L above which an instruction is dropped (0.7: the paper)",
        },
    },
)
