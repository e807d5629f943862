"""Messy answers of chat models, written by hand, against the text that a base model would have continued with."""

from __future__ import annotations

import pytest

from selfinstruct_train.core.records import Completion, Sampling
from selfinstruct_train.generate.self_instruct.parse import instance_candidates, parse_instances, parse_instructions
from selfinstruct_train.generate.self_instruct.prompt_forms import (
    as_continuation,
    few_shot_message,
    form_sampling,
    instruction_message,
)


def continuation(text: str, stage: str, form: str = "chat", finish_reason: str = "stop", stop=()) -> Completion:
    answer = Completion("r", text, finish_reason, 5, 7)
    return as_continuation(answer, form, stage, num_shown=8, stop=stop)


def items(text: str, form: str = "chat", finish_reason: str = "stop") -> list[str]:
    answer = continuation(text, "instructions", form, finish_reason)
    return parse_instructions(answer.text, answer.finish_reason, "default")


def pairs(text: str, is_classification: bool = False) -> list[tuple[str, str]]:
    answer = continuation(text, "instances", stop=("Example 6", "Task:"))
    return parse_instances(answer.text, answer.finish_reason, is_classification, "default")


def test_a_plain_answer_is_left_as_it_is():
    answer = Completion("r", " **Sing** a song.\n\n10. Sure!", "length", 5, 7)
    assert as_continuation(answer, "plain", "instructions", 8) is answer


def test_plain_prompts_and_sampling_are_the_papers():
    sampling = Sampling(3, stop=("\n", "Task"))
    assert form_sampling(sampling, "plain", "classification") is sampling
    assert instruction_message(["A b.", "C d."], "plain") == "Come up with a series of tasks:\n1. A b.\n2. C d.\n3."
    assert few_shot_message("Task: x\nIs it classification?", "plain", "classification").startswith("Task: x")


def test_chat_prompts_hold_the_plain_text_at_their_end_and_name_the_numbers():
    message = instruction_message(["A b.", "C d."], "chat")
    assert message.endswith("\n\nCome up with a series of tasks:\n1. A b.\n2. C d.\n3.")
    assert "number 3" in message and "up to 4" in message
    assert few_shot_message("Task: x\n", "numbered", "instances").endswith("\n\nTask: x\n")


def test_a_numbered_prompt_shows_the_instructions_and_asks_for_as_many():
    message = instruction_message(["A b.", "C d."], "numbered", classification=True)
    assert "\n1. A b.\n2. C d.\n\n" in message
    assert "Write 2 new classification tasks" in message and "from 3 to 4" in message
    assert not message.endswith("3.")


def test_a_chat_sends_no_stop_string_and_leaves_room_for_the_word():
    sampling = form_sampling(Sampling(3, stop=("\n", "Task")), "chat", "classification")
    assert (sampling.max_new_tokens, sampling.stop) == (16, ())
    assert form_sampling(Sampling(350, stop=("Task:",)), "chat", "instances").max_new_tokens == 350


def test_the_text_is_the_continuation_of_the_number_that_the_prompt_opened():
    answer = continuation("9. Name three rivers.\n10. Sing a short song.", "instructions")
    assert answer.text == " Name three rivers.\n10. Sing a short song."
    assert (answer.prompt_tokens, answer.completion_tokens) == (5, 7)


TWO = ["Name three rivers in Asia.", "Sing a short song."]


@pytest.mark.parametrize(
    "text",
    [
        "Name three rivers in Asia.\n10. Sing a short song.",  # exactly as asked
        "9. Name three rivers in Asia.\n10. Sing a short song.",
        "9.Name three rivers in Asia.\n10.Sing a short song.",
        "9) Name three rivers in Asia.\n10) Sing a short song.",
        "Sure! Here are the next tasks:\n\n9. Name three rivers in Asia.\n\n10. Sing a short song.\n\nLet me know!",
        "Come up with a series of tasks:\n9. Name three rivers in Asia.\n10. Sing a short song.",
        "**9.** Name three rivers in Asia.\n**10. Sing a short song.**",
        "### 9. Name three rivers in Asia.\n### 10. Sing a short song.",
        "**Task 9:** Name three rivers in Asia.\nTask 10: Sing a short song.",
        "1. Name three rivers in Asia.\n2. Sing a short song.",  # begins anew
        '9. "Name three rivers in Asia."\n10. \u201cSing a short song.\u201d',
        "- Name three rivers in Asia.\n- Sing a short song.",
        "```text\n9. Name three rivers in Asia.\n10. Sing a short song.\n```",
        "<think>9. No, too hard for them.</think>\n\n9. Name three rivers in Asia.\n10. Sing a short song.",
        "9. Name three rivers\n   in Asia.\n10. Sing a short song.",
        "Certainly!\n\nName three rivers in Asia.\n10. Sing a short song.",
        "9. Name three rivers in Asia.\r\n10. Sing a short song.\r\n",
    ],
)
def test_loose_lists_give_their_tasks_and_nothing_else(text):
    assert items(text) == TWO
    assert items(text, form="numbered") == TWO


