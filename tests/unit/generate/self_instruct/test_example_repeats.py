"""Instances that repeat the few-shot text: what counts, what does not, and what becomes of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from selfinstruct_train.config import Config, GenerateConfig
from selfinstruct_train.core.builtin import resolve
from selfinstruct_train.core.records import Completion, Instruction
from selfinstruct_train.generate.contamination import Overlap
from selfinstruct_train.generate.self_instruct.example_repeats import repeated_example
from selfinstruct_train.generate.self_instruct.instances import instance_outcomes
from selfinstruct_train.generate.self_instruct.prompts import Templates, read_templates
from selfinstruct_train.generate.session import Plan
from tests.support.paths import SHARED

GENERATION = """Worked examples.

Task: Give the plural.
Example 1
Word: mouse
Output: mice

Example 2
Words: loaf, knife, wolf, half
Output: loaves, knives, wolves, halves

Task: Write a type for a list of songs.
Output: type Song = { name: string; seconds: number };
type List = { title: string; songs: Song[] };

Task:"""
LABELS = """Worked labels.

Task: Does the weather suit a picnic?
Class label: not on this day
Weather: It rains, and the wind blows the plates from the table.
Class label: yes
Weather: 24 degrees

Task: Is the number divisible by three?
Class label: yes
Number: 471
Class label: no
Number: 500

Task:"""
TEMPLATES = Templates("Task:", GENERATION, LABELS)


def find(input: str, output: str, instruction: str = "Do it well.", labels: bool = False) -> tuple[str, str] | None:
    overlap = repeated_example(TEMPLATES, labels, instruction, input, output)
    if overlap is None:
        return None
    assert (overlap.set, overlap.id) == ("generate.templates", "output_first.txt" if labels else "input_first.txt")
    return overlap.rule, overlap.text


def test_eight_consecutive_words_in_another_layout_are_a_repeat() -> None:
    copied = "Sure!\ntype Song = {\n  NAME: string;\n  seconds: number\n};\ntype List = { title: string }"
    assert find("", copied) == ("ngram", "type song name string seconds number type list")
    assert find(copied, "a short answer") == ("ngram", "type song name string seconds number type list")
    assert find("", "type Song = { name: string; seconds: number }; type Record = {}") is None  # 7 words


def test_words_of_the_own_instruction_do_not_count() -> None:
    text = "It rains, and the wind blows the plates from the table."
    assert find(text, "sad", labels=True) == ("ngram", "it rains and the wind blows the plates")
    assert find(text, "sad", f'Name the mood of "{text}"', labels=True) is None
    assert find("Warm.", "not on this day", labels=True) == ("equal", "not on this day")
    assert find("Warm.", "not on this day", "Answer yes or not on this day.", labels=True) is None


def test_a_shorter_text_counts_if_it_is_a_whole_line_of_four_words() -> None:
    assert find("", '"Loaves, knives, wolves, halves."') == ("equal", '"Loaves, knives, wolves, halves."')
    assert find("Nouns: loaf, knife, wolf, half", "4") == ("equal", "Nouns: loaf, knife, wolf, half")
    assert find("", "loaves, knives, wolves, halves, mice") is None
    assert find("", "knives, wolves, halves") is None


def test_a_label_or_a_short_input_counts_with_its_neighbour_only() -> None:
    assert find("24 degrees", "yes", labels=True) == ("instance", "24 degrees\nyes")
    assert find("Temperature: 24 degrees", "Yes.", labels=True) == ("instance", "Temperature: 24 degrees\nYes.")
    assert find("Mouse", "mice") == ("instance", "Mouse\nmice")
    assert find("25 degrees", "yes", labels=True) is None
    assert find("Example 1", "mice") is None
    assert find("24 degrees", "no", labels=True) is None
    assert find("", "mice") is None
    assert find("mouse", "mouse") is None


def test_an_input_with_the_label_of_the_next_example_is_no_repeat() -> None:
    assert find("471", "yes", labels=True) == ("instance", "471\nyes")
    assert find("471", "No", labels=True) is None
    assert find("no", "471", labels=True) is None


def test_each_kind_of_task_is_compared_with_the_text_that_it_was_shown() -> None:
    assert find("", "loaves, knives, wolves, halves", labels=True) is None
    assert find("It rains, and the wind blows the plates from the table.", "sad") is None


def outcomes(method: str, text: str) -> list[tuple[str, Overlap | None]]:
    config = dataclasses.replace(Config(), generate=GenerateConfig(method=method, max_instances=2))
    plan = Plan(config, [], TEMPLATES, Path("run"))
    answer = Completion("instances-i", text, "stop", 1, 1)
    found = instance_outcomes(plan, Instruction("i", "Say it in other words.", "generated"), False, answer)
    return [(outcome.verdict, outcome.overlap) for outcome in found]


def test_a_repeat_is_dropped_by_name_and_takes_no_place_but_not_by_the_method_of_the_paper() -> None:
    pairs = [("mouse", "mice"), ("dog", "pooch"), ("cat", "puss")]
    text = "\n\n".join(f"Example {i}\nWord: {word}\nOutput: {other}" for i, (word, other) in enumerate(pairs, start=1))
    assert outcomes("default", text) == [
        ("repeats_example", Overlap("generate.templates", "input_first.txt", "instance", "Word: mouse\nmice")),
        ("kept", None),
        ("kept", None),
    ]
    assert sorted(outcomes("paper", text), key=str) == [
        ("kept", None),
        ("kept", None),
        ("over_max_instances", None),
    ]


def test_the_built_in_few_shot_texts_are_repeats_of_themselves() -> None:
    templates = read_templates(resolve("builtin:english", "templates"))
    advice = "Let the onions turn golden over low heat before you add the stock."
    assert repeated_example(templates, True, "Who needs it?", advice, "cook") is not None
    assert repeated_example(templates, True, "Who needs it?", "Water the roses.", "gardener") is None


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real rows in ../shared/data")
def test_real_rows_repeat_none_of_the_built_in_examples() -> None:
    """They were generated with other examples, so each hit would be a false one."""
    templates = read_templates(resolve("builtin:english", "templates"))
    rows = [json.loads(line) for line in (SHARED / "self_instruct_5k.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 5000
    found = [
        (row["instruction"], overlap)
        for row in rows
        for labels in (True, False)
        if (overlap := repeated_example(templates, labels, row["instruction"], row["input"], row["output"]))
    ]
    assert found == []
