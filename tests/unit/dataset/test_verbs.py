"""Verb-noun pairs of sentences written for this test, by reading them."""

from __future__ import annotations

import pytest

from selfinstruct_train.dataset.verbs import VerbNoun, first_sentence, verb_noun_pairs

PAIRS = {
    "Write a short poem about the sea.": ("write", "poem"),
    "Give me three good reasons to walk to work.": ("give", "reason"),
    "Output the number of red balls in the box.": ("output", "number"),
    "Paraphrase the following paragraph.": ("paraphrase", "paragraph"),
    "Given a list of towns, choose the town that lies by a river.": ("choose", "town"),
    "Using the table below, draw a chart.": ("draw", "chart"),
    "Please sort these words by length.": ("sort", "word"),
    "You need to plan a birthday party for a child.": ("plan", "party"),
    "Can you recommend a film for tonight?": ("recommend", "film"),
    "How would you repair a broken chair?": ("repair", "chair"),
    "Describe the neighbour's old dog.": ("describe", "dog"),
    "Correct all of the mistakes in this letter.": ("correct", "mistake"),
    "1. Translate the sentence into Spanish.": ("translate", "sentence"),
    "Name a fruit. Then write a story about it.": ("name", "fruit"),
    "A train has twelve coaches.": ("have", "coach"),
    "Don't repeat the question.": ("repeat", "question"),
}
NO_PAIR = [
    "Decide whether the sentence is true.",  # a clause
    "Tell me how you spent the summer.",
    "Is this review friendly?",  # no verb with an object
    "What is the capital of Peru?",
    "Talk about your garden.",  # a preposition
    "Summarize it.",  # a pronoun
    "",
    "???",
    "写一首关于春天的诗",
]


@pytest.mark.parametrize(("instruction", "pair"), PAIRS.items())
def test_the_verb_asked_for_and_the_head_of_its_object_are_found(instruction: str, pair: tuple[str, str]) -> None:
    assert verb_noun_pairs([instruction]) == [VerbNoun(*pair)]


@pytest.mark.parametrize("instruction", NO_PAIR)
def test_without_a_noun_as_object_there_is_no_pair(instruction: str) -> None:
    assert verb_noun_pairs([instruction]) == [None]


def test_only_the_first_sentence_counts() -> None:
    assert first_sentence("3) Find the odd one out. Say why.") == "Find the odd one out."
    assert first_sentence("Add the numbers\nand stop") == "Add the numbers"


def test_an_endless_word_or_sentence_takes_no_time() -> None:
    assert verb_noun_pairs(["Find a word behind " + "a" * 100_000 + "."]) == [VerbNoun("find", "word")]
    assert verb_noun_pairs(["Find a word in " + "word " * 100_000 + "."]) == [VerbNoun("find", "word")]


def test_a_pair_does_not_depend_on_what_was_tagged_before() -> None:
    texts = list(PAIRS)
    assert verb_noun_pairs(texts) == list(reversed(verb_noun_pairs(texts[::-1])))
