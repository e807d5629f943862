"""Prompt formats: literals of the released code's templates and of our own."""

import random

import pytest

from selfinstruct_train.core.model_source import model_source
from selfinstruct_train.core.prompt_format import (
    TRAIN_TEMPLATES_WITH_INPUT,
    TRAIN_TEMPLATES_WITHOUT_INPUT,
    chat_ids,
    end_id,
    evaluation_prompt,
    question,
    stop_ids,
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
    with pytest.raises(ValueError, match="template is 'alpaca'; known: paper, fixed, and chat"):
        evaluation_prompt("I", "", "alpaca")


def test_a_chat_has_no_plain_text_and_is_asked_as_a_users_message():
    for write in (lambda: evaluation_prompt("I", "", "chat"), lambda: training_text("I", "", "O", "chat", None)):
        with pytest.raises(ValueError, match="template is 'chat'; known: paper, fixed, and chat where there is a tok"):
            write()
    assert question("Add one.", "3", "chat") == ("Add one.\n\n3", True)
    assert question("Add one.", "3", "fixed") == ("Instruction: Add one.\nInput: 3\nResponse:", False)


class Words:
    """A tokenizer of words at spaces, with a chat template: ids in the order of `words`."""

    words = ("<eos>", "<turn>", "<bos>", "user", "assistant", "Hi", "there")
    eos_token_id, bos_token_id, bos_token = 0, 2, "<bos>"
    all_special_tokens, all_special_ids = ["<eos>"], [0]
    added_tokens_decoder = {1: "<turn>"}  # noqa: RUF012

    def __init__(self, template: str | None) -> None:
        self.chat_template = template

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": [2] * add_special_tokens + [self.words.index(word) for word in text.split()]}

    def apply_chat_template(self, messages, add_generation_prompt, tokenize, chat_template=None, **settings) -> str:
        from jinja2 import Environment

        template = Environment().from_string(chat_template or self.chat_template)
        return template.render(messages=messages, add_generation_prompt=add_generation_prompt, **settings)


TURNS = "<bos> {% for m in messages %}{{ m.role }} {{ m.content }} <turn> {% endfor %}"
TURNS += "{% if add_generation_prompt %}assistant {% endif %}"


def test_the_trained_model_stops_at_the_end_of_a_turn_too():
    tokenizer = Words(TURNS)
    assert chat_ids(tokenizer, "Hi there", "m") == [2, 3, 5, 6, 1, 4]
    assert stop_ids(tokenizer, "chat", None) == [1, 0]
    assert stop_ids(tokenizer, "chat", [0, 7]) == [1, 0, 7]
    assert stop_ids(tokenizer, "fixed", 7) == [0, 7]
    assert end_id(Words(TURNS.replace("<turn>", "|")), "chat", "m") == 0  # no special token: the tokenizer's EOS


def test_a_template_that_writes_a_bos_twice_gives_one():
    assert chat_ids(Words("<bos> " + TURNS), "Hi", "m") == [2, 3, 5, 1, 4]


def test_a_tokenizer_whose_template_gives_no_text_is_one_line():
    class Odd(Words):
        def apply_chat_template(self, *args, **settings) -> list[int]:
            return [1, 2]

    with pytest.raises(ValueError, match="model 'm': its chat template gives list, where a text must be; use plain"):
        chat_ids(Odd(TURNS), "Hi", "m")


def test_a_template_that_tells_the_date_gives_the_same_prompt_on_every_day():
    for today in ("{{ strftime_now('%d %b %Y') }}", "{{ date_string }}"):
        same = f"{{% if {today[3:-3]} == '26 Jul 2024' %}}Hi {{% endif %}}"
        assert chat_ids(Words(same + TURNS), "there", "m") == [5, 2, 3, 6, 1, 4]


def test_transformers_own_way_with_templates_that_tell_the_date_gives_that_day_too():
    """A function given as a setting reaches no template there."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_source("builtin:tiny"))
    body = "[{{ strftime_now('%A, %d %B %Y') }}]{% for m in messages %}{{ m.content }}{% endfor %}"
    for before, shown in (("", ""), ("\n", "\n"), ("  {% if true %}{% endif %}", "")):
        tokenizer.chat_template = before + body
        text = tokenizer.decode(chat_ids(tokenizer, "there", "m"))
        assert text == f"{shown}[Friday, 26 July 2024]there"
