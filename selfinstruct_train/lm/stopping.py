"""Stop strings: found in decoded text, across token boundaries, without decoding every row at every step.

A stop string can only be completed by a token whose own text holds that string's last character. The tokens that do are
listed once for a tokenizer; a row is decoded only after one of them. Text is cut at the earliest stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def cut_at_stop(text: str, stop: tuple[str, ...]) -> tuple[str, bool]:
    """Return the text before the earliest stop string, and whether there was one."""
    found = [index for index in (text.find(s) for s in stop) if index >= 0]
    return (text[: min(found)], True) if found else (text, False)


def tokens_that_may_end(stop: tuple[str, ...], token_texts: list[tuple[str, str]]) -> list[int]:
    """Return the ids of the tokens that may complete one of the stop strings.

    Args:
        token_texts: for each token id its decoded and its raw text, from `vocabulary_texts`.
    """
    last = {s[-1] for s in stop}
    # Part of a character decodes to U+FFFD; only a stop that ends beyond ASCII can be completed by such a token.
    if any(ord(character) > 127 for character in last):
        last.add("\ufffd")
    return [i for i, texts in enumerate(token_texts) if any(character in text for text in texts for character in last)]


def vocabulary_texts(tokenizer: PreTrainedTokenizerBase, vocabulary_size: int) -> list[tuple[str, str]]:
    """Return for each token id its text as decoded alone, and as stored with the usual marks for space and newline.

    Both are needed: SentencePiece tokenizers drop the leading space of a token decoded alone.
    """
    ids = list(range(min(vocabulary_size, len(tokenizer))))
    decoded = tokenizer.batch_decode([[i] for i in ids], skip_special_tokens=True, clean_up_tokenization_spaces=False)
    raw = [token or "" for token in tokenizer.convert_ids_to_tokens(ids)]
    plain = [token.replace("\u2581", " ").replace("\u0120", " ").replace("\u010a", "\n") for token in raw]
    return list(zip(decoded, plain, strict=True))


def completion_text(tokenizer: PreTrainedTokenizerBase, prompt_ids: list[int], new_ids: list[int]) -> str:
    """Decode generated tokens as the continuation of their prompt, so that a leading space survives."""

    def decode(ids: list[int]) -> str:
        text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if not isinstance(text, str):
            raise ValueError(
                f"{type(tokenizer).__name__}.decode gives {type(text).__name__} for the tokens of one text, where a "
                "text must be; use a tokenizer that decodes a list of ids into one text"
            )
        return text

    before = decode(prompt_ids[-1:])
    whole = decode(prompt_ids[-1:] + new_ids)
    return whole[len(before) :] if whole.startswith(before) else decode(new_ids)
