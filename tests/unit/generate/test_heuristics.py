"""The paper's rules, each at its edge."""
# ruff: noqa: RUF001

from __future__ import annotations

import pytest

from selfinstruct_train.generate.heuristics import instance_verdict, instance_verdicts, instruction_verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "empty"),
        ("One two three", "too_short"),
        ("One two three four", "kept"),
        ("word " * 149 + "word", "kept"),
        ("word " * 150 + "word", "too_long"),
        ("Describe the picture you see", "keyword"),
        ("Describe the PICTURES you see", "keyword"),
        ("Describe what was pictured there", "kept"),
        ("Where should I go to today", "keyword"),
        ("Where should I go tomorrow then", "kept"),
        ("Name the plot of this story", "keyword"),
        ("Write a program that adds numbers", "write_a_program"),
        ("WRITE A PROGRAM that adds numbers", "write_a_program"),
        ("Please write a program that adds", "kept"),
        ("(a) what is this for", "punctuation"),
        ("- what is this for", "punctuation"),
        ("Écris une lettre à ta mère", "non_ascii"),
        ("Translate été into plain English", "kept"),
        ("(see the file)", "too_short"),
    ],
)
def test_an_instruction_breaks_the_first_rule_it_meets(text: str, verdict: str) -> None:
    assert instruction_verdict(text) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "empty"),
        ("。。。", "too_short"),
        ("写首诗", "too_short"),
        ("写一首诗", "kept"),
        ("诗" * 450, "kept"),
        ("诗" * 451, "too_long"),
        ("word " * 100 + "诗" * 150, "kept"),
        ("word " * 100 + "诗" * 151, "too_long"),
        ("Напиши стих о весне", "kept"),
        ("Напиши стих о", "too_short"),
        ("слово " * 151, "too_long"),
        ("¿Cómo se llama usted?", "kept"),
        ("Écris une lettre à ta mère", "kept"),
        ("Describe the picture you see", "keyword"),
        ("(see the list below now)", "punctuation"),
    ],
)
def test_in_any_language_no_script_is_a_fault_and_characters_count_where_there_are_no_spaces(
    text: str, verdict: str
) -> None:
    assert instruction_verdict(text, "any") == verdict


@pytest.mark.parametrize(
    ("input", "output", "verdict"),
    [
        ("", "yes", "kept"),
        ("1 1", "2", "kept"),
        ("1 1", "", "no_output"),
        ("", "", "no_output"),
        ("same", "same", "input_equals_output"),
        ("The words are:", "a", "ends_with_colon"),
        ("a", "The words are:", "ends_with_colon"),
        ("a: b", "c: d", "kept"),
    ],
)
def test_an_instance_breaks_the_first_rule_it_meets(input: str, output: str, verdict: str) -> None:
    assert instance_verdict(input, output) == verdict


def test_two_outputs_to_one_input_drop_all_instances() -> None:
    assert instance_verdicts([("a", "1"), ("b", "2"), ("a", "3")]) == ["conflicting_outputs"] * 3


def test_many_outputs_to_an_empty_input_are_fine() -> None:
    assert instance_verdicts([("", "1"), ("", "2")]) == ["kept", "kept"]


def test_of_equal_pairs_the_first_stays() -> None:
    assert instance_verdicts([("a", "1"), ("", "x"), ("a", "1"), ("", "x")]) == [
        "kept",
        "kept",
        "duplicate",
        "duplicate",
    ]
