"""The tiny base model's tokenizer: single digits and line breaks, two special tokens, none added by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TEXTS = ["The cat sat on the mat.\n\nThe dog has 12 bones, and 345 more.\n", "It isn't Tom's cat."] * 50


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    """A tokenizer trained on a few sentences, saved, and loaded as any user loads it."""
    from transformers import AutoTokenizer

    from tiny_world.tokenizer import train_tokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(TEXTS, vocab_size=320, context=1024).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def test_special_tokens_come_first_and_none_is_added(tokenizer: PreTrainedTokenizerFast) -> None:
    assert (tokenizer.eos_token, tokenizer.eos_token_id) == ("<|endoftext|>", 0)
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<|pad|>", 1)
    assert tokenizer.bos_token is None
    assert len(tokenizer("cat")["input_ids"]) == len(tokenizer("cat", add_special_tokens=False)["input_ids"])
    assert tokenizer("cat<|endoftext|>")["input_ids"][-1] == 0


def test_digits_and_line_breaks_are_single_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.tokenize("12\n\n3") == ["1", "2", "Ċ", "Ċ", "3"]
    assert tokenizer.tokenize(" 345") == ["Ġ", "3", "4", "5"]


def test_a_word_carries_its_space_and_clitics_stand_apart(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.tokenize(" cat") == ["Ġcat"]
    assert tokenizer.tokenize("Tom's")[-1] == "'s"


@pytest.mark.parametrize(
    "text", ["The cat, 7 dogs.\n\n  Two  spaces \tand a tab", "Zoë naïve 日本 🙂", "a .b ,c 's n't", " "]
)
def test_any_text_comes_back_unchanged(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_vocabulary_has_the_size_asked_for_at_most(tokenizer: PreTrainedTokenizerFast) -> None:
    assert 258 <= len(tokenizer) <= 320
