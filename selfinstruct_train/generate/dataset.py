"""Stage 4: the dataset, one row an instance, seeds first, each row with where it came from.

Written as one parquet file that `datasets.load_dataset(folder)` reads; the same rows give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from ..core.names import KEPT
from ..core.records import Instruction, Row, SeedTask
from ..core.storage import write_atomically
from .self_instruct.instances import InstanceOutcome


def dataset_rows(
    seeds: Sequence[SeedTask],
    instructions: Sequence[Instruction],
    is_classification: Sequence[bool],
    outcomes: Sequence[InstanceOutcome],
) -> list[Row]:
    """Put seeds and kept instances into rows: seeds in file order, then instructions in the order of acceptance."""
    rows = []
    for task in seeds:
        for item, pair in enumerate(task.instances):
            rows.append(
                Row(
                    id=f"{task.id}-{item}",
                    instruction=task.instruction,
                    input=pair.input,
                    output=pair.output,
                    is_classification=task.is_classification,
                    source="seed",
                    instruction_id=task.id,
                )
            )
    labelled = {i.id: (i, label) for i, label in zip(instructions, is_classification, strict=True)}
    for outcome in outcomes:
        if outcome.verdict == KEPT:
            instruction, label = labelled[outcome.instruction_id]
            rows.append(_generated_row(instruction, label, outcome))
    return rows


def write_dataset(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows as a parquet file with the features of a Hugging Face dataset."""
    import pyarrow
    import pyarrow.parquet
    from datasets import Features, List, Value

    types = {"is_classification": Value("bool"), "parents": List(Value("string"))}
    names = list(Row.__dataclass_fields__)
    features = Features({name: types.get(name, Value("string")) for name in names})
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    table = pyarrow.Table.from_pydict(columns, schema=features.arrow_schema)
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer)
    write_atomically(path, buffer.getvalue())


def _generated_row(instruction: Instruction, is_classification: bool, outcome: InstanceOutcome) -> Row:
    return Row(
        id=outcome.id,
        instruction=instruction.text,
        input=outcome.input,
        output=outcome.output,
        is_classification=is_classification,
        source="generated",
        instruction_id=instruction.id,
        request_id=instruction.request_id,
        instance_request_id=outcome.request_id,
        parents=instruction.parents,
        finish_reason=outcome.finish_reason,
    )
