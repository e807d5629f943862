"""Stop strings in text and in vocabularies."""

import pytest

from selfinstruct_train.lm.stopping import completion_text, cut_at_stop, tokens_that_may_end, vocabulary_texts
from tests.support.small_model import make_tokenizer


def test_text_is_cut_at_the_earliest_stop():
    assert cut_at_stop("one two three", ("three", "two")) == ("one ", True)
    assert cut_at_stop("one", ("two",)) == ("one", False)
    assert cut_at_stop("one", ()) == ("one", False)


def test_only_tokens_with_a_last_character_may_end_a_stop():
    texts = [("a", "a"), ("16", "16"), ("6.", "6."), ("\n\n", "\n\n"), (" b", " b"), ("\ufffd", "x")]
    assert tokens_that_may_end(("16.", "\n"), texts) == [2, 3]
    assert tokens_that_may_end(("\u00e9",), texts) == [5]


def test_marks_for_space_and_newline_are_read(tmp_path):
    tokenizer = make_tokenizer(tmp_path)
    texts = vocabulary_texts(tokenizer, len(tokenizer))
    assert texts[tokenizer.convert_tokens_to_ids("\u0120red")] == (" red", " red")
    assert texts[tokenizer.convert_tokens_to_ids("\u010a")] == ("\n", "\n")


def test_completion_text_keeps_the_leading_space(tmp_path):
    tokenizer = make_tokenizer(tmp_path)
    prompt, answer = tokenizer("The cat")["input_ids"], tokenizer(" red cat")["input_ids"]
    assert completion_text(tokenizer, prompt, answer) == " red cat"


def test_a_tokenizer_that_decodes_into_no_text_is_one_line():
    class Odd:
        def decode(self, ids, **settings):
            return [str(id) for id in ids]

    with pytest.raises(ValueError, match="Odd.decode gives list for the tokens of one text, where a text must be"):
        completion_text(Odd(), [1], [2])
