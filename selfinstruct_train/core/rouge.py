"""ROUGE-L and ROUGE-1 of token lists: the floats of the `rouge_score` package, from rapidfuzz's bit-parallel LCS.

Which tokens are compared is the caller's choice. `stemmed_words` are those of the paper's metric (Tk-Instruct:
rouge_score with its Porter stemmer), `rouge_words` those of its novelty filter; generate/tokenize.py has the words of
other scripts. How a growing pool of texts is searched stands in generate/token_index.py.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from rapidfuzz.distance import LCSseq

Coded = str | tuple[int, ...]
"""The number of each token as a character, or the numbers themselves where one is too large for that."""

_ASCII_WORD = re.compile(r"[a-z0-9]+")


def rouge_l(tokens: Sequence[str], reference: Sequence[str]) -> float:
    """Return the F1 of the longest common subsequence of two token lists, in [0, 1]."""
    first, second = encode((tokens, reference))
    return f1(LCSseq.similarity(first, second), len(tokens), len(reference))


def rouge_1(tokens: Sequence[str], reference: Sequence[str]) -> float:
    """Return the F1 of the tokens that two token lists have in common, in any order, in [0, 1]."""
    return f1((Counter(tokens) & Counter(reference)).total(), len(tokens), len(reference))


def f1(num_common: int, num_tokens: int, num_reference_tokens: int) -> float:
    """Return the F1 of so many common tokens, computed in rouge_score's order of operations."""
    if not num_common:
        return 0.0
    precision, recall = num_common / num_tokens, num_common / num_reference_tokens
    return 2 * precision * recall / (precision + recall)


def rouge_words(text: str) -> list[str]:
    """Split a text as rouge_score does without a stemmer: lower case, then runs of a-z and 0-9."""
    return _ASCII_WORD.findall(text.lower())


def stemmed_words(text: str) -> list[str]:
    """Split a text as rouge_score does with its stemmer: words of more than 3 characters are stemmed (Porter)."""
    stem = _stemmer()
    return [stem(word) if len(word) > 3 else word for word in rouge_words(text)]


def encode(token_lists: Iterable[Sequence[str]]) -> list[Coded]:
    """Number the tokens of all lists alike, so that equal tokens have equal characters."""
    numbers: dict[str, int] = {}
    return [as_characters([numbers.setdefault(token, len(numbers)) for token in tokens]) for tokens in token_lists]


def as_characters(numbers: Sequence[int]) -> Coded:
    """Return tokens by number as rapidfuzz compares them fastest."""
    try:
        return "".join(map(chr, numbers))
    except ValueError:
        return tuple(numbers)


@functools.cache
def _stemmer() -> Callable[[str], str]:
    from nltk.stem.porter import PorterStemmer

    return functools.lru_cache(maxsize=1 << 17)(PorterStemmer().stem)
