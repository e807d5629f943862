"""Prompts: the released code's format, letter by letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct_train.generate.self_instruct.prompts import (
    Templates,
    classification_prompt,
    instance_prompt,
    instruction_prompt,
    read_templates,
)

TEMPLATES = Templates("C Task:", "I Task:", "O Task:")


def test_instructions_stand_numbered_on_one_line_each_without_a_final_colon() -> None:
    prompt = instruction_prompt([" Add\n two  numbers: ", "Say hello."], classification=False)
    assert prompt == "Come up with a series of tasks:\n1. Add two numbers\n2. Say hello.\n3."


def test_classification_has_a_header_of_its_own() -> None:
    assert instruction_prompt(["A"], classification=True).splitlines() == [
        "Come up with a series of classification tasks. Try to specify the possible output labels when possible.",
        "1. A",
        "2.",
    ]


def test_fifty_prompts_equal_those_of_the_released_code(shared_data: Path) -> None:
    cases = json.loads((shared_data / "parity/original_parsing.json").read_text())["prompts"]
    assert len(cases) == 50
    for case in cases:
        assert instruction_prompt(case["instructions"], case["classification"]) == case["expected"]


def test_stages_two_and_three_put_the_instruction_behind_the_template() -> None:
    assert classification_prompt(TEMPLATES, " Add. ") == "C Task: Add.\nIs it classification?"
    assert instance_prompt(TEMPLATES, "Add.\n", is_classification=False) == "I Task: Add.\n"
    assert instance_prompt(TEMPLATES, "Add.", is_classification=True) == "O Task: Add.\n"


def test_templates_are_read_without_white_space_at_their_end(tmp_path: Path) -> None:
    for name in ("classification", "input_first", "output_first"):
        (tmp_path / f"{name}.txt").write_text(f"{name}\n\nTask:\n \n")
    assert read_templates(tmp_path) == Templates(
        "classification\n\nTask:", "input_first\n\nTask:", "output_first\n\nTask:"
    )


def test_an_absent_template_and_one_with_another_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"classification\.txt: no such template; generate\.templates must be"):
        read_templates(tmp_path)
    (tmp_path / "classification.txt").write_text("Task: x\nIs it classification? Yes\n")
    with pytest.raises(ValueError, match=r"it must end with \"Task:\""):
        read_templates(tmp_path)
    (tmp_path / "classification.txt").write_bytes(b"caf\xe9 Task:")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_templates(tmp_path)
