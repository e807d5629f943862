"""Words: rouge_score's own, those it would lose, and those of every script."""
# ruff: noqa: RUF001

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct_train.core.rouge import rouge_words
from selfinstruct_train.generate.tokenize import (
    count_words,
    guarded_words,
    splitter,
    tokenization_of,
    unicode_words,
)


@given(st.text("abcXYZ 0123.,'’“”–…-", max_size=40))
def test_a_text_of_a_to_z_has_the_same_words_under_all_tokenizations(text: str) -> None:
    words = rouge_words(text)
    if words:
        assert guarded_words(text) == words
        assert unicode_words(text) == words


@pytest.mark.parametrize(
    ("text", "guarded", "unicode"),
    [
        ("Translate: 你好", ["translate", "你", "好"], ["translate", "你", "好"]),
        ("A naïve ÉTÉ à Paris", ["a", "na", "ve", "été", "à", "paris"], ["a", "naïve", "été", "à", "paris"]),
        ("Привет, мир-2!", ["привет", "мир", "2"], ["привет", "мир", "2"]),
        ("ＡＢＣ ｶﾀｶﾅ", ["abc", "カ", "タ", "カ", "ナ"], ["abc", "カ", "タ", "カ", "ナ"]),
        ("हिन्दी में", ["हिन्दी", "में"], ["हिन्दी", "में"]),
        ("كِتَاب جديد", ["كِتَاب", "جديد"], ["كِتَاب", "جديد"]),
        ("ที่นี่", ["ที่", "นี่"], ["ที่", "นี่"]),
        ("한국어 시", ["한국어", "시"], ["한국어", "시"]),
        ("Straße STRASSE", ["stra", "e", "strasse"], ["strasse", "strasse"]),
        ("why 😀 ?", ["why", "😀"], ["why", "😀"]),
        ("∑ ?!", ["∑", "?", "!"], ["∑", "?", "!"]),
        ("?", ["?"], ["?"]),
        ("  ", [], []),
    ],
)
def test_words_by_hand(text: str, guarded: list[str], unicode: list[str]) -> None:
    assert guarded_words(text) == guarded
    assert unicode_words(text) == unicode


def test_forms_that_look_alike_are_equal_words() -> None:
    assert unicode_words("e\u0301te\u0301") == unicode_words("été")
    assert unicode_words("می\u200cروم") == unicode_words("میروم")  # a joiner that is not seen
    assert unicode_words("ﬁle №5") == ["file", "no5"]


def test_a_joiner_that_is_not_seen_ends_no_word_of_another_script_whatever_it_does_to_latin_words() -> None:
    for hidden in ("\u200c", "\u200d", "\u2060\ufeff", "\u00ad"):
        assert guarded_words(f"می{hidden}روم now") == ["میروم", "now"]
        assert guarded_words(f"so{hidden}me é{hidden}x") == ["so", "me", "é", "x"]  # as rouge_score splits so-me


@pytest.mark.parametrize(
    ("language", "method", "expected"),
    [
        ("english", "default", "guarded"),
        ("english", "paper", "rouge_score"),
        ("any", "default", "unicode"),
        ("any", "paper", "unicode"),
    ],
)
def test_language_and_method_choose_the_words(language: str, method: str, expected: str) -> None:
    assert tokenization_of(language, method) == expected


def test_a_tokenization_has_its_own_splitter() -> None:
    text = "été 猫"
    assert splitter("rouge_score")(text) == ["t"]
    assert splitter("guarded")(text) == ["été", "猫"]
    assert splitter("unicode")("naïve") == ["naïve"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Don't stop - go on", (4, 0)),
        ("写一首诗。", (0, 4)),
        ("用 Python 写一个函数", (1, 6)),
        ("Напиши стих о весне", (4, 0)),
        ("...", (0, 0)),
    ],
)
def test_words_between_spaces_and_characters_without_are_counted_apart(text: str, count: tuple[int, int]) -> None:
    assert count_words(text) == count
