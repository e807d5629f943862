"""Is a text new to the pool? The decisions of the `rouge_score` package (ROUGE-L F1, no stemmer), made fast.

Scores are the same floats as rouge_score's, so a tie at the threshold falls the same way; how most of the pool is
skipped stands in token_index.py, which words are compared in tokenize.py. `nearest` is for single questions;
dataset/similarity.py compares whole datasets.
"""

from __future__ import annotations

from dataclasses import dataclass

from .token_index import TokenIndex
from .tokenize import Tokenization, splitter


@dataclass(frozen=True)
class Match:
    """The text of the pool that a text is too similar to, and how similar it is, in [0, 1]."""

    text: str
    score: float


class NoveltyIndex:
    """A growing pool of texts that tells whether another is new to it.

    Args:
        threshold: a text is novel if no ROUGE-L F1 against the pool is above this (0.7: paper, section 2.2).
        tokenization: for words of a-z and 0-9 alone, all three are the same.
    """

    def __init__(self, threshold: float = 0.7, tokenization: Tokenization = "guarded") -> None:
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold is {threshold}; it must lie in [0, 1]")
        self.threshold = threshold
        self._split = splitter(tokenization)
        self._texts: list[str] = []
        self._index = TokenIndex(threshold)
        self._last: tuple[str, list[str]] = ("", [])  # a text is checked, then added

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        """Put a text into the pool, novel or not."""
        self._index.add(self._words(text))
        self._texts.append(text)

    def check(self, text: str) -> Match | None:
        """Return the most similar text of the pool, the earliest of equals, if its score is above the threshold."""
        found = self._index.most_similar(self._words(text))
        return None if found is None else Match(self._texts[found[0]], found[1])

    def is_novel(self, text: str) -> bool:
        """Whether no text of the pool is more similar than the threshold."""
        return self.check(text) is None

    def nearest(self, text: str) -> tuple[float, str | None]:
        """Return the largest ROUGE-L F1 that any text of the pool has with this one, whatever the threshold.

        Returns:
            The score, and the earliest text that has it; (0.0, None) where no text of the pool shares a word with it.
        """
        found = self._index.nearest(self._words(text))
        return (0.0, None) if found is None else (found[1], self._texts[found[0]])

    def _words(self, text: str) -> list[str]:
        if self._last[0] != text:
            self._last = text, self._split(text)
        return self._last[1]
