"""`selfinstruct export`: the dataset in a format that another tool reads -> <run_dir>/export."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from ..dataset.exports import export

    result = export(call.config)
    left_out = f", {result.num_left_out} without instruction or output left out" if result.num_left_out else ""
    print(f"{result.num_rows} rows as {call.config.export.format}{left_out}")
    print(result.path)


VERB = Verb(
    summary="Write the dataset in a format that another tool reads.",
    example="selfinstruct export tiny --export.format alpaca",
    run=run,
    sections=("run_dir", "export"),
    instead_of_config=("run_dir",),
)
