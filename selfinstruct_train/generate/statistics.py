"""The figures of the paper's table 1, of any dataset of rows: a pure function.

Words are what white space separates. Lengths of instructions are over distinct instructions, of inputs over the
non-empty ones, of outputs over all instances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.records import Row


@dataclass(frozen=True)
class Statistics:
    """Table 1 of the paper; a mean over nothing is 0."""

    num_instructions: int
    num_classification_instructions: int
    num_other_instructions: int
    num_instances: int
    num_instances_with_empty_input: int
    mean_instruction_words: float
    mean_nonempty_input_words: float
    mean_output_words: float


def statistics(rows: Sequence[Row]) -> Statistics:
    """Count the rows."""
    instructions = {row.instruction_id: row for row in rows}
    num_classification = sum(row.is_classification for row in instructions.values())
    return Statistics(
        num_instructions=len(instructions),
        num_classification_instructions=num_classification,
        num_other_instructions=len(instructions) - num_classification,
        num_instances=len(rows),
        num_instances_with_empty_input=sum(not row.input for row in rows),
        mean_instruction_words=_mean_words([row.instruction for row in instructions.values()]),
        mean_nonempty_input_words=_mean_words([row.input for row in rows if row.input]),
        mean_output_words=_mean_words([row.output for row in rows]),
    )


def _mean_words(texts: Sequence[str]) -> float:
    return sum(len(text.split()) for text in texts) / len(texts) if texts else 0.0
