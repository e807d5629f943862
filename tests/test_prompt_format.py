"""Prompt formats: literals of the released code's templates and of our own."""

import random

import pytest

from selfinstruct_train.prompt_format import (
    TRAIN_TEMPLATES_WITH_INPUT,
    TRAIN_TEMPLATES_WITHOUT_INPUT,
    evaluation_prompt,
    training_text,
    user_message,
)


def test_there_are_seven_formats_with_input_and_six_without():
    assert len(set(TRAIN_TEMPLATES_WITH_INPUT)) == 7
    assert len(set(TRAIN_TEMPLATES_WITHOUT_INPUT)) == 6


def test_fixed_training_text_begins_the_completion_with_the_separating_space():
    rng = random.Random(0)
    assert training_text(" Add one. ", " 3\n", " 4 ", "fixed", rng) == (
        "Instruction: Add one.\nInput: 3\nResponse:",
        " 4",
    )
    assert training_text("Say hi.", " ", "hi", "fixed", rng) == ("Instruction: Say hi.\nResponse:", " hi")


def test_fixed_evaluation_prompt_equals_the_training_prompt():
    rng = random.Random(0)
    for input in ("", "a b", "line one\nline two"):
        assert evaluation_prompt("Do it.", input, "fixed") == training_text("Do it.", input, "x", "fixed", rng)[0]


def test_paper_evaluation_prompts_are_the_two_fixed_ones():
    assert evaluation_prompt("Do it.", "x y", "paper") == "Task: Do it.\nInput: x y\nOutput:"
    assert evaluation_prompt("Do it.", "", "paper") == "Do it.\n\nOutput:"


def test_paper_training_draws_every_format_and_no_other():
    with_input = {training_text("I", "N", "O", "paper", random.Random(i)) for i in range(300)}
    assert with_input == {
        ("I\nInput: N\nOutput:", " O"),
        ("I\n\nInput: N\n\nOutput:", " O"),
        ("Task: I\nInput: N\nOutput:", " O"),
        ("I\n\nN\n\nOutput:", " O"),
        ("I\n\nN\n\n", "O"),
        ("I\nN\n\n", "O"),
        ("Task: I\n\nN\n\n", "O"),
    }
    without_input = {training_text("I", "", "O", "paper", random.Random(i)) for i in range(300)}
    assert without_input == {
        ("I Output:", " O"),
        ("I\nOutput:", " O"),
        ("I\n\nOutput:", " O"),
        ("I\n", "O"),
        ("I\n\n", "O"),
        ("Task: I\n\n", "O"),
    }


def test_paper_training_drops_a_single_field_name_about_half_of_the_time():
    prompts = [training_text("I", "Sentence: a\n\nb", "O", "paper", random.Random(i))[0] for i in range(400)]
    simplified = [p for p in prompts if "Sentence:" not in p]
    assert 150 < len(simplified) < 250
    assert all("a\nb" in p for p in simplified)


def test_paper_training_keeps_the_names_of_several_fields():
    prompts = [training_text("I", "A: 1\nB: 2", "O", "paper", random.Random(i))[0] for i in range(50)]
    assert all("A: 1\nB: 2" in p for p in prompts)


def test_braces_in_the_data_are_kept():
    assert evaluation_prompt("Print {x}.", "{input}", "fixed") == "Instruction: Print {x}.\nInput: {input}\nResponse:"


def test_a_users_message_is_the_instruction_and_behind_a_blank_line_the_input():
    assert user_message(" Add one. ", "3\n") == "Add one.\n\n3"
    assert user_message("Say hi.", "") == "Say hi."


def test_unknown_template_is_refused():
    with pytest.raises(ValueError, match="template is 'alpaca'; known: paper, fixed"):
        evaluation_prompt("I", "", "alpaca")
