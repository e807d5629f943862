"""Is a text new to the pool? The decisions of the `rouge_score` package (ROUGE-L F1, no stemmer), made fast.

Tokens become single characters, so rapidfuzz's bit-parallel LCS compares two texts in a fraction of a microsecond, and
an inverted index gives for every text of the pool an upper bound on its score (2 x shared tokens / both lengths) that
leaves only a few to compare. Scores are the same floats as rouge_score's, so a tie at the threshold falls the same way.

Only a-z and 0-9 count, as in rouge_score: texts of other scripts score 0 even against themselves.
"""

from __future__ import annotations

import re
from array import array

import numpy as np
from rapidfuzz.distance import LCSseq

_NON_TOKEN = re.compile(r"[^a-z0-9]+")
_UNKNOWN = chr(0x10FFFF)
"""Stands for every token that the pool has not; it equals nothing there."""
_MARGIN = 1e-9
"""Bound and score are rounded differently; scores of texts of sane length lie further apart than this."""


def tokenize(text: str) -> list[str]:
    """Split as rouge_score does: lower case, then runs of a-z and 0-9."""
    return _NON_TOKEN.sub(" ", text.lower()).split()


def rouge_l(lcs: int, length: int, other_length: int) -> float:
    """F1 of a common subsequence of `lcs` tokens, in rouge_score's order of operations."""
    if not lcs:
        return 0.0
    precision = lcs / length
    recall = lcs / other_length
    return 2 * precision * recall / (precision + recall)


class NoveltyIndex:
    """A growing pool of texts that tells the most similar one.

    Args:
        threshold: a text is novel if no ROUGE-L F1 against the pool is above this (0.7: paper, section 2.2).
    """

    def __init__(self, threshold: float = 0.7) -> None:
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold is {threshold}; it must lie in [0, 1]")
        self.threshold = threshold
        self._texts: list[str] = []
        self._coded: list[str] = []  # one character a token
        self._lengths = array("q")
        self._char_of: dict[str, str] = {}
        # The k-th "the" of a text is a feature of its own, so that shared features count shared tokens as a multiset.
        self._texts_with: dict[tuple[str, int], array[int]] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        """Put a text into the pool, novel or not."""
        tokens = tokenize(text)
        for feature in _features(tokens):
            self._texts_with.setdefault(feature, array("q")).append(len(self._texts))
        self._coded.append("".join(self._char_of.setdefault(t, chr(len(self._char_of))) for t in tokens))
        self._lengths.append(len(tokens))
        self._texts.append(text)

    def is_novel(self, text: str) -> bool:
        """Whether no text of the pool is more similar than the threshold."""
        return self.nearest(text)[0] <= self.threshold

    def nearest(self, text: str) -> tuple[float, str | None]:
        """The largest ROUGE-L F1 against the pool and its text, the earliest of equals.

        (0.0, None) if no text of the pool shares a token with it.
        """
        tokens = tokenize(text)
        bounds = self._upper_bounds(tokens)
        if bounds is None:
            return 0.0, None
        coded = "".join(self._char_of.get(t, _UNKNOWN) for t in tokens)
        best_score, best_index = self._score(coded, int(bounds.argmax())), int(bounds.argmax())
        possible = np.flatnonzero(bounds >= best_score - _MARGIN)
        for index in possible[np.argsort(-bounds[possible], kind="stable")].tolist():
            if bounds[index] < best_score - _MARGIN:
                break
            score = self._score(coded, index)
            if score > best_score or (score == best_score and index < best_index):
                best_score, best_index = score, index
        return best_score, self._texts[best_index]

    def _upper_bounds(self, tokens: list[str]) -> np.ndarray | None:
        """An upper bound on the score of every text of the pool, float64 (pool,); None if no token is shared."""
        found = [self._texts_with[f] for f in _features(tokens) if f in self._texts_with]
        if not found:
            return None
        shared = np.bincount(np.concatenate([np.frombuffer(a, np.int64) for a in found]), minlength=len(self))
        return 2 * shared / (np.frombuffer(self._lengths, np.int64) + len(tokens))

    def _score(self, coded: str, index: int) -> float:
        other = self._coded[index]
        return rouge_l(LCSseq.similarity(coded, other), len(coded), len(other))


def _features(tokens: list[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    features = []
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
        features.append((token, counts[token]))
    return features
