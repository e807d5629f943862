"""Parsing: the released code's answers in method paper, its known faults put right in method default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfinstruct_train.generate.self_instruct.parse import (
    InstanceCandidate,
    instance_candidates,
    instruction_candidates,
    parse_instances,
    parse_instructions,
)


def parity(shared_data: Path, kind: str) -> list[dict[str, Any]]:
    cases = json.loads((shared_data / "parity/original_parsing.json").read_text())[kind]
    assert len(cases) == 400
    return cases


def test_a_withheld_answer_gives_one_refused_candidate():
    assert [c.verdict for c in instruction_candidates("", "content_filter", "default")] == ["refused"]
    assert [c.verdict for c in instance_candidates("", "content_filter", True, "paper")] == ["refused"]


def test_instructions_of_400_completions_equal_the_released_codes(shared_data: Path) -> None:
    for case in parity(shared_data, "instruction_completions"):
        assert parse_instructions(case["text"], case["finish_reason"], "paper") == case["expected"], case


@pytest.mark.parametrize(
    ("kind", "is_classification"), [("generation_completions", False), ("classification_completions", True)]
)
def test_instances_of_400_completions_equal_the_released_codes(
    shared_data: Path, kind: str, is_classification: bool
) -> None:
    for case in parity(shared_data, kind):
        pairs = parse_instances(case["text"], case["finish_reason"], is_classification, "paper")
        assert sorted(pairs) == sorted((input, output) for _, input, output in case["expected"]), case


def test_default_differs_from_paper_on_real_completions_only_in_letters_and_cut_texts(shared_data: Path) -> None:
    for case in parity(shared_data, "instruction_completions"):
        if case["finish_reason"] == "stop":
            default = parse_instructions(case["text"], "stop", "default")
            assert [text.capitalize() for text in default] == case["expected"], case
    for kind, is_classification in (("generation_completions", False), ("classification_completions", True)):
        for case in parity(shared_data, kind):
            default_pairs = parse_instances(case["text"], case["finish_reason"], is_classification, "default")
            if case["finish_reason"] == "stop":
                assert default_pairs == parse_instances(case["text"], "stop", is_classification, "paper"), case


def test_default_keeps_the_capitals_of_names() -> None:
    text = " compare Paris with New York.\n10. What did NASA do in 1969?"
    assert parse_instructions(text, "stop", "default") == [
        "Compare Paris with New York.",
        "What did NASA do in 1969?",
    ]
    assert parse_instructions(text, "stop", "paper") == [
        "Compare paris with new york.",
        "What did nasa do in 1969?",
    ]


def test_a_cut_completion_loses_its_last_item_in_default_and_all_in_paper() -> None:
    text = " Name three rivers of Asia.\n10. Say why the sky is blue.\n11. Tell me what the"
    assert parse_instructions(text, "length", "default") == ["Name three rivers of Asia.", "Say why the sky is blue."]
    assert parse_instructions(text, "length", "paper") == []
    assert [c.verdict for c in instruction_candidates(text, "length", "default")] == ["kept", "kept", "cut_off"]
    assert [c.verdict for c in instruction_candidates(text, "length", "paper")] == ["cut_off"] * 3


def test_a_completion_cut_behind_a_number_loses_nothing_but_the_empty_item_in_default() -> None:
    text = " Name three rivers of Asia.\n10. "
    assert parse_instructions(text, "length", "default") == ["Name three rivers of Asia."]


def test_every_dropped_item_keeps_its_text_and_reason() -> None:
    text = " Too short\n10. Write a program that adds\n11. Draw me a small sheep"
    assert [(c.text, c.verdict) for c in instruction_candidates(text, "stop", "default")] == [
        ("Too short", "too_short"),
        ("Write a program that adds", "write_a_program"),
        ("Draw me a small sheep", "keyword"),
    ]


def test_examples_give_pairs_in_the_order_of_the_text() -> None:
    text = "Example 1\nInput: b\nOutput: 2\n\nExample 2\nInput: a\nOutput: 1\n"
    assert parse_instances(text, "stop", False, "default") == [("b", "2"), ("a", "1")]


def test_a_single_pair_needs_no_example_mark() -> None:
    assert parse_instances("Input: a\nOutput: 1", "stop", False, "default") == [("a", "1")]
    assert parse_instances("Output: 1", "stop", False, "default") == [("", "1")]


def test_a_pair_run_on_behind_the_first_goes() -> None:
    assert parse_instances("Output: 1\nInput: b\nOutput: 2", "stop", False, "default") == [("", "1")]


def test_labels_come_first_in_classification() -> None:
    text = "Class label: Happy\nSentence: I won.\nClass label: Sad\nSentence: I lost.\nAgain."
    assert parse_instances(text, "stop", True, "default") == [
        ("Sentence: I won.", "Happy"),
        ("Sentence: I lost.\nAgain.", "Sad"),
    ]


def test_a_label_without_input_stands_alone() -> None:
    assert parse_instances("Class label: Happy", "stop", True, "default") == [("", "Happy")]


@pytest.mark.parametrize("is_classification", [False, True])
def test_a_text_without_examples_is_one_candidate_with_that_reason(is_classification: bool) -> None:
    assert instance_candidates(" I do not know. ", "stop", is_classification, "default") == [
        InstanceCandidate("", "I do not know.", "no_examples")
    ]


@pytest.mark.parametrize("method", ["paper", "default"])
def test_only_the_cut_instance_of_a_cut_completion_goes(method: str) -> None:
    text = "Example 1\nInput: a\nOutput: 1\n\nExample 2\nInput: b\nOutput: 2\n\nExample 3\nInput: c\nOut"
    candidates = instance_candidates(text, "length", False, method)  # type: ignore[arg-type]
    assert [c.verdict for c in candidates] == ["kept", "kept", "cut_off"]
    labels = "Class label: A\nx\nClass label: B\ny\nClass lab"
    assert parse_instances(labels, "length", True, method) == [("x", "A")]  # type: ignore[arg-type]


def test_a_completion_cut_right_behind_a_mark_loses_a_whole_instance_only_in_paper() -> None:
    text = "Example 1\nInput: a\nOutput: 1\n\nExample 2\nInput: b\nOutput: 2\n\nExample 3"
    assert parse_instances(text, "length", False, "default") == [("a", "1"), ("b", "2")]
    assert parse_instances(text, "length", False, "paper") == [("a", "1")]


def test_an_unusable_instance_does_not_make_its_neighbours_conflict() -> None:
    text = "Example 1\nInput: a\nOutput: 1\n\nExample 2\nInput: a\nOutput: 2:\n\nExample 3\nInput: a\nOutput: 1"
    assert [c.verdict for c in instance_candidates(text, "stop", False, "default")] == [
        "kept",
        "ends_with_colon",
        "duplicate",
    ]


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="method is 'papre'; it must be one of default, paper"):
        parse_instructions("x", "stop", "papre")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="method is"):
        parse_instances("x", "stop", False, "papre")  # type: ignore[arg-type]