def test_a_list_that_repeats_what_was_shown_gives_only_what_follows():
    shown = "".join(f"{i}. Shown task number {i} here.\n" for i in range(1, 9))
    assert items(shown + "9. Name three rivers in Asia.\n10. Sing a short song.") == TWO


def test_lines_without_numbers_are_tasks_of_their_own():
    assert items("Name three rivers in Asia.\nSing a short song.", form="numbered") == TWO


@pytest.mark.parametrize(
    "text", ["", "I'm sorry, but I can't help with that.", "<think>They want rivers, so", "Sure! Here they are:"]
)
def test_refusals_and_talk_are_no_tasks(text):
    assert continuation(text, "instructions").text.strip() == ""


def test_the_last_task_of_an_answer_cut_by_the_limit_goes():
    assert items("9. Name three rivers in Asia.\n10. Sing a short so", finish_reason="length") == TWO[:1]


def test_decimal_numbers_begin_no_task():
    assert items("9. Tell how many cups are in\n3.5 litres of milk.") == [
        "Tell how many cups are in 3.5 litres of milk."
    ]


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("Complete: the cat sat on the ____.", "Complete: the cat sat on the ____."),
        ("Fill in: He __ to school (__).", "Fill in: He __ to school (__)."),
        ("Compute 2**10 and 3 ** 4.", "Compute 2**10 and 3 ** 4."),
        ("Name **three** rivers, __not__ seas.", "Name three rivers, not seas."),
        ('**Name** "three" long **rivers**.', 'Name "three" long rivers.'),
    ],
)
def test_blanks_and_powers_are_no_marks_of_bold_text(text, item):
    assert items(f"9. {text}\n10. {TWO[1]}") == [item, TWO[1]]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes", " Yes"),
        ("**No.**", " No"),
        ("Answer: yes", " Yes"),
        ("The answer is No", " No"),
        ("Is it classification? Yes", " Yes"),
        ("No, it asks for a story.", " No"),
        ("This is not a classification task.", " No"),
        ("It is a binary classification task", " Yes"),
        ("<think>labels? yes</think>No", " No"),
        ("It depends on the yes of the user", "It depends on the yes of the user"),
    ],
)
def test_yes_and_no_are_found_in_the_first_words(text, answer):
    assert continuation(text, "classification").text == answer


def test_examples_with_markdown_preface_and_farewell_become_pairs():
    text = (
        "Sure, here are some examples:\n\n**Example 1**\n**Sentence:** Hi there.\n**Output:** Hello.\n\n"
        "### Example 2:\n**Input:** a **b**\n**Output:** c\n\nI hope this helps!"
    )
    assert pairs(text) == [("Sentence: Hi there.", "Hello."), ("a **b**", "c")]


def test_a_letter_keeps_its_own_farewell():
    text = "Input: a friend\nOutput: Dear Tom,\n\ncome on Friday.\n\nI hope to see you there."
    assert pairs(text) == [("a friend", "Dear Tom,\n\ncome on Friday.\n\nI hope to see you there.")]
    assert pairs(f"{text}\n\nLet me know if you need more examples.") == pairs(text)


def test_a_bold_word_without_a_colon_is_no_label():
    assert pairs("Output: Of course:\n**Paris** is the capital.") == [("", "Of course:\n**Paris** is the capital.")]


def test_a_repeated_task_goes_and_a_further_task_ends_the_answer():
    answer = continuation("Task: Do it.\nOutput: It is done.\n\nTask: Go on.\nOutput: I", "instances", stop=("Task:",))
    assert (answer.text, answer.finish_reason) == ("Output: It is done.", "stop")


def test_a_further_task_completes_the_examples_before_it_though_the_limit_came():
    cut = Completion("r", "Output: It is done.\n\nTask: Go on wi", "length", 1, 1)
    answer = as_continuation(cut, "chat", "instances", stop=("Task:",))
    assert [c.verdict for c in instance_candidates(answer.text, answer.finish_reason, False, "default")] == ["kept"]


def test_class_labels_are_found_through_markdown():
    text = "Task: Sort.\n\n**Class label:** good\n**Text:** I like it.\n\n**Class Label**: bad\nText: No."
    assert pairs(text, is_classification=True) == [("Text: I like it.", "good"), ("Text: No.", "bad")]


def test_an_answer_without_any_label_stays_so_that_it_is_counted():
    assert continuation("Paris is the capital.", "instances").text == "Paris is the capital."
