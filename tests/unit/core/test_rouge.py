"""ROUGE-L and ROUGE-1: the floats of the rouge_score package, with its stemmer and without."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer
from rouge_score import tokenize as rouge_tokenize

from selfinstruct_train.core.rouge import as_characters, encode, f1, rouge_1, rouge_l, rouge_words, stemmed_words

TEXTS = st.lists(
    st.sampled_from(["running", "ran", "The", "the", "dogs", "dog", "agreed", "x1", "don't", "é", "猫", "-"]),
    max_size=14,
).map(" ".join) | st.text(max_size=20)


def test_f1_by_hand():
    # the quick brown fox / the brown dogs: "the brown" in common, precision 2/4, recall 2/3, F1 4/7
    assert f1(2, 4, 3) == pytest.approx(4 / 7)
    assert rouge_l(["the", "quick", "brown", "fox"], ["the", "brown", "dogs"]) == f1(2, 4, 3)
    assert (rouge_l(["b", "a"], ["a", "b"]), rouge_1(["b", "a"], ["a", "b"])) == (0.5, 1.0)
    assert rouge_l([], []) == rouge_1([], ["a"]) == f1(0, 0, 0) == 0.0


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, st.booleans())
def test_scores_are_the_floats_of_rouge_score(text: str, reference: str, use_stemmer: bool):
    theirs = rouge_scorer.RougeScorer(["rougeL", "rouge1"], use_stemmer=use_stemmer).score(reference, text)
    split = stemmed_words if use_stemmer else rouge_words
    assert rouge_l(split(text), split(reference)) == theirs["rougeL"].fmeasure
    assert rouge_1(split(text), split(reference)) == theirs["rouge1"].fmeasure


@given(st.text(max_size=40) | st.text("aZ09 é'-\u200b\u0301K", max_size=20))
def test_words_are_those_of_rouge_score(text: str):
    from nltk.stem.porter import PorterStemmer

    assert rouge_words(text) == rouge_tokenize.tokenize(text, None)
    assert stemmed_words(text) == rouge_tokenize.tokenize(text, PorterStemmer())


def test_equal_tokens_have_equal_characters_in_all_lists():
    assert encode([["a", "b"], ["b", "c", "b"]]) == ["\x00\x01", "\x01\x02\x01"]
    assert as_characters([97, 98]) == "ab"
    assert as_characters([97, 0x110000]) == (97, 0x110000)
