"""Table 1's figures, counted by hand."""

from __future__ import annotations

from dataclasses import dataclass

from selfinstruct_train.generate.statistics import Statistics, statistics


@dataclass(frozen=True)
class Row:
    instruction_id: str
    instruction: str
    input: str
    output: str
    is_classification: bool


def test_instructions_are_counted_once_and_instances_each() -> None:
    rows = [
        Row("a", "one two three", "", "x", False),
        Row("a", "one two three", "p q", "x y z", False),
        Row("b", "one  two\nthree four five", "p q r s", "x", True),
    ]
    assert statistics(rows) == Statistics(
        num_instructions=2,
        num_classification_instructions=1,
        num_other_instructions=1,
        num_instances=3,
        num_instances_with_empty_input=1,
        mean_instruction_words=4.0,
        mean_nonempty_input_words=3.0,
        mean_output_words=5 / 3,
    )


def test_nothing_gives_zeros() -> None:
    assert statistics([]) == Statistics(0, 0, 0, 0, 0, 0.0, 0.0, 0.0)
