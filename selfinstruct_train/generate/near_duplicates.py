"""A second filter on instructions after ROUGE-L, on kept libraries: MinHash (datasketch), or sentence embeddings.

minhash      a shared phrase moved to another place, which costs ROUGE-L its order, is found by word triples; LSH brings
             up most of the pairs above the threshold, not all, and their Jaccard similarity is then computed exactly.
embeddings   other words for the same task. Every accepted text is compared with every candidate; each text is embedded
             alone, so that its vector depends on no neighbour. A replay of a journal embeds all texts again.

Both decide the same for the same texts in the same order. Package missing: `check_near_duplicates` says so early.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..config import NearDuplicateConfig
from ..core.model_source import model_source
from .novelty import Match
from .tokenize import unicode_words

if TYPE_CHECKING:
    from datasketch import MinHash

_PACKAGES = {"minhash": "datasketch", "embeddings": "sentence_transformers"}
_NUM_PERMUTATIONS = 128
_MAX_LSH_THRESHOLD = 0.9
"""Above it the LSH brings up as for it: few and long bands lose pairs, and from 0.999 on there are no such bands."""
_WEIGHTS = (0.1, 0.9)  # of false positives, which are computed and dropped, and false negatives, which stay


class NearDuplicates(Protocol):
    """A growing pool of texts, as NoveltyIndex, with another idea of what is similar."""

    def check(self, text: str) -> Match | None:
        """Return the most similar text of the pool, the earliest of equals, if it is above the threshold."""
        ...

    def add(self, text: str) -> None:
        """Put a text into the pool."""
        ...


def check_near_duplicates(settings: NearDuplicateConfig) -> None:
    """See that the filter can work, without loading anything.

    Raises:
        ValueError: its package is not installed, or its model's folder is not there.
    """
    package = _PACKAGES.get(settings.method)
    if package is not None and importlib.util.find_spec(package) is None:
        raise ValueError(
            f"generate.near_duplicates.method is {settings.method}, which needs the package "
            f"{package.replace('_', '-')}; pip install 'selfinstruct-train[dedup]'"
        )
    if settings.method == "embeddings":
        from ..lm.embeddings import check_embedding_source

        check_embedding_source(model_source(settings.embedding_model or ""))


def open_near_duplicates(settings: NearDuplicateConfig) -> NearDuplicates | None:
    """The filter that the settings name, empty; None for method none.

    Raises:
        ValueError: the embedding model cannot be loaded.
    """
    if settings.method == "minhash":
        return MinHashPool(settings.threshold)
    if settings.method == "embeddings":
        from ..lm.embeddings import load_embedder

        embedder = load_embedder(model_source(settings.embedding_model or ""), settings.embedding_revision)
        return EmbeddingPool(embedder, settings.threshold)
    return None


class MinHashPool:
    """Near duplicates by the Jaccard similarity of their word triples."""

    def __init__(self, threshold: float) -> None:
        from datasketch import MinHashLSH

        self._threshold = threshold
        self._texts: list[str] = []
        self._lsh = MinHashLSH(
            threshold=min(threshold, _MAX_LSH_THRESHOLD), num_perm=_NUM_PERMUTATIONS, weights=_WEIGHTS
        )

    def check(self, text: str) -> Match | None:
        triples = _triples(text)
        best = None
        best_score = self._threshold
        for index in sorted(self._lsh.query(_min_hash(triples))):
            other = _triples(self._texts[index])
            score = len(triples & other) / len(triples | other) if triples else 0.0
            if score > best_score:
                best, best_score = self._texts[index], score
        return None if best is None else Match(best, best_score)

    def add(self, text: str) -> None:
        self._lsh.insert(len(self._texts), _min_hash(_triples(text)))
        self._texts.append(text)


class Embedder(Protocol):
    """Turns a text into a vector of length 1, float32 (dimension,)."""

    def embed(self, text: str) -> np.ndarray: ...


class EmbeddingPool:
    """Near duplicates by the cosine of their embeddings, against every text of the pool."""

    def __init__(self, embedder: Embedder, threshold: float) -> None:
        self._embedder = embedder
        self._threshold = threshold
        self._texts: list[str] = []
        self._vectors = np.empty((0, 0), np.float32)  # (room for texts, dimension)
        self._last: tuple[str, np.ndarray] | None = None  # a text is checked, then added

    def check(self, text: str) -> Match | None:
        if not self._texts:
            return None
        cosines = self._vectors[: len(self._texts)] @ self._vector(text)  # (texts,)
        best = int(cosines.argmax())
        score = float(cosines[best])
        return Match(self._texts[best], score) if score > self._threshold else None

    def add(self, text: str) -> None:
        vector = self._vector(text)
        if len(self._texts) == len(self._vectors):
            grown = np.zeros((max(1024, 2 * len(self._vectors)), len(vector)), np.float32)
            if self._texts:
                grown[: len(self._texts)] = self._vectors
            self._vectors = grown
        self._vectors[len(self._texts)] = vector
        self._texts.append(text)

    def _vector(self, text: str) -> np.ndarray:
        if self._last is None or self._last[0] != text:
            self._last = text, self._embedder.embed(text)
        return self._last[1]


def _triples(text: str) -> frozenset[tuple[str, ...]]:
    """Every three words in a row; of a shorter text all its words, which make one."""
    words = unicode_words(text)
    return frozenset(tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2)))


def _min_hash(triples: frozenset[tuple[str, ...]]) -> MinHash:
    from datasketch import MinHash

    min_hash = MinHash(num_perm=_NUM_PERMUTATIONS, seed=1)
    min_hash.update_batch([" ".join(triple).encode("utf-8", "surrogatepass") for triple in triples])
    return min_hash
