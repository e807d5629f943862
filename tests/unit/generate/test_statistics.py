"""Table 1's figures, counted by hand."""

from __future__ import annotations

from selfinstruct_train.core.records import Row
from selfinstruct_train.generate.statistics import Statistics, statistics


def test_instructions_are_counted_once_and_instances_each() -> None:
    rows = [
        Row("a-0", "one two three", "", "x", False, instruction_id="a"),
        Row("a-1", "one two three", "p q", "x y z", False, instruction_id="a"),
        Row("b-0", "one  two\nthree four five", "p q r s", "x", True, instruction_id="b"),
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
