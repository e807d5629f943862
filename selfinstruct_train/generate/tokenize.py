"""Texts into the words that are compared: those of rouge_score, or the words of every script.

rouge_score knows a-z and 0-9 alone: of a Chinese text nothing is left, and "Translate: 你好" equals "Translate: 再见".
Where a script has no spaces, each character (with its marks) is a word here. No dictionary is used, so Chinese,
Japanese or Thai words of several characters are not found as such.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

import regex

from ..core.rouge import rouge_words

Tokenization = Literal["rouge_score", "guarded", "unicode"]
"""rouge_score: its words; guarded: its words, and those that it would lose; unicode: the words of every script."""

_SPACELESS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_CHARACTER = rf"[{_SPACELESS}--\p{{M}}]\p{{M}}*"
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{_SPACELESS}]+"
_WORDS = regex.compile(rf"(?V1){_CHARACTER}|{_WORD}|\p{{Extended_Pictographic}}")
_SPACELESS_CHARACTERS = regex.compile(rf"(?V1){_CHARACTER}")
_HAS_WORD = regex.compile(r"[\p{L}\p{N}]")
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"  # they shape a word, not end it
_JOINERS = str.maketrans("", "", _INVISIBLE)
_JOINERS_BEYOND_ASCII = re.compile(rf"(?<=[^\x00-\x7f])[{_INVISIBLE}]+(?=[^\x00-\x7f])")


def tokenization_of(language: str, method: str) -> Tokenization:
    """The tokenization of a run by `generate.language` and `generate.method`."""
    if language == "any":
        return "unicode"
    return "rouge_score" if method == "paper" else "guarded"


def splitter(tokenization: Tokenization) -> Callable[[str], list[str]]:
    """The function that splits a text by this tokenization."""
    return {"rouge_score": rouge_words, "guarded": guarded_words, "unicode": unicode_words}[tokenization]


def guarded_words(text: str) -> list[str]:
    """Split as rouge_score does, but keep a word of which it would lose more than half.

    So plain English, curly quotes and "naïve" (na, ve) are split as there, while "你" and "привет" stay words, and any
    text that is not blank is similar to itself.
    """
    if text.isascii():
        return rouge_words(text) or _signs(text)
    words: list[str] = []
    for word in _WORDS.findall(_JOINERS_BEYOND_ASCII.sub("", text.lower())):
        pieces = [word] if word.isascii() else rouge_words(word)
        words += pieces if 2 * sum(map(len, pieces)) >= len(word) else [_folded(word)]
    return words or _signs(text)


def unicode_words(text: str) -> list[str]:
    """Words of letters, marks and digits of every script, and emoji, without case and compatibility forms (NFKC).

    A text without any gives its signs one by one, so that any text that is not blank is similar to itself.
    """
    if text.isascii():
        return rouge_words(text) or _signs(text)
    return _WORDS.findall(_folded(text)) or _signs(text)


def count_words(text: str) -> tuple[int, int]:
    """Count words between spaces, and characters of scripts that have no spaces."""
    rest, num_characters = _SPACELESS_CHARACTERS.subn(" ", text)
    return sum(1 for piece in rest.split() if _HAS_WORD.search(piece)), num_characters


def _signs(text: str) -> list[str]:
    return [sign for sign in _folded(text) if not sign.isspace()]


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.translate(_JOINERS))
    return unicodedata.normalize("NFKC", text.casefold())
